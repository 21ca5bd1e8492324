/** The slowest of small requests while large ones take all the CPU that there is. */
import { type Bench, COMPRESS_PATH, LOAD_PIN, startService } from './http-bench.ts';
import { applyLoad, type LoadResult } from './http-load.ts';
import { payloads } from './http-payload.ts';
import type { Row, Section } from './http-report.ts';
import { BODIES } from './http-sizes.ts';
import { median } from './race.ts';

const SMALL_CONNECTIONS = 4;
const LARGE_CONNECTIONS = 4;
/** The large load starts this much earlier and ends this much later. */
const MARGIN_S = 1;

export async function fairness(bench: Bench): Promise<Section> {
  const small = payloads(2048, BODIES);
  const large = payloads(1 << 20, BODIES);
  const rows: Row[] = [];
  for (const core of bench.cores) {
    const server = await startService(core);
    try {
      const load = (bodies: readonly Buffer[], connections: number, seconds: number): Promise<LoadResult> =>
        applyLoad({ url: server.url + COMPRESS_PATH, bodies, connections, seconds, pin: LOAD_PIN });
      await load(small, SMALL_CONNECTIONS, 1);
      await load(large, LARGE_CONNECTIONS, 1);
      const alone: LoadResult[] = [];
      const beside: LoadResult[] = [];
      const larges: LoadResult[] = [];
      for (let round = 0; round < bench.rounds; round++) {
        alone.push(await load(small, SMALL_CONNECTIONS, bench.seconds));
        const saturating = load(large, LARGE_CONNECTIONS, bench.seconds + 2 * MARGIN_S);
        await new Promise((resolve) => setTimeout(resolve, MARGIN_S * 1000));
        beside.push(await load(small, SMALL_CONNECTIONS, bench.seconds));
        larges.push(await saturating);
      }
      const p99Ms = (results: readonly LoadResult[]) => median(results.map(({ p99Us }) => p99Us)) / 1000;
      const perSec = (results: readonly LoadResult[]) =>
        median(results.map(({ requests, seconds }) => requests / seconds));
      rows.push({
        core,
        '2 KiB alone, req/s': perSec(alone),
        'p99 ms': p99Ms(alone),
        '2 KiB beside 1 MiB, req/s': perSec(beside),
        'p99 ms beside': p99Ms(beside),
        'p99 beside over alone': p99Ms(beside) / p99Ms(alone),
        '1 MiB, req/s': perSec(larges),
      });
    } finally {
      server.stop();
    }
  }
  return {
    name: 'fairness',
    title: '2 KiB requests while 1 MiB requests saturate the CPU',
    conditions: `${SMALL_CONNECTIONS} connections with 2 KiB, ${LARGE_CONNECTIONS} with 1 MiB, each with a request in flight; server on CPU 0, both loads on CPU 1.`,
    tables: [{ caption: '', rows }],
  };
}
