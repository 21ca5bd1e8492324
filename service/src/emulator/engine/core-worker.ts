/** Entry of an engine core's worker thread: jobs in, results out, one at a time and in order. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { cpuYield } from '../../platform/libc.ts';
import { CoreRing } from './core-ring.ts';
import { createDataPaths } from './data-paths.ts';
import { EngineCore } from './engine-core.ts';
import type { EngineJob } from './job.ts';
import { SmallJobs } from './small-jobs.ts';
import type { CoreThreadData } from './worker-core.ts';

const port = parentPort;
if (!port) throw new Error('core-worker.ts runs as a worker thread only');
const { memory, core, ranges, module, ring: buffer, smallJobs: counter } = workerData as CoreThreadData;
const engine = new EngineCore(memory, createDataPaths(core, memory, ranges.scratch, module), ranges);
const ring = new CoreRing(buffer);
const smallJobs = counter && new SmallJobs(counter);
const standAside = smallJobs && cpuYield();

/** For faults on purpose: never returns. The thread sleeps, so that a hang takes no other core's time. */
function hang(): never {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (;;) Atomics.wait(cell, 0, 0);
}

/** A job that did not fit a slot: it was sent before the slot said so. */
const receive = (): EngineJob => {
  const received = receiveMessageOnPort(port);
  if (!received) throw new Error('the ring names a job that was not sent');
  return received.message as EngineJob;
};

ring.start();
// never returns to the event loop: the thread is ended from outside
for (;;) {
  const job = ring.nextJob(receive);
  if (job.injected === 'hang') hang();
  if (job.injected === 'crash') process.exit(1);
  ring.complete(engine.run(job));
  if (smallJobs?.areComing()) standAside?.();
}
