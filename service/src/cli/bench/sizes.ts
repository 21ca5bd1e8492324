import type { NamedResult } from './report.ts';
import { benchRun } from './run.ts';
import { oneAtATime, type SeriesOptions, withService } from './series.ts';
import type { BenchPath } from './types.ts';

export const ENGINE_SCENARIO = 'engine, one queue (sva)';
export const SOFTWARE_SCENARIO = 'node:zlib level 1';

/** One process and one queue beside one thread of node:zlib, synchronous, in turns, per job size. */
export async function runSizes(options: SeriesOptions): Promise<NamedResult[]> {
  const rows: NamedResult[] = [];
  const total = options.pktlens.length * 2;
  let done = 0;
  const measure = async (path: BenchPath, scenario: string, pktlen: number): Promise<void> => {
    options.onStep(done++, total, `${scenario}, ${pktlen} bytes`);
    const run = oneAtATime({ path, prefetch: true, processes: 1, pktlen, seconds: options.seconds });
    const result = await withService(path, options, (service) => benchRun(run, service, options.signal));
    const row = { scenario, result };
    rows.push(row);
    options.onRow?.(row);
  };
  for (const pktlen of options.pktlens) {
    await measure('soft', SOFTWARE_SCENARIO, pktlen);
    await measure('sva', ENGINE_SCENARIO, pktlen);
  }
  options.onStep(total, total, 'done');
  return rows;
}
