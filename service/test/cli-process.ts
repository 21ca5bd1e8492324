import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../src/ops/node-flags.ts';
import { PACKAGE_ROOT } from '../src/ops/package.ts';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
export const BUILT = existsSync(MAIN) ? MAIN : join(PACKAGE_ROOT, 'dist/service/src/main.js');
/** Working folder of the commands, emptied after each test. */
export const folder = mkdtempSync(join(tmpdir(), 'warpdrive-cli-'));
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});
after(() => rmSync(folder, { recursive: true, force: true }));

export const file = (name: string) => join(folder, name);

export interface Result {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

export function launch(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; result: Promise<Result> } {
  const child = spawn(process.execPath, [...NODE_FLAGS, BUILT, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  running.add(child);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => {});
  const result = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, stdout: Buffer.concat(stdout), stderr };
  });
  return { child, result };
}

export function run(
  args: string[],
  input: Uint8Array = Buffer.alloc(0),
  env: Record<string, string> = {},
): Promise<Result> {
  const { child, result } = launch(args, env);
  child.stdin?.end(input);
  return result;
}
