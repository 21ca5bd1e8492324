import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { DeviceRig } from '../../../test/support/device-rig.ts';
import { wasmModule } from '../deflate/wasm-core.ts';
import { allocateCoreRanges } from './core-ranges.ts';
import type { CoreRing } from './core-ring.ts';
import { WorkerCore } from './worker-core.ts';

const TEXT = Buffer.from('a job for a thread of its own\n'.repeat(500));
/** Takes long enough at level 9 that its thread can be ended meanwhile. */
const LONG = Buffer.alloc(4 << 20, 'no two lines of this are quite the same, or are they');

/** Ends the thread as a crash would. */
const crash = (core: WorkerCore): Promise<number> => (Reflect.get(core, 'worker') as Worker).terminate();

function threadedRig(threads: number) {
  const cores: WorkerCore[] = [];
  const rig = new DeviceRig({
    workers: (memory, log) => {
      for (let id = 1; id <= threads; id++) {
        const data = { memory: memory.wasm, core: 'wasm', module: wasmModule() } as const;
        cores.push(new WorkerCore(id, { ...data, ranges: allocateCoreRanges(memory) }, log));
      }
      return cores;
    },
  });
  const queue = rig.startQueue(0);
  const waiting: (() => void)[] = [];
  rig.onCompletion = () => {
    for (const wake of waiting.splice(0)) wake();
  };
  /** Resolves when the SQE in `slot` is complete. */
  const completed = async (slot: number): Promise<void> => {
    let head = 0; // reaped so far: an interrupt comes at once for what is not
    while (queue.cqe(slot).phase === 0) {
      const interrupted = new Promise<void>((resolve) => waiting.push(resolve));
      while (queue.cqe(head).phase === 1) head++;
      queue.ringCq(head, true);
      if (queue.cqe(slot).phase === 1) return;
      await interrupted;
    }
  };
  const submit = (source: number, bytes = TEXT.length): number =>
    queue.submit({ source, bytes, destination: rig.place(new Uint8Array(0), 0x10000) });
  return { rig, queue, completed, submit, cores };
}

describe('WorkerCore', () => {
  it('runs jobs on its thread, on the shared memory', async () => {
    const { rig, queue, completed, submit } = threadedRig(2);
    const source = rig.place(TEXT);
    const slots = Array.from({ length: 8 }, () => submit(source));
    await completed(slots.at(-1)!);
    for (const slot of slots) {
      const sqe = queue.sqe(slot);
      const output = rig.read(sqe[20]!, sqe[1]!);
      assert.deepEqual(gunzipSync(Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), output])), TEXT);
    }
    assert.equal(
      rig.device.cores().reduce((sum, { jobs }) => sum + jobs, 0),
      8,
    );
    await rig.device.dispose();
  });
  it('fails the jobs of a thread that dies with 0x42, and runs the next ones on a new thread', async () => {
    const { rig, queue, completed, submit, cores } = threadedRig(1);
    const [source, long] = [rig.place(TEXT), rig.place(LONG)];
    const doomed = submit(long, LONG.length);
    await crash(cores[0]!);
    await completed(doomed);
    assert.equal(queue.status(doomed), 0x42);
    const next = submit(source);
    await completed(next);
    assert.equal(queue.status(next), 0x00);
    await rig.device.dispose();
  });
  it('fails jobs at once when its thread does not live long enough for one, three times', async () => {
    const { rig, queue, completed, submit, cores } = threadedRig(1);
    const [source, long] = [rig.place(TEXT), rig.place(LONG)];
    for (let i = 0; i < 3; i++) {
      const slot = submit(long, LONG.length);
      await crash(cores[0]!);
      await completed(slot);
    }
    const doomed = submit(source);
    await completed(doomed);
    assert.equal(queue.status(doomed), 0x42);
    await rig.device.dispose();
  });
  it('delivers what its thread finished before a job that hangs it', { timeout: 10_000 }, async () => {
    const { rig, queue, completed, submit } = threadedRig(1);
    // slow enough that the other jobs are there before it ends, after 20 of them quick enough that its completion is held
    const text = randomBytes(12 * 1024).toString('hex');
    const source = rig.place(Buffer.from(text));
    for (let i = 0; i < 20; i++) await completed(submit(source, text.length));
    const finished = submit(source, text.length);
    rig.device.faults.inject({ kind: 'core-hang' });
    const hung = [submit(source, text.length), submit(source, text.length)];
    await completed(finished);
    assert.equal(queue.status(finished), 0x00);
    for (const slot of hung) assert.equal(queue.cqe(slot).phase, 0);
    await rig.device.dispose();
  });
  it('is not ended while it starts: an addon that it loads would abort the process', async () => {
    const { rig, submit, cores } = threadedRig(1);
    submit(rig.place(TEXT));
    const worker = Reflect.get(cores[0]!, 'worker') as Worker;
    const ring = Reflect.get(cores[0]!, 'ring') as CoreRing;
    const terminate = worker.terminate.bind(worker);
    let hadStarted: boolean | undefined;
    worker.terminate = () => {
      hadStarted = ring.hasStarted;
      return terminate();
    };
    assert.equal(ring.hasStarted, false);
    await rig.device.dispose();
    assert.equal(hadStarted, true);
  });
});
