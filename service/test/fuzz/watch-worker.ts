import { workerData } from 'node:worker_threads';
import { saveShown } from './watch.ts';

const { shared, target, stillMs } = workerData as {
  shared: SharedArrayBuffer;
  target: string;
  stillMs: number;
};
const words = new Int32Array(shared, 0, 2);
let last = 0;

setInterval(() => {
  const now = Atomics.load(words, 0);
  if (now !== last || now === 0) {
    last = now;
    return;
  }
  console.error(
    `no progress within ${stillMs} ms; the inputs at work: ${saveShown(target, shared).join(' ')}`,
  );
  process.kill(process.pid, 'SIGKILL');
}, stillMs);
