/**
 * `npm run bench:http`: POST /v1/compress?level=1 beside what people use today, in one run. Every server is a process
 * of its own; the load comes from another process on another CPU where there is one. Servers take turns in every
 * round; figures are medians over the rounds. One answer of each is checked by an independent decoder first.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { applyLoad, hasWrk, type LoadResult } from './http-load.ts';
import { payloads } from './http-payload.ts';
import { type Figures, markdown } from './http-report.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '2048,65536,1048576' },
    connections: { type: 'string', default: '16' },
    /** Deflate cores of the service, a row each. */
    cores: { type: 'string', default: 'isal,wasm' },
    /** Rows to leave out. */
    skip: { type: 'string', default: '' },
  },
});

const BODIES = 8;
const WARM_UP_S = 1;
const TICKS_PER_S = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;
const PATH = '/v1/compress?format=gzip&level=1';
const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['-V']).error === undefined;
const SERVER_PIN = isPinned ? ['taskset', '-c', '0'] : [];
const LOAD_PIN = isPinned ? ['taskset', '-c', '1'] : [];

interface Server {
  name: string;
  url: string;
  process: ChildProcess;
  compresses: boolean;
}

async function start(
  name: string,
  script: string,
  args: string[],
  compresses: boolean,
): Promise<Server | undefined> {
  const [command = '', ...rest] = [
    ...SERVER_PIN,
    process.execPath,
    join(import.meta.dirname, script),
    ...args,
  ];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string | undefined>((resolve) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /(http:\/\/\S+)\n/.exec(text);
      if (found !== null) resolve(found[1]);
    });
    child.once('exit', () => resolve(undefined));
  });
  return url === undefined ? undefined : { name, url: url + PATH, process: child, compresses };
}

async function startAll(): Promise<Server[]> {
  const skip = options.skip.split(',');
  const servers: (Server | undefined)[] = [];
  const add = async (name: string, script: string, args: string[], compresses: boolean) => {
    if (!skip.includes(name)) servers.push(await start(name, script, args, compresses));
  };
  for (const core of options.cores.split(',')) {
    const args = ['serve', '--port', '0', '--core', core, '--log-level', 'warn', '--attach-socket', 'none'];
    await add(`warpdrive ${core}`, '../src/main.js', args, true);
  }
  await add('Express + createGzip', 'http-server.js', ['express-gzip'], true);
  await add('node:http + gzipSync', 'http-server.js', ['node-gzipsync'], true);
  await add('Express + count', 'http-server.js', ['express-count'], false);
  await add('node:http + count', 'http-server.js', ['node-count'], false);
  return servers.filter((server) => server !== undefined);
}

async function verify({ name, url, compresses }: Server, bodies: readonly Buffer[]): Promise<number> {
  let product = 0;
  for (const body of bodies) {
    const response = await fetch(url, { method: 'POST', body: new Uint8Array(body) });
    const answer = Buffer.from(await response.arrayBuffer());
    product += answer.length;
    const isRight = compresses ? gunzipSync(answer).equals(body) : answer.toString() === String(body.length);
    if (!response.ok || !isRight) throw new Error(`${name} answers wrongly: ${response.status}`);
  }
  return product;
}

/** User and system time of all threads, from fields 14 and 15 of /proc/PID/stat. */
function cpuSeconds({ process: child }: Server): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

async function measureSize(servers: readonly Server[], bytes: number): Promise<Figures[]> {
  const bodies = payloads(bytes, BODIES);
  const ratios = new Map<Server, number>();
  for (const server of servers) ratios.set(server, (bytes * BODIES) / (await verify(server, bodies)));
  const results = new Map<Server, (LoadResult & { cpuPerGb: number })[]>(
    servers.map((server) => [server, []]),
  );
  const connections = Number(options.connections);
  const load = (server: Server, seconds: number) =>
    applyLoad({ url: server.url, bodies, connections, seconds, pin: LOAD_PIN });
  for (const server of servers) await load(server, WARM_UP_S);
  for (let round = 0; round < Number(options.rounds); round++)
    for (const server of servers) {
      const before = cpuSeconds(server);
      const result = await load(server, Number(options.seconds));
      if (result.failures > 0) throw new Error(`${server.name}: ${result.failures} failed requests`);
      const cpuPerGb = (cpuSeconds(server) - before) / ((result.requests * bytes) / 1e9);
      results.get(server)?.push({ ...result, cpuPerGb });
    }
  return servers.map((server) => {
    const rounds = results.get(server) ?? [];
    const requestsPerSec = median(rounds.map(({ requests, seconds }) => requests / seconds));
    return {
      server: server.name,
      bytes,
      requestsPerSec,
      megabytesPerSec: (requestsPerSec * bytes) / 1e6,
      cpuSecondsPerGb: median(rounds.map(({ cpuPerGb }) => cpuPerGb)),
      p50Us: median(rounds.map(({ p50Us }) => p50Us)),
      p99Us: median(rounds.map(({ p99Us }) => p99Us)),
      ratio: server.compresses ? (ratios.get(server) ?? null) : null,
    };
  });
}

const servers = await startAll();
try {
  const figures: Figures[] = [];
  for (const bytes of options.sizes.split(',').map(Number))
    figures.push(...(await measureSize(servers, bytes)));
  const machine = {
    cpu: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
    node: process.version,
    generator: `${hasWrk ? 'wrk' : 'own generator'}, ${options.connections} connections`,
    pinning: isPinned ? 'server on CPU 0, load on CPU 1' : 'none',
    rounds: `${options.rounds} × ${options.seconds} s, medians`,
  };
  process.stdout.write(
    options.json ? `${JSON.stringify({ machine, figures }, null, 2)}\n` : markdown(machine, figures),
  );
} finally {
  for (const server of servers) server.process.kill();
}
