import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { runFolder } from '../../platform/run-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { checkDevices } from './device-checks.ts';
import { checkHost } from './host-checks.ts';
import type { Finding, Machine } from './machine.ts';

interface DoctorFlags {
  json?: true;
  root: string;
  host: string;
  port: number;
}

const HELP = `
Examples:
  $ warpdrive doctor
  $ warpdrive doctor --json | jq '.findings[] | select(.level != "ok")'

Exit codes: 0 nothing fails, though there may be warnings · 1 at least one check fails · 2 wrong usage`;

export function addDoctor(program: Command, setExit: (code: ExitCode) => void): void {
  program
    .command('doctor')
    .summary('check this machine and name the command that fixes it')
    .description('Checks devices, permissions, IOMMU, libraries, limits and ports. It changes nothing.')
    .option('--host <ADDRESS>', 'address that the service would listen on', '127.0.0.1')
    .option('--port <N>', 'port that the service would listen on', portArgument, 8080)
    .option('--root <DIR>', 'look at /sys, /proc and /dev below this folder', '/')
    .option('--json', 'print {"ok", "findings"}')
    .addHelpText('after', HELP)
    .action(async ({ json, root, host, port }: DoctorFlags) => {
      const machine = thisMachine(root);
      const findings = [...(await checkHost(machine, { host, port })), ...checkDevices(machine)];
      const ok = findings.every(({ level }) => level !== 'fail');
      process.stdout.write(json ? `${JSON.stringify({ ok, findings }, null, 2)}\n` : textOf(findings));
      setExit(ok ? EXIT.ok : EXIT.failure);
    });
}

const thisMachine = (root: string): Machine => ({
  root,
  platform: process.platform,
  node: process.version,
  uid: process.getuid?.() ?? 0,
  gids: process.getgroups?.() ?? [],
  cpus: availableParallelism(),
  runFolder: runFolder(),
  async listenError(host, port) {
    const server = createServer();
    const failed = once(server, 'error') as Promise<[NodeJS.ErrnoException]>;
    const listening = once(server, 'listening').then(() => undefined);
    server.listen({ host, port });
    const outcome = await Promise.race([listening, failed]).catch((error: NodeJS.ErrnoException) => [error]);
    server.close();
    return outcome?.[0]?.code;
  },
  async connectError(path) {
    const socket = connect(path);
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    }).finally(() => socket.destroy()) as Promise<string | undefined>;
  },
});

function textOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .map(({ check, level, detail, fix }) => {
      const row = `${level.padEnd(4)}  ${check.padEnd(width)}  ${detail}\n`;
      return fix === undefined ? row : `${row}      ${' '.repeat(width)}  fix: ${fix}\n`;
    })
    .join('');
}

function portArgument(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port > 65_535) throw new InvalidArgumentError('It must be 0 to 65535.');
  return port;
}
