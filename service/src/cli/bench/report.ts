import type { BenchRun, RunResult } from './types.ts';

const number = (value: number, digits = 1): string => value.toFixed(digits);

/** UADK's number of the operation: 0 block compress, 1 block decompress. */
const opType = (run: BenchRun): number => (run.operation === 'compress' ? 0 : 1);

/** The parameter dump that `uadk_tool benchmark` prints first. */
export function uadkParameters(run: BenchRun, mode: string): string {
  const rows: [string, string | number][] = [
    ['algname', run.format],
    ['mode', mode],
    ['optype', opType(run)],
    ['syncmode', run.isSync ? 'sync' : 'async'],
    ['pktlen', run.pktlen],
    ['seconds', run.seconds],
    ['thread', run.threads],
    ['multi', run.processes],
    ['ctxnum', run.contexts],
    ['algclass', 'zip'],
    ['acctype', run.path === 'soft' ? 'node:zlib' : 'hisi_zip (emulated)'],
    ['prefetch', run.prefetch ? 1 : 0],
    ['engine', 0],
  ];
  return rows.map(([name, value]) => `    [--${name}]: ${value}`).join('\n');
}

/** The result rows of `uadk_tool benchmark`: tab-separated, KiB/s of input, Kops, CPU of all processes. */
export function uadkRow(result: RunResult): string {
  const { run } = result;
  const kib = (result.jobsPerSec * run.pktlen) / 1024;
  const cpu = result.clientCpuPercent + result.serviceCpuPercent;
  return [
    'algname:\tlength:\tperf:\tiops:\tCPU_rate:',
    `${run.format}\t${run.pktlen}Bytes\t${number(kib)}KiB/s\t${number(result.jobsPerSec / 1000)}Kops\t${number(cpu, 2)}%`,
  ].join('\n');
}

export const ratioLine = (result: RunResult): string => `compress data rate: ${number(result.ratio * 100)}%!`;
export const latencyLine = (result: RunResult): string => `thread0 avg latency: ${number(result.meanUs)}us`;

const CSV_COLUMNS = [
  'scenario',
  'processes',
  'queues',
  'pktlen_bytes',
  'mb_per_s',
  'requests_per_s',
  'mean_us',
  'p99_us',
  'client_cpu_percent',
  'service_cpu_percent',
  'minor_faults',
  'iommu_page_requests',
  'failures',
] as const;

export interface NamedResult {
  scenario: string;
  result: RunResult;
}

export function csvOf(rows: readonly NamedResult[]): string {
  const lines = rows.map(({ scenario, result }) =>
    [
      scenario,
      result.run.processes,
      result.run.processes * result.run.contexts,
      result.run.pktlen,
      number(result.mbPerSec),
      number(result.jobsPerSec, 0),
      number(result.meanUs),
      number(result.p99Us),
      number(result.clientCpuPercent, 0),
      number(result.serviceCpuPercent, 0),
      result.minorFaults,
      result.pageRequests,
      result.failures,
    ].join(','),
  );
  return [CSV_COLUMNS.join(','), ...lines].join('\n');
}

/** One Markdown table of runs beside their software baseline: the last column is the multiple of node:zlib. */
export function markdownTable(rows: readonly NamedResult[], baseline: RunResult): string {
  const head =
    '| scenario | MB/s | requests/s | mean µs | p99 µs | CPU % clients | CPU % service | page faults | IOMMU page requests | × node:zlib |';
  const line = '|---|---|---|---|---|---|---|---|---|---|';
  const body = rows.map(
    ({ scenario, result }) =>
      `| ${scenario} | ${number(result.mbPerSec)} | ${number(result.jobsPerSec, 0)} | ${number(result.meanUs)} | ${number(result.p99Us)} | ${number(result.clientCpuPercent, 0)} | ${number(result.serviceCpuPercent, 0)} | ${result.minorFaults} | ${result.pageRequests} | ${number(result.mbPerSec / baseline.mbPerSec, 2)} |`,
  );
  return [head, line, ...body].join('\n');
}
