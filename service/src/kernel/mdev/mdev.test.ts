import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withCode } from '../../../test/support/errors.ts';
import { kernelRig, uuidOf } from '../../../test/support/kernel-rig.ts';

const COMPRESS = { operation: 'compress', priority: 0 } as const;
const OWNER = { pid: 1, name: 'user' };

describe('an mdev’s time line', () => {
  it('keeps each change of state with its time, and tells who listens', () => {
    const { clock, kernel } = kernelRig();
    const seen: string[] = [];
    const unsubscribe = kernel.onMdevChange(({ state }) => seen.push(state));
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip' }, true);
    clock.advance(10);
    const queue = kernel.attach({ mode: 'sva', owner: OWNER }).openQueue(COMPRESS);
    clock.advance(10);
    queue.start();
    queue.close();
    kernel.removeMdev(uuidOf(1), true);
    assert.deepEqual(seen, ['created', 'opened', 'bound', 'active', 'draining', 'created', 'removed']);
    unsubscribe();
    const [mdev] = [kernel.createMdev({ type: 'hisi_zip-zip' }, true)];
    assert.equal(seen.length, 7);
    assert.deepEqual(mdev.timeLine, [{ state: 'created', atMs: 1_700_000_000_020 }]);
  });
  it('is bounded', () => {
    const { kernel } = kernelRig();
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip' }, true);
    const process = kernel.attach({ mode: 'sva', owner: OWNER });
    for (let i = 0; i < 100; i++) process.openQueue(COMPRESS).close();
    assert.equal(kernel.mdevs()[0]?.timeLine?.length, 32);
  });
});

describe('policy on-open', () => {
  it('takes the queue when the mdev is opened and gives it back at close', () => {
    const { kernel, parent } = kernelRig({ queues: 2 });
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-on_open' }, true);
    assert.deepEqual([parent.queuesFree, kernel.mdevs()[0]?.qpId], [2, -1]);
    const queue = kernel.attach({ mode: 'sva', owner: OWNER }).openQueue(COMPRESS);
    assert.deepEqual([parent.queuesFree, kernel.mdevs()[0]?.qpId], [1, 0]);
    queue.close();
    assert.deepEqual([parent.queuesFree, kernel.mdevs()[0]?.qpId], [2, -1]);
  });
  it('refuses at open when no queue is left (EBUSY), and leaves the mdev idle', () => {
    const { kernel, parent, taskOf } = kernelRig({ queues: 1 });
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-on_open' }, true);
    const other = kernel.uacce.open(taskOf());
    const process = kernel.attach({ mode: 'sva', owner: OWNER });
    assert.throws(() => process.openQueue(COMPRESS), withCode('WD_E_NO_QUEUE', /EBUSY/));
    assert.equal(parent.find(uuidOf(1)).state, 'created');
    other.close();
    process.openQueue(COMPRESS);
  });
});

describe('resources assigned at create', () => {
  it('are the queue and the DMA pool, given back at remove', () => {
    const { kernel, memory, parent } = kernelRig({ queues: 2 });
    const before = memory.allocatedBytes;
    const request = { uuid: uuidOf(1), type: 'hisi_zip-zip', dmaPoolBytes: 1 << 20, priorityClass: 7 };
    const mdev = kernel.createMdev(request, true);
    assert.deepEqual([mdev.dmaPoolBytes, mdev.priorityClass, mdev.policy], [1 << 20, 7, 'on-create']);
    assert.deepEqual([memory.allocatedBytes - before, parent.queuesFree], [1 << 20, 1]);
    kernel.removeMdev(uuidOf(1), true);
    assert.deepEqual([memory.allocatedBytes, parent.queuesFree], [before, 2]);
  });
  it('are all given back when one cannot be had', () => {
    const { kernel, parent } = kernelRig({ queues: 2 });
    const create = () =>
      kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip', dmaPoolBytes: 2 ** 30 }, true);
    assert.throws(create, withCode('WD_E_NO_MEMORY'));
    assert.deepEqual([parent.queuesFree, kernel.mdevs()], [2, []]);
  });
  it('are refused out of range (EINVAL)', () => {
    const { kernel } = kernelRig();
    for (const bad of [
      { priorityClass: 16 },
      { priorityClass: -1 },
      { dmaPoolBytes: -1 },
      { dmaPoolBytes: 0.5 },
    ])
      assert.throws(
        () => kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip', ...bad }, true),
        withCode('WD_E_EINVAL'),
      );
  });
  it('bind the user to the priority class (EPERM)', () => {
    const { kernel } = kernelRig();
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip', priorityClass: 3 }, true);
    const process = kernel.attach({ mode: 'sva', owner: OWNER });
    assert.throws(() => process.openQueue({ ...COMPRESS, priority: 4 }), withCode('WD_E_EPERM'));
    assert.equal(process.openQueue({ ...COMPRESS, priority: 3 }).priority, 3);
  });
});

describe('create and remove', () => {
  it('are root’s (EACCES)', () => {
    const { kernel } = kernelRig();
    const request = { uuid: uuidOf(1), type: 'hisi_zip-zip' };
    assert.throws(() => kernel.createMdev(request, false), withCode('WD_E_EACCES'));
    kernel.createMdev(request, true);
    assert.throws(() => kernel.removeMdev(uuidOf(1), false), withCode('WD_E_EACCES'));
  });
  it('end with the parent’s registration: ENODEV afterwards, EBUSY while a user is left', () => {
    const { kernel, parent } = kernelRig();
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip' }, true);
    const queue = kernel.attach({ mode: 'sva', owner: OWNER }).openQueue(COMPRESS);
    assert.throws(() => parent.unregister(), withCode('WD_E_EBUSY'));
    queue.close();
    parent.unregister();
    assert.deepEqual(kernel.mdevs(), []);
    assert.throws(() => kernel.createMdev({ type: 'hisi_zip-zip' }, true), withCode('WD_E_ENODEV'));
  });
});

describe('an mdev whose jobs still run in an engine core', () => {
  it('drains before it is idle, cannot be removed meanwhile, and may be opened if nothing else is idle', async () => {
    let end: () => void = () => {};
    let drained: Promise<void> | undefined = new Promise((resolve) => {
      end = resolve;
    });
    const { kernel, memory } = kernelRig({ drain: () => drained });
    kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip' }, true);
    const process = kernel.attach({ mode: 'sva', owner: OWNER });
    const buffer = process.allocate(4096);
    const before = memory.allocatedBytes;
    process.openQueue(COMPRESS).close();
    buffer.free();
    assert.equal(kernel.mdevs()[0]?.state, 'draining');
    assert.equal(memory.allocatedBytes, before); // a core may still write into the buffer
    assert.throws(() => kernel.removeMdev(uuidOf(1), true), withCode('WD_E_EBUSY'));
    const second = process.openQueue(COMPRESS);
    end();
    await drained;
    drained = undefined;
    await Promise.resolve();
    assert.deepEqual([kernel.mdevs()[0]?.state, memory.allocatedBytes], ['bound', before - 4096 + 151_552]);
    second.close();
    kernel.removeMdev(uuidOf(1), true);
  });
});
