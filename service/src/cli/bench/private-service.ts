import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../../ops/node-flags.ts';
import { CommandError, EXIT } from '../exit.ts';
import type { BenchPath } from './types.ts';

const READY_MS = 20_000;
const CLOCK_TICKS_PER_SEC = 100; // USER_HZ of Linux, fixed in its ABI
const TOKEN = 'bench-admin-token';

/** A service of the bench's own, so that no other traffic is in its figures. */
export interface PrivateService {
  readonly attachPath: string;
  readonly token: string;
  readonly url: string;
  /** CPU seconds of the process so far, all threads. */
  cpuSeconds(): number;
  /** Pages that the IOMMU model brought in so far. */
  pageRequests(): Promise<number>;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  path: Exclude<BenchPath, 'soft'>;
  cores: number;
  core: string;
  queues: number;
}

/** @throws CommandError when it does not start */
export async function startPrivateService(options: ServiceOptions): Promise<PrivateService> {
  const folder = mkdtempSync(join(tmpdir(), 'warpdrive-bench-'));
  const attachPath = join(folder, 'attach.sock');
  const main = fileURLToPath(new URL('../../main.js', import.meta.url));
  const mode = options.path === 'noiommu' ? 'noiommu' : 'sva';
  const flags = ['--port', '0', '--mode', mode, '--core', options.core, '--cores', String(options.cores)];
  const own = [
    '--queues',
    String(options.queues),
    '--attach-socket',
    attachPath,
    '--admin-token',
    TOKEN,
    '--log-level',
    'error',
  ];
  const child = spawn(process.execPath, [...NODE_FLAGS, main, 'serve', ...flags, ...own], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid;
  if (pid === undefined)
    throw new CommandError(EXIT.failure, 'the service of the bench could not be started');
  const url = await untilReady(child);
  return {
    attachPath,
    token: TOKEN,
    url,
    cpuSeconds: () => processCpuSeconds(pid),
    pageRequests: async () => {
      const response = await fetch(`${url}/v1/iommu`);
      const body = (await response.json()) as { pageRequests?: { success?: number } };
      return body.pageRequests?.success ?? 0;
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(
      () => reject(new CommandError(EXIT.failure, `the service did not start: ${output}`)),
      READY_MS,
    );
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (!url) return;
      clearTimeout(timer);
      resolve(url);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new CommandError(EXIT.failure, `the service of the bench ended: ${output}`));
    });
  });
}

/** utime + stime of /proc/<pid>/stat (proc(5), fields 14 and 15). */
function processCpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SEC;
}
