import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../src/ops/node-flags.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
export const ADMIN_TOKEN = 'trust-admin-token';

/** The service as its users run it: a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  readonly attachSocket: string | undefined;
  readonly pid: number;
  /** Resolves when it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Starts `warpdrive serve` on a free port, or on `port`, and waits until it listens.
 * @param pin prefix of the command, e.g. `taskset -c 0`
 * @throws Error with what it said, if it ends first
 */
export async function startServiceProcess(
  flags: string[] = [],
  port = 0,
  pin: readonly string[] = [],
): Promise<ServiceProcess> {
  const serve = [MAIN, 'serve', '--port', String(port), '--admin-token', ADMIN_TOKEN, '--log-level', 'error'];
  const [command = '', ...args] = [...pin, process.execPath, ...NODE_FLAGS, ...serve, ...flags];
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const found = new Map<string, string>();
  const listening = new Promise<void>((resolve) => {
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [key = '', value = ''] = line.split(/\s+/);
      found.set(key, value);
      if (key === 'Mode') setImmediate(resolve); // the lines behind it came in the same write
    });
  });
  await Promise.race([
    listening,
    exited.then(({ code }) => Promise.reject(new Error(`the service ended with ${code}: ${said}`))),
  ]);
  return {
    url: found.get('API') ?? '',
    attachSocket: found.get('Attach'),
    pid: child.pid ?? 0,
    exited,
    kill: (signal) => void child.kill(signal),
  };
}

/** What the host's kernel says of a process: bytes of RSS, open descriptors, threads. */
export function processFigures(pid: number): { rssBytes: number; descriptors: number; threads: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    rssBytes: number('VmRSS') * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('Threads'),
  };
}
