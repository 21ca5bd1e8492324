import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { iova, PAGE_BYTES } from '../../../../shared/src/units.ts';
import { withCode } from '../../../test/support/errors.ts';
import { kernelRig, STREAM } from '../../../test/support/kernel-rig.ts';
import { UACCE } from './numbers.ts';
import { POLL_IN, type UacceFile } from './uacce-file.ts';

const MMIO = 0;
const DUS = PAGE_BYTES;
const DUS_BYTES = 151_552; // sources.md 4.4

describe('UACCE ioctl numbers (sources.md 4.3)', () => {
  it('are those of the kernel headers', () => {
    assert.deepEqual(
      [UACCE.START_Q, UACCE.PUT_Q, UACCE.QM_SET_QP_CTX, UACCE.QM_SET_QP_INFO],
      [0x5700, 0x5701, 0xc004480a, 0xc010480b],
    );
  });
});

describe('UacceNode.open', () => {
  it('takes a queue at open and gives it back at close', () => {
    const { kernel, parent, iommu, taskOf } = kernelRig({ queues: 2 });
    const file = kernel.uacce.open(taskOf());
    assert.equal(parent.queuesFree, 1);
    assert.equal(iommu.pasidsInUse, 1);
    file.close();
    file.close();
    assert.deepEqual([parent.queuesFree, iommu.pasidsInUse], [2, 0]);
  });
  it('refuses when all queues are in use (EBUSY), whoever holds them', () => {
    const { kernel, parent, taskOf } = kernelRig({ queues: 2 });
    parent.create('83b8f4f2-509f-382f-3c1e-000000000001', 'hisi_zip-zip');
    kernel.uacce.open(taskOf());
    assert.throws(() => kernel.uacce.open(taskOf()), withCode('WD_E_NO_QUEUE', /EBUSY/));
  });
  it('leaves the reserved queues to mode native and lets users take the rest', () => {
    const { kernel, parent, taskOf } = kernelRig({ queues: 3, reservedQueues: 2 });
    const user = kernel.uacce.open(taskOf());
    assert.equal(user.queue.qpId, 2);
    assert.throws(() => kernel.uacce.open(taskOf()), withCode('WD_E_NO_QUEUE', /2 more are reserved/));
    const own = kernel.attach({ mode: 'native', owner: { pid: 1, name: 'service' } });
    own.openQueue({ operation: 'compress', priority: 0 });
    assert.deepEqual([parent.queuesReserved, parent.queuesNative], [2, 1]);
    assert.deepEqual(
      kernel.openQueues().map(({ process, queue }) => [process.mode, queue.qpId]),
      [
        ['sva', 2],
        ['native', 0],
      ],
    );
  });
  it('binds one address space once, however many queues its process opens', () => {
    const { kernel, iommu, taskOf } = kernelRig();
    const task = taskOf();
    const files = [kernel.uacce.open(task), kernel.uacce.open(task)];
    assert.equal(files[0]?.queue.pasid, files[1]?.queue.pasid);
    files[0]?.close();
    assert.equal(iommu.pasidsInUse, 1);
    files[1]?.close();
    assert.equal(iommu.pasidsInUse, 0);
  });
  it('refuses without IOMMU unless the process may address physical memory (EPERM)', () => {
    const { kernel, taskOf } = kernelRig({ isIommuOff: true });
    assert.throws(() => kernel.uacce.open(taskOf()), withCode('WD_E_EPERM'));
    assert.equal(kernel.uacce.open(taskOf({ isAdmin: true })).queue.pasid, 0);
  });
  it('refuses a process that has exited (ESRCH) and a device that is gone (ENODEV)', () => {
    const { kernel, taskOf } = kernelRig();
    const task = taskOf();
    task.exit();
    assert.throws(() => kernel.uacce.open(task), withCode('WD_E_ESRCH'));
    const survivor = taskOf();
    const file = kernel.uacce.open(survivor);
    kernel.uacce.remove();
    assert.throws(() => file.ioctl(UACCE.START_Q), withCode('WD_E_ENXIO'));
    assert.throws(() => kernel.uacce.open(survivor), withCode('WD_E_ENODEV'));
  });
});

