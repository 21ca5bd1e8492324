/** Two worker processes over one, the load on the second CPU as in the other tables. */
import { type Bench, isPinned, SERVER_PIN, type Server, sizeText, startService } from './http-bench.ts';
import { payloads } from './http-payload.ts';
import type { Row, Section } from './http-report.ts';
import { BODIES, measure } from './http-sizes.ts';

const SIZES = [2048, 65_536];

export async function workers(bench: Bench): Promise<Section> {
  const rows: Row[] = [];
  for (const core of bench.cores) {
    const named = async (count: number): Promise<Server> => {
      const pin = count === 1 ? SERVER_PIN : [];
      const flags = ['--workers', String(count), '--cores', String(count)];
      return { ...(await startService(core, pin, ...flags)), name: `${count}` };
    };
    const servers = [await named(1), await named(2)];
    try {
      for (const bytes of SIZES) {
        const [one, two] = await measure(bench, servers, payloads(bytes, BODIES));
        if (!one || !two) continue;
        rows.push({
          body: sizeText(bytes),
          core,
          '1 worker, req/s': one.requestsPerSec,
          '2 workers, req/s': two.requestsPerSec,
          '2 over 1': two.requestsPerSec / one.requestsPerSec,
          'p99 ms, 1 worker': one.p99Us / 1000,
          'p99 ms, 2 workers': two.p99Us / 1000,
          'CPU s per GB in, 1 worker': one.cpuSecondsPerGb,
          'CPU s per GB in, 2 workers': two.cpuSecondsPerGb,
        });
      }
    } finally {
      for (const server of servers) server.stop();
    }
  }
  return {
    name: 'workers',
    title: '`--workers 2` over one worker',
    conditions: isPinned
      ? `One worker on CPU 0, two on both CPUs, load on CPU 1, ${bench.connections} connections: the second worker shares its CPU with the load.`
      : 'Nothing is pinned: taskset is missing, or there is one CPU.',
    tables: [{ caption: '', rows }],
  };
}
