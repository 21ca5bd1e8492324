import { posix } from 'node:path';
import type { Command } from 'commander';
import type { SysfsEntry } from '../../../shared/src/telemetry.ts';
import { CommandError, EXIT, EXIT_HELP } from './exit.ts';
import { common } from './mdev.ts';
import { type CallFlags, callService } from './service-call.ts';

type Answer = { path: string } & (
  | { kind: 'directory'; entries: SysfsEntry[] }
  | { kind: 'file'; text: string }
);

/** `..` is resolved here, because URLs do it too. */
const routeOf = (path: string): string =>
  `/v1/sysfs${posix.normalize(`/${path}`).split('/').map(encodeURIComponent).join('/')}`;

/** `drwxr-xr-x`, as ls shows modes. */
function modeText({ kind, mode }: SysfsEntry): string {
  const letter = { directory: 'd', file: '-', link: 'l' }[kind];
  const bits = Array.from({ length: 9 }, (_, i) => ((mode >> (8 - i)) & 1 ? 'rwx'[i % 3] : '-'));
  return `${letter}${bits.join('')}`;
}

/** `warpdrive sysfs ls|cat|write`. */
export function addSysfs(program: Command): void {
  const sysfs = program
    .command('sysfs')
    .summary('look at the kernel’s attributes')
    .description('The kernel model’s /sys of a running service.')
    .addHelpText(
      'after',
      `\nExamples:\n  $ warpdrive sysfs ls /sys/class/uacce/hisi_zip-0\n  $ warpdrive sysfs cat /sys/class/uacce/hisi_zip-0/available_instances\n${EXIT_HELP}`,
    );

  common(sysfs.command('ls'))
    .description('List a directory.')
    .argument('[path]', 'absolute, or below /sys', '/sys')
    .action(async (path: string, flags: CallFlags) => {
      const answer = await callService<Answer>(flags, routeOf(path));
      if (flags.json) process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
      else if (answer.kind === 'file') process.stdout.write(`${answer.path}\n`);
      else
        for (const entry of answer.entries)
          process.stdout.write(
            `${modeText(entry)} ${entry.name}${entry.target === undefined ? '' : ` -> ${entry.target}`}\n`,
          );
    });

  common(sysfs.command('cat'))
    .description('Print an attribute.')
    .argument('<path>', 'absolute, or below /sys')
    .action(async (path: string, flags: CallFlags) => {
      const answer = await callService<Answer>(flags, routeOf(path));
      if (answer.kind === 'directory')
        throw new CommandError(EXIT.failure, `EISDIR: ${answer.path} is a directory`);
      process.stdout.write(flags.json ? `${JSON.stringify(answer, null, 2)}\n` : answer.text);
    });

  common(sysfs.command('write'))
    .description('Write an attribute, as root’s echo does; needs the admin token.')
    .argument('<path>', 'absolute, or below /sys')
    .argument('<text>')
    .action(async (path: string, text: string, flags: CallFlags) => {
      await callService(flags, routeOf(path), { method: 'PUT', asAdmin: true, body: text });
    });
}