describe('UacceFile.ioctl (sources.md 4.5)', () => {
  const opened = (): UacceFile => {
    const { kernel, taskOf } = kernelRig();
    return kernel.uacce.open(taskOf());
  };
  it('goes from init to started to zombie', () => {
    const file = opened();
    file.ioctl(UACCE.START_Q);
    assert.throws(() => file.ioctl(UACCE.START_Q), withCode('WD_E_EINVAL'));
    file.ioctl(UACCE.PUT_Q);
    for (const number of [UACCE.START_Q, UACCE.PUT_Q, UACCE.QM_SET_QP_INFO])
      assert.throws(() => file.ioctl(number, {}), withCode('WD_E_ENXIO'));
  });
  it('goes from init to zombie by PUT_Q, without a stop', () => {
    const { kernel, bus, taskOf } = kernelRig();
    kernel.uacce.open(taskOf()).ioctl(UACCE.PUT_Q);
    assert.deepEqual(bus.commands, []);
  });
  it('sets the direction and answers the queue number', () => {
    const file = opened();
    assert.deepEqual(file.ioctl(UACCE.QM_SET_QP_CTX, { id: 0, qc_type: 1 }), {
      id: file.queue.qpId,
      qc_type: 1,
    });
    assert.equal(file.queue.operation, 'decompress');
    assert.throws(() => file.ioctl(UACCE.QM_SET_QP_CTX, { qc_type: 2 }), withCode('WD_E_EINVAL'));
    assert.throws(() => file.ioctl(UACCE.QM_SET_QP_CTX), withCode('WD_E_EFAULT'));
  });
  it('answers sizes and depths', () => {
    const expected = { sqe_size: 128, sq_depth: 1024, cq_depth: 1024, reserved: 0 };
    assert.deepEqual(opened().ioctl(UACCE.QM_SET_QP_INFO, {}), expected);
  });
  it('sets the priority before the start and not after', () => {
    const file = opened();
    file.ioctl(UACCE.QM_SET_QP_PRIORITY, { priority: 15 });
    assert.throws(() => file.ioctl(UACCE.QM_SET_QP_PRIORITY, { priority: 16 }), withCode('WD_E_EINVAL'));
    file.ioctl(UACCE.START_Q);
    assert.throws(() => file.ioctl(UACCE.QM_SET_QP_PRIORITY, { priority: 1 }), withCode('WD_E_EINVAL'));
    assert.equal(file.queue.priority, 15);
  });
  it('refuses unknown commands (EINVAL)', () => {
    const file = opened();
    for (const number of [0, 0x5702, 0x80085703, 0x3b64, -1, Number.NaN])
      assert.throws(() => file.ioctl(number, {}), withCode('WD_E_EINVAL'));
  });
});

describe('UacceFile.mmap', () => {
  it('maps each region once, at its offset and with its exact size', () => {
    const { kernel, taskOf } = kernelRig();
    const file = kernel.uacce.open(taskOf());
    const dus = file.mmap(DUS, DUS_BYTES);
    assert.ok(dus instanceof Uint8Array && dus.length === DUS_BYTES);
    file.mmap(MMIO, 2 * PAGE_BYTES);
    assert.throws(() => file.mmap(DUS, DUS_BYTES), withCode('WD_E_EEXIST'));
    assert.throws(() => file.mmap(MMIO, 2 * PAGE_BYTES), withCode('WD_E_EEXIST'));
  });
  it('refuses other offsets and sizes, off by one page and by one byte', () => {
    const { kernel, taskOf } = kernelRig();
    const file = kernel.uacce.open(taskOf());
    for (const [offset, bytes] of [
      [2 * PAGE_BYTES, DUS_BYTES],
      [1, DUS_BYTES],
      [-PAGE_BYTES, DUS_BYTES],
      [DUS, DUS_BYTES - 1],
      [DUS, DUS_BYTES + PAGE_BYTES],
      [MMIO, PAGE_BYTES],
    ] as const)
      assert.throws(() => file.mmap(offset, bytes), withCode('WD_E_EINVAL'));
    file.close();
    assert.throws(() => file.mmap(DUS, DUS_BYTES), withCode('WD_E_ENXIO'));
  });
});

