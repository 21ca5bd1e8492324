import { timingSafeEqual } from 'node:crypto';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { ChosenCore } from '../choose-core.ts';
import type { Config } from '../config/schema.ts';
import { createHost, type Host, virtualFunctions } from '../host.ts';
import { adminToken } from '../ops/admin-token.ts';
import { exitOnDefect, onStopSignal } from '../ops/shutdown.ts';
import { systemClock } from '../platform/clock.ts';
import { createLog, type LeveledLog, type Log } from '../platform/log.ts';
import { defaultAttachPath } from '../platform/run-folder.ts';
import { type RunningService, startService } from '../service.ts';
import { startWithWorkers } from '../workers/primary.ts';
import { BenchRuns } from './bench-runs.ts';
import { CommandError, EXIT } from './exit.ts';

/** @param readLogLevel reads it again from where it came */
export async function startServing(
  config: Config,
  choosing: Promise<ChosenCore>,
  readLogLevel: () => Config['logLevel'],
): Promise<void> {
  const log = createLog({ level: config.logLevel, pretty: process.stderr.isTTY === true });
  let running: RunningService | undefined;
  exitOnDefect(log, process.exit, () => running?.stop());
  process.on('SIGHUP', () => reloadLogLevel(readLogLevel, log, running));
  const host = await hostOf(config, choosing, log);
  const token = adminToken(config.adminToken);
  process.once('exit', () => token.dispose());
  const attachPath = await listenForProcesses(host, config, token.token, log).catch(
    async (error: unknown) => {
      await host.close();
      throw error;
    },
  );
  const bench = new BenchRuns(config.core, systemClock, log);
  const parts = { config, host, adminToken: token.token, clock: systemClock, log, bench };
  const isTerminal = process.stderr.isTTY === true;
  const starting = config.workers > 1 ? startWithWorkers({ ...parts, isTerminal }) : startService(parts);
  const service = await starting.catch(async (error: unknown) => {
    await host.close();
    throw listenError(error, config);
  });
  running = service;
  onStopSignal(() => service.stop(), process.exit);
  process.stdout.write(
    `API      ${service.url}\nMonitor  ${service.url}/monitor/\n` +
      `Core     ${host.view.core} (${host.view.coreReason})\nMode     ${host.view.mode}\n` +
      (attachPath === undefined ? '' : `Attach   ${attachPath}\n`) +
      (token.file === undefined ? '' : `Token    ${token.file}\n`),
  );
  log.info({ url: service.url, core: host.view.core, mode: host.view.mode }, 'listening');
}

async function hostOf(config: Config, choosing: Promise<ChosenCore>, log: Log): Promise<Host> {
  const { mode, core, cores, fallback } = config;
  // with workers they have the queues
  const queues =
    config.workers > 1
      ? { queues: 0, functions: virtualFunctions(config.workers) }
      : { queues: config.queues };
  try {
    return await createHost({ mode, core, cores, fallback, ...queues, chosenCore: await choosing }, log);
  } catch (error) {
    throw error instanceof WarpDriveError
      ? new CommandError(EXIT.config, error.message, { cause: error })
      : error;
  }
}

/** @returns the socket's path; undefined when it is off, or when another service has the user's own */
async function listenForProcesses(
  host: Host,
  { attachSocket }: Config,
  adminToken: string,
  log: Log,
): Promise<string | undefined> {
  if (attachSocket === 'none') return undefined;
  const path = attachSocket === 'auto' ? defaultAttachPath() : attachSocket;
  const isAdminToken = (token: string): boolean =>
    token.length === adminToken.length && timingSafeEqual(Buffer.from(token), Buffer.from(adminToken));
  try {
    await host.listenForProcesses(path, isAdminToken);
    return path;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (attachSocket !== 'auto') throw new CommandError(EXIT.unavailable, `--attach-socket: ${reason}`);
    log.warn({ path, reason }, 'processes cannot attach to this service');
    return undefined;
  }
}

/** What SIGHUP does: the level is read again from where it came; every other option needs a restart. */
function reloadLogLevel(
  read: () => Config['logLevel'],
  log: LeveledLog,
  running: RunningService | undefined,
): void {
  try {
    const logLevel = read();
    log.setLevel(logLevel);
    running?.setLogLevel?.(logLevel);
    log.info({ logLevel }, 'log level read again');
  } catch (error) {
    log.error({ err: error }, 'configuration not read again');
  }
}

export function refuseTooManyQueues({ workers, queues }: Config): void {
  const [first] = workers > 1 ? virtualFunctions(workers) : [];
  if (first === undefined || queues <= first.count) return;
  throw new CommandError(
    EXIT.config,
    `--queues ${queues} is over the ${first.count} queues that each of ${workers} workers' virtual functions has.`,
  );
}

function listenError(error: unknown, { host, port }: Config): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'WD_E_NO_QUEUE' && error instanceof Error)
    return new CommandError(EXIT.unavailable, error.message, { cause: error });
  if (code === 'EADDRINUSE')
    return new CommandError(
      EXIT.unavailable,
      `Port ${port} on ${host} is already in use. Stop the other process, or choose another port with ` +
        '--port N (0 takes a free one).',
    );
  if (code === 'EACCES')
    return new CommandError(
      EXIT.unavailable,
      `No permission to listen on port ${port}; take one above 1023.`,
    );
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new CommandError(EXIT.unavailable, `${host} is not an address of this machine.`);
  return error;
}
