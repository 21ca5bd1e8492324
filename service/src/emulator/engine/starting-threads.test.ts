import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

const moduleUrl = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

/** A thread that is ready 200 ms after the process began to exit, if it gets there. */
const PROGRAM = `
import { Worker } from 'node:worker_threads';
import { CoreRing } from ${moduleUrl('./core-ring.js')};
import { awaitAtExit } from ${moduleUrl('./starting-threads.js')};
const ring = new CoreRing();
awaitAtExit(ring);
const exiting = new Int32Array(new SharedArrayBuffer(4));
const thread = \`
  import { workerData } from 'node:worker_threads';
  const { CoreRing } = await import(workerData.url);
  Atomics.wait(workerData.exiting, 0, 0);
  Atomics.wait(workerData.exiting, 0, 1, 200);
  if (!workerData.isStuck) new CoreRing(workerData.buffer).start();
\`;
const workerData = { url: ${moduleUrl('./core-ring.js')}, buffer: ring.buffer, exiting, isStuck: process.argv.includes('stuck') };
new Worker(new URL('data:text/javascript,' + encodeURIComponent(thread)), { workerData });
process.prependListener('exit', () => {
  Atomics.store(exiting, 0, 1);
  Atomics.notify(exiting, 0);
});
process.on('exit', () => process.stdout.write(ring.hasStarted ? 'started' : 'given up'));
process.exit(3);
`;

const run = (...args: string[]) => {
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(done.stderr, '');
  return [done.status, done.stdout];
};

describe('a process that exits while a thread of its engine starts', () => {
  it('waits until it takes jobs, and exits with its own code', () => {
    assert.deepEqual(run(), [3, 'started']);
  });

  it('gives up on one that does not get there', () => {
    assert.deepEqual(run('--', 'stuck'), [3, 'given up']);
  });
});
