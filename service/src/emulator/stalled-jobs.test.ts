import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceRig } from '../../test/support/device-rig.ts';
import type { Stall } from '../kernel/iommu/translator.ts';

const BUS_ERROR = 0x41;
const OK = 0;

/** A device with held cores, whose translator stalls the source pages that a test names. */
function stallingRig() {
  const rig = new DeviceRig({ heldCores: 1, capacity: 1 });
  const pending = new Map<number, { settle: (outcome: 'retry' | 'abort') => void; terminated: number }>();
  const { translator } = rig;
  translator.translateOrStall = (stream, pasid, address, bytes, access) => {
    const entry = pending.get(address);
    if (!entry) return translator.translate(stream, pasid, address, bytes, access);
    const stall: Stall = {
      stag: 1,
      outcome: new Promise((resolve) => {
        entry.settle = resolve;
      }),
      terminate: () => {
        entry.terminated++;
        entry.settle('abort');
      },
    };
    return stall;
  };
  const stallAt = (address: number) => {
    const entry = { settle: (_: 'retry' | 'abort'): void => {}, terminated: 0 };
    pending.set(address, entry);
    return {
      async end(outcome: 'retry' | 'abort') {
        pending.delete(address);
        entry.settle(outcome);
        await Promise.resolve();
        await Promise.resolve();
      },
      get terminated() {
        return entry.terminated;
      },
    };
  };
  const job = () => ({
    source: rig.place(Buffer.from('data')),
    bytes: 4,
    destination: rig.place(Buffer.alloc(4096)),
  });
  const core = rig.cores[0]!;
  return { rig, core, job, stallAt };
}

describe('a stalled job', () => {
  it('waits and completes after its retry; later jobs of its queue wait with it, in order', async () => {
    const { rig, core, job, stallAt } = stallingRig();
    const queue = rig.startQueue(1);
    const first = job();
    const stall = stallAt(first.source);
    queue.submit(first);
    queue.submit(job());
    assert.equal(core.held.length, 0);
    await stall.end('retry');
    core.finish();
    assert.deepEqual(queue.cqe(0), { sqHead: 0, sqNum: 1, phase: 1 });
    core.finish();
    assert.deepEqual(queue.cqe(1), { sqHead: 1, sqNum: 1, phase: 1 });
    assert.deepEqual([queue.status(0), queue.status(1)], [OK, OK]);
  });
  it('does not hold up another queue', () => {
    const { rig, core, job, stallAt } = stallingRig();
    const [stuck, free] = [rig.startQueue(1), rig.startQueue(2)];
    const first = job();
    stallAt(first.source);
    stuck.submit(first);
    for (let i = 0; i < 3; i++) free.submit(job());
    for (let i = 0; i < 3; i++) core.finish();
    assert.equal(free.cqe(2).phase, 1);
    assert.equal(stuck.cqe(0).phase, 0);
  });
  it('ends with the bus error status when it is aborted, and its queue goes on', async () => {
    const { rig, core, job, stallAt } = stallingRig();
    const queue = rig.startQueue(1);
    const first = job();
    const stall = stallAt(first.source);
    queue.submit(first);
    queue.submit(job());
    await stall.end('abort');
    core.finish();
    assert.deepEqual([queue.status(0), queue.status(1)], [BUS_ERROR, OK]);
    assert.deepEqual([queue.cqe(0).sqHead, queue.cqe(1).sqHead], [0, 1]);
  });
  it('waits for room when the cores are full at its retry', async () => {
    const { rig, core, job, stallAt } = stallingRig();
    const [stuck, free] = [rig.startQueue(1), rig.startQueue(2)];
    const first = job();
    const stall = stallAt(first.source);
    stuck.submit(first);
    free.submit(job());
    await stall.end('retry');
    assert.equal(core.held.length, 1);
    core.finish(); // the free queue's
    core.finish(); // the retried one
    assert.deepEqual([free.cqe(0).phase, stuck.cqe(0).phase], [1, 1]);
  });
  it('is terminated when its queue stops, and completes nothing afterwards', async () => {
    const { rig, core, job, stallAt } = stallingRig();
    const queue = rig.startQueue(1);
    const first = job();
    const stall = stallAt(first.source);
    queue.submit(first);
    assert.equal(rig.mailbox(8, 1, 0), 0); // STOP_QP
    assert.equal(stall.terminated, 1);
    await stall.end('retry');
    assert.equal(core.held.length, 0);
    assert.equal(queue.cqe(0).phase, 0);
  });
});

describe('ZipDevice.drain', () => {
  it('waits for the cores that work for stopped queues, and for no others', async () => {
    const { rig, core, job } = stallingRig();
    const queue = rig.startQueue(1);
    queue.submit(job());
    assert.equal(rig.device.drain(), undefined);
    rig.mailbox(8, 1, 0);
    const drained = rig.device.drain();
    assert.ok(drained);
    core.finish();
    await drained;
    assert.equal(rig.device.drain(), undefined);
  });
});
