import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DeviceRig } from '../../../test/support/device-rig.ts';
import { wasmModule } from '../deflate/wasm-core.ts';
import { allocateCoreRanges } from './core-ranges.ts';
import { WorkerCore } from './worker-core.ts';

const TEXT = Buffer.from('a job for a thread of its own\n'.repeat(500));
/** Beyond the RAM of the rig: the data path refuses to touch it, which takes the thread down. */
const NOWHERE = 0x9000_0000;

function threadedRig(threads: number) {
  const rig = new DeviceRig({
    workers: (memory, log) =>
      Array.from(
        { length: threads },
        (_, i) =>
          new WorkerCore(
            i + 1,
            { memory: memory.wasm, core: 'wasm', ranges: allocateCoreRanges(memory), module: wasmModule() },
            log,
          ),
      ),
  });
  const queue = rig.startQueue(0);
  const waiting: (() => void)[] = [];
  rig.device.onCompletionInterrupt(() => {
    for (const wake of waiting.splice(0)) wake();
  });
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
  const submit = (source: number): number =>
    queue.submit({ source, bytes: TEXT.length, destination: rig.place(new Uint8Array(0), 0x10000) });
  return { rig, queue, completed, submit };
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
    const { rig, queue, completed, submit } = threadedRig(1);
    const source = rig.place(TEXT);
    const doomed = submit(NOWHERE);
    await completed(doomed);
    assert.equal(queue.status(doomed), 0x42);
    const next = submit(source);
    await completed(next);
    assert.equal(queue.status(next), 0x00);
    assert.ok(rig.warnings.some(({ message }) => message === 'engine core died'));
    await rig.device.dispose();
  });
});
