import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { launch, type Result } from './cli-process.ts';

export interface Served {
  url: string;
  child: ChildProcess;
  result: Promise<Result>;
  /** Everything logged so far. */
  stderr(): string;
}

/** `warpdrive serve` on a free port as a process of its own; resolves when it listens. */
export async function serve(...args: string[]): Promise<Served> {
  const { child, result } = launch(['serve', '--port', '0', '--cores', '1', ...args]);
  let printed = '';
  let logged = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    logged += chunk.toString();
  });
  while (!printed.includes('Mode')) {
    await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error((await result).stderr);
  }
  const url = /^API +(http:\/\/127\.0\.0\.1:\d+)$/m.exec(printed)?.[1] ?? '';
  assert.match(printed, new RegExp(`^Monitor +${url}/monitor/$`, 'm'));
  return { url, child, result, stderr: () => logged };
}
