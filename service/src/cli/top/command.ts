import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../config/units.ts';
import { systemClock } from '../../platform/clock.ts';
import { EXIT_HELP, type ExitCode } from '../exit.ts';
import { common } from '../mdev.ts';
import type { CallFlags } from '../service-call.ts';
import { SORT_NAMES } from './columns.ts';

interface TopFlags extends CallFlags {
  once?: true;
  sort: string;
  reverse?: true;
  filter?: string;
  interval: number;
}

const HELP = `
Keys: q quits, space pauses, s and S choose the column to order by, r reverses, / filters, + and - change the
interval, arrows scroll rows and columns, ? shows help. Without a terminal the figures are printed at every interval instead.

Examples:
  $ warpdrive top
  $ warpdrive top --sort p99us --filter decompress
  $ warpdrive top --once                     one reading as text
  $ warpdrive top --json | jq -c .rates      a line of JSON every second
${EXIT_HELP}`;

export function addTop(program: Command, setExit: (code: ExitCode) => void): void {
  common(program.command('top'))
    .summary('watch a running service in the terminal')
    .description('Live queues, throughput, latency, engine cores and faults of a running service.')
    .option('--once', 'print one reading and exit; 69 if no service answers')
    .addOption(
      new Option('--interval <TIME>', 'time between readings').argParser(interval).default(1000, '1s'),
    )
    .addOption(
      new Option('--sort <COLUMN>', 'column that orders the queues').choices(SORT_NAMES).default('queue'),
    )
    .option('--reverse', 'the other way round')
    .option('--filter <WORDS>', 'only queues that have all the words')
    .addHelpText('after', HELP)
    .action(async (flags: TopFlags) => {
      const { runTop } = await import('./run.ts');
      const code = await runTop({
        url: flags.url,
        token: flags.adminToken,
        once: flags.once ?? false,
        json: flags.json ?? false,
        choices: {
          sort: SORT_NAMES.indexOf(flags.sort),
          reverse: flags.reverse ?? false,
          filter: flags.filter ?? '',
          isTyping: false,
          isPaused: false,
          isHelp: false,
          scroll: 0,
          skipped: 0,
          intervalMs: flags.interval,
        },
        clock: systemClock,
      });
      setExit(code);
    });
}

function interval(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 250 || ms > 3_600_000)
    throw new InvalidArgumentError('It must be a time such as 500ms or 2s, at least 250ms.');
  return ms;
}