describe('UacceFile.poll', () => {
  it('tells of a completion once, and of nothing before the start or after the end', () => {
    const { kernel, taskOf } = kernelRig();
    const file = kernel.uacce.open(taskOf());
    const dus = file.mmap(DUS, DUS_BYTES);
    assert.ok(dus instanceof Uint8Array);
    const cq = new Uint32Array(dus.buffer, dus.byteOffset + 131_072, 4096);
    cq[3] = 1 << 16; // CQE 0, phase 1
    assert.equal(file.poll(), 0);
    file.ioctl(UACCE.START_Q);
    assert.equal(file.poll(), POLL_IN);
    assert.equal(file.poll(), 0);
    cq[7] = 1 << 16;
    assert.equal(file.poll(), POLL_IN);
    file.close();
    assert.equal(file.poll(), 0);
  });
});

describe('Task.exit', () => {
  it('closes every descriptor: queues, PASID and memory are back', () => {
    const { kernel, parent, iommu, memory, taskOf } = kernelRig({ queues: 4 });
    const before = memory.allocatedBytes;
    const task = taskOf();
    kernel.uacce.open(task).ioctl(UACCE.START_Q);
    kernel.uacce.open(task);
    task.exit();
    assert.deepEqual([parent.queuesFree, iommu.pasidsInUse, task.openFiles], [4, 0, 0]);
    assert.equal(memory.allocatedBytes, before);
  });
  it('keeps the queue out of the pool until no engine core works for it', async () => {
    let end: () => void = () => {};
    const drained = new Promise<void>((resolve) => {
      end = resolve;
    });
    const { kernel, parent, taskOf } = kernelRig({ queues: 1, drain: () => drained });
    const task = taskOf();
    kernel.uacce.open(task).ioctl(UACCE.START_Q);
    task.exit();
    assert.equal(parent.queuesFree, 0);
    end();
    await drained;
    await Promise.resolve();
    assert.equal(parent.queuesFree, 1);
  });
});

describe('a queue reset', () => {
  it('writes tx stop and rx stop and tells the user, and touches no other queue', () => {
    const { kernel, taskOf } = kernelRig();
    const [first, second] = [kernel.uacce.open(taskOf()), kernel.uacce.open(taskOf())];
    let calls = 0;
    first.queue.onCompletion(() => {
      calls++;
      throw new Error('the driver saw the stop words');
    });
    for (const file of [first, second]) file.ioctl(UACCE.START_Q);
    kernel.resetQueue(first.queue.id);
    const stops = ({ queue }: UacceFile) => [...queue.region.dus.subarray(DUS_BYTES - 8)];
    assert.deepEqual(stops(first), [1, 0, 0, 0, 1, 0, 0, 0]);
    assert.deepEqual(stops(second), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual([first.queue.state, second.queue.state, calls], ['stopped', 'started', 1]);
    assert.throws(() => kernel.resetQueue('hisi_zip-0/77'), withCode('WD_E_ENODEV'));
  });
});

describe('a process whose memory is its own', () => {
  it('is reached by the device at its own address and by nobody else’s PASID', () => {
    const { kernel, iommu, memory, taskOf } = kernelRig();
    const tasks = [taskOf({ pid: 1 }), taskOf({ pid: 2 })];
    const files = tasks.map((task) => kernel.uacce.open(task));
    const frames = tasks.map((task) => {
      const frame = memory.allocate(PAGE_BYTES);
      const { mm } = task.options;
      assert.ok('map' in mm && typeof mm.map === 'function');
      mm.map(iova(0x7000), frame, PAGE_BYTES, { read: true, write: true }, false);
      return frame;
    });
    const reached = files.map(({ queue }) => iommu.translate(STREAM, queue.pasid, iova(0x7000), 8, 'write'));
    assert.deepEqual(
      reached,
      frames.map((address) => [{ address, bytes: 8 }]),
    );
  });
});
