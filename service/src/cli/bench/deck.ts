import { markdownTable, type NamedResult } from './report.ts';
import { benchRun } from './run.ts';
import { oneAtATime, type SeriesOptions, withService } from './series.ts';
import type { BenchPath, BenchRun } from './types.ts';

/**
 * The deck's two experiments: 1 process × 1 queue and 3 processes × 3 queues (one each), synchronous, in three
 * scenarios. The slides carry only pictures; this reading of the scenarios is sources.md 9.4, hypothesis 1.
 */
const SCENARIOS: readonly { name: string; path: BenchPath; prefetch: boolean }[] = [
  { name: 'SVA, I/O page faults', path: 'sva', prefetch: false },
  { name: 'SVA, pinned (touched first)', path: 'sva', prefetch: true },
  { name: 'private map (vfio)', path: 'vfio', prefetch: true },
  { name: 'no IOMMU', path: 'noiommu', prefetch: true },
];
const SOFTWARE = 'node:zlib level 1';
const PROCESS_COUNTS = [1, 3];

export interface DeckResult {
  /** One table an experiment and size, in order. */
  tables: { processes: number; pktlen: number; rows: NamedResult[]; markdown: string }[];
}

/** Runs all scenarios in turns; the software baseline runs on as many processes, in the same turn. */
export async function runDeck(options: SeriesOptions): Promise<DeckResult> {
  const tables: DeckResult['tables'] = [];
  const total = PROCESS_COUNTS.length * options.pktlens.length * (SCENARIOS.length + 1);
  let done = 0;
  for (const processes of PROCESS_COUNTS)
    for (const pktlen of options.pktlens) {
      const rows: NamedResult[] = [];
      const run = (path: BenchPath, prefetch: boolean): BenchRun =>
        oneAtATime({ path, prefetch, processes, pktlen, seconds: options.seconds });
      const step = (name: string): void =>
        options.onStep(done++, total, `${processes} × ${pktlen} bytes  ${name}`);
      const keep = (row: NamedResult): void => {
        rows.push(row);
        options.onRow?.(row);
      };
      step(SOFTWARE);
      const baseline = await benchRun(run('soft', true), undefined, options.signal);
      for (const { name, path, prefetch } of SCENARIOS) {
        step(name);
        const result = await withService(path, options, (service) =>
          benchRun(run(path, prefetch), service, options.signal),
        );
        keep({ scenario: name, result });
      }
      keep({ scenario: SOFTWARE, result: baseline });
      tables.push({ processes, pktlen, rows, markdown: markdownTable(rows, baseline) });
    }
  options.onStep(total, total, 'done');
  return { tables };
}
