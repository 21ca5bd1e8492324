import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { StatusSnapshot, WorkerSnapshot } from '../../shared/src/telemetry.ts';
import { NODE_FLAGS } from '../src/ops/node-flags.ts';
import { PACKAGE_ROOT } from '../src/ops/package.ts';

const MAIN = join(PACKAGE_ROOT, 'dist/service/src/main.js');
export const ADMIN_TOKEN = 'token-of-the-tests';
const running = new Set<ChildProcess>();

afterEach(async () => {
  await Promise.all(
    [...running].map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      child.kill('SIGKILL');
      return once(child, 'exit');
    }),
  );
  running.clear();
});

export interface WorkersService {
  url: string;
  child: ChildProcess;
  /** What it logged so far. */
  log(): string;
  status(): Promise<StatusSnapshot>;
  workers(): Promise<WorkerSnapshot[]>;
  get(path: string): Promise<unknown>;
  admin(method: string, path: string, body?: object): Promise<{ status: number; json: unknown }>;
}

/** The real command with worker processes on a free port. */
export async function serveWithWorkers(workers: number, ...flags: string[]): Promise<WorkersService> {
  assert.ok(existsSync(MAIN), 'the built service');
  const args = ['serve', '--port', '0', '--workers', String(workers), '--cores', String(workers)];
  const own = ['--core', 'zlib', '--admin-token', ADMIN_TOKEN, '--attach-socket', 'none'];
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...args, ...own, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  let printed = '';
  while (!printed.includes('Mode')) {
    const [chunk] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(`it ended: ${log}`);
    printed += String(chunk);
  }
  const url = /^API +(http:\S+)$/m.exec(printed)?.[1] ?? '';
  const get = async (path: string): Promise<unknown> => (await fetch(url + path)).json();
  const status = async () => (await get('/v1/status')) as StatusSnapshot;
  return {
    url,
    child,
    log: () => log,
    status,
    get,
    workers: async () => (await status()).workers ?? [],
    async admin(method, path, body) {
      const answer = await fetch(url + path, {
        method,
        headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, json: text === '' ? undefined : JSON.parse(text) };
    },
  };
}

/** Waits until `probe` gives something; fails after half a minute. */
export async function until<Value>(
  probe: () => Promise<Value | undefined | false>,
  what: string,
): Promise<Value> {
  const limit = performance.now() + 30_000;
  while (performance.now() < limit) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    await new Promise((next) => setTimeout(next, 20));
  }
  throw new Error(`never happened: ${what}`);
}

export interface LoadCount {
  ok: number;
  bytesIn: number;
  /** Answers that were no 200: status → count. */
  refused: Map<number, number>;
  /** Requests without an answer, and those whose answer broke off. */
  broken: number;
  /** Of them, requests that were sent on a connection which had answered before. */
}

/** Keep-alive connections, each with one request in flight, until `stop`; every answer is decoded and compared. */
export function startLoad(
  url: string,
  connections: number,
  body: Buffer,
): { count: LoadCount; stop(): Promise<void> } {
  const count: LoadCount = { ok: 0, bytesIn: 0, refused: new Map(), broken: 0 };
  let isOver = false;
  const loop = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) await one(url, agent, body, count);
    agent.destroy();
  };
  const loops = Promise.all(Array.from({ length: connections }, loop));
  return {
    count,
    async stop() {
      isOver = true;
      await loops;
    },
  };
}

function one(url: string, agent: Agent, body: Buffer, count: LoadCount): Promise<void> {
  return new Promise((resolve) => {
    const broken = () => {
      count.broken++;
      setTimeout(resolve, 5);
    };
    const headers = { 'Content-Length': body.length };
    const sent = request(`${url}/v1/compress`, { method: 'POST', agent, headers }, (answer) => {
      sent.off('error', broken).on('error', () => {});
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part)).on('error', () => {});
      answer.on('close', () => {
        const status = answer.statusCode ?? 0;
        if (!answer.complete) return broken();
        if (status === 200) {
          assert.ok(gunzipSync(Buffer.concat(parts)).equals(body));
          count.ok++;
          count.bytesIn += body.length;
        } else count.refused.set(status, (count.refused.get(status) ?? 0) + 1);
        resolve();
      });
    });
    sent.on('error', broken).end(body);
  });
}
