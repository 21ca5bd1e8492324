/** Requests of one size, beside what people use today; and how much CPU time they cost beside nginx. */
import {
  type Bench,
  COMPRESS_PATH,
  cpuSeconds,
  LOAD_PIN,
  type Server,
  sizeText,
  startNginx,
  startNode,
  startService,
  verify,
} from './http-bench.ts';
import { applyLoad, type LoadResult } from './http-load.ts';
import { payloads } from './http-payload.ts';
import type { Row, Section, Table } from './http-report.ts';
import { median } from './race.ts';

export const BODIES = 8;
/** Until V8 has compiled what two worker processes run, which each get half of the requests. */
const WARM_UP_S = 3;
const BASELINE = 'Express + createGzip';
const CEILING = 'node:http + count';
const NGINX = 'nginx gzip 1 (GET)';

export interface Figures {
  server: string;
  requestsPerSec: number;
  cpuSecondsPerGb: number;
  p50Us: number;
  p99Us: number;
  /** Input over output; null for servers that do not compress. */
  ratio: number | null;
}

const BASELINES: readonly [string, string, Server['answers']][] = [
  [BASELINE, 'express-gzip', 'gzip'],
  ['node:http + gzipSync', 'node-gzipsync', 'gzip'],
  ['Express + count', 'express-count', 'count'],
  [CEILING, 'node-count', 'count'],
];

export async function sizes(bench: Bench): Promise<Section> {
  const servers: Server[] = [];
  const isWanted = (name: string) => !bench.skip.includes(name);
  try {
    for (const core of bench.cores) if (isWanted(`warpdrive ${core}`)) servers.push(await startService(core));
    for (const [name, script, answers] of BASELINES)
      if (isWanted(name)) servers.push(await startNode(name, 'http-server.js', [script], answers));
    const tables: Table[] = [];
    for (const bytes of bench.sizes) {
      const bodies = payloads(bytes, BODIES);
      const nginx = isWanted(NGINX) ? await startNginx(bodies) : undefined;
      if (!nginx && isWanted(NGINX))
        bench.note('nginx is not installed: its rows are missing (apt-get install nginx)');
      try {
        const all = nginx ? [...servers, nginx] : servers;
        const figures = await measure(bench, all, bodies);
        tables.push({ caption: sizeText(bytes), rows: figures.map((f) => row(f, figures, bytes)) });
      } finally {
        nginx?.stop();
      }
    }
    return {
      name: 'sizes',
      title: 'By body size',
      conditions:
        `Servers on CPU 0, load on CPU 1, ${bench.connections} connections, ${bench.rounds} rounds of ` +
        `${bench.seconds} s in turns, medians. nginx answers GET with the same bytes from its cache of open files.`,
      tables,
    };
  } finally {
    for (const server of servers) server.stop();
  }
}

/** Servers take turns in every round; figures are medians over the rounds. */
export async function measure(
  bench: Bench,
  servers: readonly Server[],
  bodies: readonly Buffer[],
): Promise<Figures[]> {
  const bytes = bodies[0]?.length ?? 0;
  const ratios = new Map<Server, number>();
  const results = new Map<Server, (LoadResult & { cpuPerGb: number })[]>();
  const load = (server: Server, seconds: number) => {
    const isGet = server.name === NGINX;
    const target = isGet
      ? { url: server.url, paths: bodies.map((_, i) => `/body-${i}`) }
      : { url: server.url + COMPRESS_PATH };
    return applyLoad({ ...target, bodies, connections: bench.connections, seconds, pin: LOAD_PIN });
  };
  for (const server of servers) {
    if (server.name !== NGINX) ratios.set(server, (bytes * bodies.length) / (await verify(server, bodies)));
    results.set(server, []);
    await load(server, WARM_UP_S);
  }
  for (let round = 0; round < bench.rounds; round++)
    for (const server of servers) {
      const before = cpuSeconds(server);
      const result = await load(server, bench.seconds);
      if (result.failures > 0) throw new Error(`${server.name}: ${result.failures} failed requests`);
      const cpuPerGb = (cpuSeconds(server) - before) / ((result.requests * bytes) / 1e9);
      results.get(server)?.push({ ...result, cpuPerGb });
    }
  return servers.map((server) => {
    const rounds = results.get(server) ?? [];
    return {
      server: server.name,
      requestsPerSec: median(rounds.map(({ requests, seconds }) => requests / seconds)),
      cpuSecondsPerGb: median(rounds.map(({ cpuPerGb }) => cpuPerGb)),
      p50Us: median(rounds.map(({ p50Us }) => p50Us)),
      p99Us: median(rounds.map(({ p99Us }) => p99Us)),
      ratio: server.answers === 'gzip' ? (ratios.get(server) ?? null) : null,
    };
  });
}

function row(figures: Figures, all: readonly Figures[], bytes: number): Row {
  const over = (name: string, read: (f: Figures) => number): number | null => {
    const other = all.find(({ server }) => server === name);
    return other === undefined ? null : read(figures) / read(other);
  };
  const share = over(CEILING, (f) => f.requestsPerSec);
  return {
    server: figures.server,
    'req/s': figures.requestsPerSec,
    'MB/s in': (figures.requestsPerSec * bytes) / 1e6,
    'CPU s per GB in': figures.cpuSecondsPerGb,
    'p50 ms': figures.p50Us / 1000,
    'p99 ms': figures.p99Us / 1000,
    ratio: figures.ratio,
    [`× ${BASELINE}`]: over(BASELINE, (f) => f.requestsPerSec),
    [`% of ${CEILING}`]: share === null ? null : share * 100,
    'CPU ÷ nginx': over(NGINX, (f) => f.cpuSecondsPerGb),
  };
}
