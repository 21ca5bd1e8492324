/** Entry of an engine core's worker thread: jobs in, results out, one at a time and in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { createDataPaths } from './data-paths.ts';
import { EngineCore } from './engine-core.ts';
import type { CoreWorkerData, JobMessage, ResultMessage } from './worker-core.ts';

const port = parentPort;
if (!port) throw new Error('core-worker.ts runs as a worker thread only');
const { memory, core, ranges, module } = workerData as CoreWorkerData;
const engine = new EngineCore(memory, createDataPaths(core, memory, ranges.scratch, module), ranges);

/** For faults on purpose: never returns. The thread sleeps, so that a hang takes no other core's time. */
function hang(): never {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (;;) Atomics.wait(cell, 0, 0);
}

port.on('message', ({ id, job }: JobMessage) => {
  if (job.injected === 'hang') hang();
  if (job.injected === 'crash') process.exit(1);
  port.postMessage({ id, result: engine.run(job) } satisfies ResultMessage);
});
