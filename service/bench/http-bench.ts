/** What the sections of the HTTP benchmark share: servers as processes of their own, CPU time, pinning. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { NODE_FLAGS } from '../src/ops/node-flags.ts';

export interface Bench {
  rounds: number;
  seconds: number;
  connections: number;
  /** Body sizes in bytes. */
  sizes: readonly number[];
  /** Deflate cores of the service, a row each. */
  cores: readonly string[];
  /** Rows to leave out. */
  skip: readonly string[];
  note(text: string): void;
}

export interface Server {
  name: string;
  /** `http://127.0.0.1:PORT`. */
  url: string;
  pid: number;
  /** What its answers are: a gzip member of the body, or the count of its bytes. */
  answers: 'gzip' | 'count';
  stop(): void;
}

export const COMPRESS_PATH = '/v1/compress?format=gzip&level=1';
export const isPinned = availableParallelism() > 1 && spawnSync('taskset', ['-V']).error === undefined;
export const SERVER_PIN = isPinned ? ['taskset', '-c', '0'] : [];
export const LOAD_PIN = isPinned ? ['taskset', '-c', '1'] : [];
const TICKS_PER_S = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;
const READY_MS = 20_000;

/** @param pin prefix of the command, e.g. `taskset -c 0` */
export async function startNode(
  name: string,
  script: string,
  args: readonly string[],
  answers: Server['answers'],
  pin: readonly string[] = SERVER_PIN,
  nodeFlags: readonly string[] = [],
): Promise<Server> {
  const node = [process.execPath, ...nodeFlags, join(import.meta.dirname, script)];
  const [command = '', ...rest] = [...pin, ...node, ...args];
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
  if (url === undefined) throw new Error(`${name} did not start`);
  return { name, url, pid: pidOf(child), answers, stop: () => void child.kill() };
}

export const startService = (core: string, pin = SERVER_PIN, ...flags: string[]): Promise<Server> =>
  startNode(
    `warpdrive ${core}`,
    '../src/main.js',
    ['serve', '--port', '0', '--core', core, '--log-level', 'warn', '--attach-socket', 'none', ...flags],
    'gzip',
    pin,
    NODE_FLAGS,
  );

/** nginx with `gzip_comp_level 1`, one worker, over files; undefined where it is not installed. */
export async function startNginx(bodies: readonly Buffer[]): Promise<Server | undefined> {
  if (spawnSync('nginx', ['-v']).error !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'warpdrive-nginx-'));
  bodies.forEach((body, i) => void writeFileSync(join(folder, `body-${i}`), body));
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temp = paths.map((path) => `${path}_temp_path ${folder}/${path};`).join(' ');
  writeFileSync(
    config,
    `daemon off; worker_processes 1; ${user} pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; ${temp} sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=64;
  gzip on; gzip_comp_level 1; gzip_min_length 0; gzip_types *; gzip_proxied any;
  server { listen 127.0.0.1:${port}; root ${folder}; } }\n`,
  );
  const [command = '', ...args] = [...SERVER_PIN, 'nginx', '-e', 'stderr', '-c', config];
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  const limit = performance.now() + READY_MS;
  while (!(await fetch(`${url}/body-0`).catch(() => undefined))?.ok)
    if (performance.now() > limit || child.exitCode !== null) throw new Error('nginx did not start');
  const stop = () => {
    child.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    child.kill();
  };
  return { name: 'nginx gzip 1 (GET)', url, pid: pidOf(child), answers: 'gzip', stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('a server has no process');
  return pid;
}

/** @returns bytes of all answers @throws when an answer is wrong, as an independent decoder finds */
export async function verify(server: Server, bodies: readonly Buffer[]): Promise<number> {
  let product = 0;
  for (const body of bodies) {
    const response = await fetch(server.url + COMPRESS_PATH, { method: 'POST', body: new Uint8Array(body) });
    const answer = Buffer.from(await response.arrayBuffer());
    product += answer.length;
    const isRight =
      server.answers === 'gzip' ? gunzipSync(answer).equals(body) : answer.toString() === String(body.length);
    if (!response.ok || !isRight) throw new Error(`${server.name} answers wrongly: ${response.status}`);
  }
  return product;
}

/** The process and its children, all their threads. */
function tree(pid: number): number[] {
  const own = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
  return [pid, ...own.flatMap((child) => tree(Number(child)))];
}

/** User and system time so far of the server's processes, from fields 14 and 15 of /proc/PID/stat. */
export function cpuSeconds({ pid }: Server): number {
  let ticks = 0;
  for (const one of tree(pid)) {
    const text = readFileSync(`/proc/${one}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_S;
}

/** Resident memory of the server's processes, in KiB. */
export function rssKib({ pid }: Server): number {
  let total = 0;
  for (const one of tree(pid)) {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'));
    total += Number(found?.[1] ?? 0);
  }
  return total;
}

export const sizeText = (bytes: number): string =>
  bytes >= 1 << 20 ? `${bytes / (1 << 20)} MiB` : `${bytes / 1024} KiB`;
