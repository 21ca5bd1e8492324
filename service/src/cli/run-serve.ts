import { WarpDriveError } from '../../../shared/src/problem.ts';
import { chooseCore } from '../choose-core.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { printConfig } from '../config/print.ts';
import { type Config, envName } from '../config/schema.ts';
import { isLoopback } from '../ops/access.ts';
import { CommandError, EXIT } from './exit.ts';

export interface ServeFlags extends Record<string, unknown> {
  config?: string;
  printConfig?: boolean;
  checkConfig?: boolean;
}

/** The configuration first; what serves is loaded while the engine core has its self-test, in a process of its own. */
export async function runServe(flags: ServeFlags): Promise<void> {
  const loaded = load(flags);
  if (flags.printConfig) {
    process.stdout.write(printConfig(loaded));
    return;
  }
  const { config } = loaded;
  refuseOpenBind(config);
  const choosing = flags.checkConfig ? undefined : chooseCore(config.core);
  choosing?.catch(() => {}); // it is awaited later
  const { refuseTooManyQueues, startServing } = await import('./start-serving.ts');
  refuseTooManyQueues(config);
  if (choosing) await startServing(config, choosing, () => load(flags).config.logLevel);
  else process.stdout.write('The configuration is valid.\n');
}

function load(flags: ServeFlags): LoadedConfig {
  const { config: file, printConfig: _, checkConfig = false, ...options } = flags;
  try {
    return loadConfig({ flags: options, env: process.env, ...(file === undefined ? {} : { file }) });
  } catch (error) {
    if (!(error instanceof WarpDriveError)) throw error;
    const isFlag = String(error.details['parameter']).startsWith('--');
    throw new CommandError(isFlag && !checkConfig ? EXIT.usage : EXIT.config, error.message, {
      cause: error,
    });
  }
}

/** The admin token opens the data routes too, so either will do. */
function refuseOpenBind({ host, adminToken, token }: Config): void {
  if (isLoopback(host) || adminToken !== undefined || token !== undefined) return;
  throw new CommandError(
    EXIT.config,
    `--host ${host} is reachable from other machines, which needs a token: set --admin-token or ` +
      `${envName('adminToken')}, and --token or ${envName('token')} for clients of the data routes; or listen on ` +
      '127.0.0.1.',
  );
}
