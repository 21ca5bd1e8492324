import { cpus } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FORMATS, type Format } from '../../../../shared/src/format.ts';
import { CORE_NAMES, type CoreName } from '../../../../shared/src/telemetry.ts';
import { CommandError, EXIT, EXIT_HELP } from '../exit.ts';
import { runDeck } from './deck.ts';
import { csvOf, latencyLine, ratioLine, uadkParameters, uadkRow } from './report.ts';
import { benchRun } from './run.ts';
import { withService } from './series.ts';
import type { BenchPath, BenchRun } from './types.ts';

interface BenchFlags {
  experiment?: 'deck';
  alg: Format;
  mode: Mode;
  opt: number;
  async?: boolean;
  pktlen?: string;
  seconds: number;
  thread: number;
  multi: number;
  ctxnum: number;
  prefetch?: boolean;
  latency?: boolean;
  core: CoreName | 'auto';
  cores: number;
  json?: boolean;
  csv?: boolean;
}

/** UADK's mode names: `nosva` is its memory without SVA, here private maps; `noiommu` is ours. */
const PATHS = { sva: 'sva', nosva: 'vfio', noiommu: 'noiommu', soft: 'soft' } as const satisfies Record<
  string,
  BenchPath
>;
type Mode = keyof typeof PATHS;
const MIN_PKTLEN = 16;
const MAX_PKTLEN = 8 * 1024 * 1024;
const MAX_SECONDS = 128;
const DECK_PKTLENS = [8192, 65536, 1_048_576];

const HELP = `
Options have UADK's names (uadk_tool benchmark). --thread and --multi are both processes here: a worker owns its
thread. perf is input bytes; CPU_rate is the workers' and the service's CPU, 100 % = one core.

Examples:
  $ warpdrive bench --alg gzip --mode sva --opt 0 --sync --pktlen 65536 --seconds 5 --prefetch
  $ warpdrive bench --experiment deck               the two experiments of the 2018 deck, Markdown tables
  $ warpdrive bench --experiment deck --json
${EXIT_HELP}`;

const within =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };

export function addBench(program: Command): void {
  program
    .command('bench')
    .summary('measure queues of a private service beside node:zlib')
    .description('Measures queues of a private service that it starts, beside node:zlib (--mode soft).')
    .addOption(
      new Option('--experiment <name>', '1 process × 1 queue and 3 × 3, synchronous, all scenarios').choices([
        'deck',
      ]),
    )
    .addOption(new Option('--alg <name>', 'format').choices(FORMATS).default('zlib'))
    .addOption(
      new Option('--mode <mode>', "how queues reach a process's memory; soft is node:zlib")
        .choices(Object.keys(PATHS))
        .default('sva'),
    )
    .option('--opt <n>', '0 block compress, 1 block decompress', within(0, 1), 0)
    .option('--sync', 'one job at a time a queue (default)')
    .option('--async', '16 jobs in flight a queue')
    .option('--pktlen <bytes>', `${MIN_PKTLEN} … ${MAX_PKTLEN}; for deck a list with commas`)
    .option('--seconds <n>', `at most ${MAX_SECONDS}`, within(1, MAX_SECONDS), 3)
    .option('--thread <n>', 'workers a process', within(1, 64), 1)
    .option('--multi <n>', 'processes', within(1, 32), 1)
    .option('--ctxnum <n>', 'queues a worker', within(1, 64), 1)
    .option('--prefetch', 'touch all buffers first; without it each destination is fresh memory')
    .option('--latency', 'print the mean latency')
    .addOption(new Option('--core <name>', 'deflate core').choices(['auto', ...CORE_NAMES]).default('auto'))
    .addOption(
      new Option('--cores <n>', 'engine cores in worker threads')
        .argParser(within(0, 64))
        .default(Math.max(1, cpus().length - 1), 'one less than CPUs'),
    )
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .addHelpText('after', HELP)
    .action(async (flags: BenchFlags) => {
      await (flags.experiment === undefined ? single(flags) : deck(flags));
    });
}

async function single(flags: BenchFlags): Promise<void> {
  const run = runOf(flags);
  const result = await withService(run.path, flags, (service) => benchRun(run, service));
  if (flags.json) print(JSON.stringify(result, null, 2));
  else if (flags.csv) print(csvOf([{ scenario: flags.mode, result }]));
  else {
    print(uadkParameters(run, flags.mode));
    if (run.operation === 'compress') print(ratioLine(result));
    if (flags.latency) print(latencyLine(result));
    print(uadkRow(result));
  }
  if (result.failures > 0)
    throw new CommandError(EXIT.failure, `${result.failures} of ${result.jobs} jobs failed`);
}

async function deck(flags: BenchFlags): Promise<void> {
  const pktlens = flags.pktlen === undefined ? DECK_PKTLENS : flags.pktlen.split(',').map(pktlenOf);
  const { seconds, core, cores } = flags;
  const { tables } = await runDeck({ pktlens, seconds, core, cores, onStep });
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.versions.node}`;
  if (flags.json) {
    print(
      JSON.stringify(
        { machine, date: new Date().toISOString(), tables: tables.map(({ markdown: _, ...rest }) => rest) },
        null,
        2,
      ),
    );
    return;
  }
  if (flags.csv) {
    print(csvOf(tables.flatMap(({ rows }) => rows)));
    return;
  }
  print(
    `Reproduction of the set-up, not of the numbers. ${machine}; ${new Date().toISOString().slice(0, 10)}`,
  );
  for (const { processes, pktlen, markdown } of tables)
    print(
      `\n**${processes} process${processes === 1 ? '' : 'es'} × ${processes} queue${processes === 1 ? '' : 's'}, ${pktlen} bytes, synchronous**\n\n${markdown}`,
    );
}

function runOf(flags: BenchFlags): BenchRun {
  return {
    path: PATHS[flags.mode],
    format: flags.alg,
    operation: flags.opt === 0 ? 'compress' : 'decompress',
    isSync: flags.async !== true,
    pktlen: pktlenOf(flags.pktlen ?? '1024'),
    seconds: flags.seconds,
    threads: flags.thread,
    processes: flags.multi,
    contexts: flags.ctxnum,
    prefetch: flags.prefetch === true,
    inflight: flags.async === true ? 16 : 1,
  };
}

function pktlenOf(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < MIN_PKTLEN || value > MAX_PKTLEN)
    throw new CommandError(
      EXIT.usage,
      `--pktlen is a whole number from ${MIN_PKTLEN} to ${MAX_PKTLEN}, not "${text}"`,
    );
  return value;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
/** Progress goes to stderr, so that tables and JSON can be redirected. */
const onStep = (done: number, total: number, what: string): void => {
  if (done < total) process.stderr.write(`${done + 1}/${total}  ${what}\n`);
};
