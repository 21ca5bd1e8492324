import { type Command, Option } from 'commander';
import { CONFIG_KEYS, choicesOf, describeKey, envName, flagName } from '../config/schema.ts';
import { EXIT_HELP } from './exit.ts';
import type { ServeFlags } from './run-serve.ts';

const VALUE_NAMES: Readonly<Record<string, string>> = {
  host: 'ADDRESS',
  adminToken: 'TOKEN',
  token: 'TOKEN',
  maxBuffered: 'SIZE',
  maxFrame: 'SIZE',
  maxHeaderBytes: 'SIZE',
  maxTime: 'TIME',
  headerTimeout: 'TIME',
  pingTimeout: 'TIME',
  maxInput: 'SIZE',
  maxOutput: 'SIZE',
  idleTimeout: 'TIME',
  drainDelay: 'TIME',
  shutdownTimeout: 'TIME',
  core: 'auto|wasm|isal|zlib',
  mode: 'sva|vfio|noiommu|native',
  logLevel: 'LEVEL',
  allowOrigin: 'LIST',
  fallback: 'allow|never',
  attachSocket: 'PATH|auto|none',
};

const HELP = `
Each option can also be set in the environment (${envName('port')}=0) and in the configuration file
(port = 0); flags win over the environment, the environment over the file. Sizes may be given as 64KiB,
times as 30s.

Examples:
  $ warpdrive serve
  $ warpdrive serve --port 0 --core zlib --log-level warn
  $ warpdrive serve --max-output 1GiB --max-ratio 200
  $ curl -sS -T access.log -o access.log.gz 'http://127.0.0.1:8080/v1/compress?format=gzip'
${EXIT_HELP}`;

export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .summary('start the service')
    .description('Start the compression service: HTTP and WebSocket API, monitor page, metrics.')
    .addHelpText('after', HELP);
  for (const key of CONFIG_KEYS) {
    const option = new Option(`--${flagName(key)} <${VALUE_NAMES[key] ?? 'N'}>`, describeKey(key));
    const choices = choicesOf(key);
    if (choices !== undefined) option.argChoices = choices; // for completion; the schema checks
    command.addOption(option);
  }
  command
    .option('--config <FILE>', `TOML or JSON file with the same options (${envName('config')})`)
    .option('--print-config', 'print every option with its value and origin, then exit')
    .option('--check-config', 'check the configuration, then exit: 0 valid, 78 not')
    .action(async (flags: ServeFlags) => (await import('./run-serve.ts')).runServe(flags));
}
