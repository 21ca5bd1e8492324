import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QueueMode } from '../../../shared/src/telemetry.ts';
import { iova, PAGE_BYTES } from '../../../shared/src/units.ts';
import { withCode } from '../../test/support/errors.ts';
import { kernelRig, type RigOptions, STREAM, uuidOf } from '../../test/support/kernel-rig.ts';
import type { DusSource } from './queue-file.ts';

const REGION_BYTES = 8192 + 151_552;
const RIGHTS = { read: true, write: true };
const COMPRESS = { operation: 'compress', priority: 0 } as const;
const HEAP = 0x5555_0000_0000;

function remoteRig(options: RigOptions = {}) {
  const rig = kernelRig(options);
  let nextPid = 1000;
  const attach = (mode: QueueMode = 'sva', isAdmin = false) => {
    const pid = nextPid++;
    return rig.kernel.attachRemote({
      mode,
      owner: { pid, name: `client-${pid}` },
      isAdmin,
      memory: {
        pid,
        residentPages: (_, pages) => new Uint8Array(pages).fill(1),
        forbids: () => false,
        covers: () => true,
        isGone: () => false,
      },
    });
  };
  /** A region file as the attach server makes one: MMIO pages, then the DUS. */
  const regionFile: DusSource = () => {
    const window = rig.memory.addWindow(new ArrayBuffer(REGION_BYTES));
    return {
      physical: (window + 8192) as typeof window,
      free: () => rig.memory.dropWindow(window),
    };
  };
  return { ...rig, attach, regionFile };
}

describe('Kernel.attachRemote', () => {
  it('refuses modes that do not fit the machine or the caller', () => {
    const { attach } = remoteRig();
    assert.throws(() => attach('noiommu'), withCode('WD_E_EINVAL'));
    assert.throws(() => attach('native'), withCode('WD_E_EINVAL'));
    const off = remoteRig({ isIommuOff: true });
    assert.throws(() => off.attach('noiommu'), withCode('WD_E_EPERM'));
    off.attach('noiommu', true);
  });
  it('holds neither queue nor PASID before a queue is opened, in mode sva', () => {
    const { attach, parent, iommu } = remoteRig({ queues: 2 });
    attach();
    assert.deepEqual([parent.queuesFree, iommu.pasidsInUse], [2, 0]);
  });
});

describe('RemoteProcess.openQueue', () => {
  it('puts the DUS into the memory that the process maps too', () => {
    for (const mode of ['sva', 'vfio'] as const) {
      const { attach, regionFile, memory } = remoteRig();
      const queue = attach(mode).openQueue({ operation: 'decompress', priority: 7 }, regionFile);
      assert.equal(memory.windowCount, 1);
      assert.deepEqual(
        [queue.operation, queue.priority, queue.region.dus.length],
        ['decompress', 7, 151_552],
      );
      assert.equal(queue.region.dus.byteOffset, 8192);
      queue.start();
      queue.close();
      assert.equal(memory.windowCount, 0);
    }
  });
  it('gives translations in the process’s own memory', () => {
    const { attach, iommu } = remoteRig();
    const process = attach('sva');
    const queue = process.openQueue(COMPRESS);
    assert.deepEqual(iommu.translate(STREAM, queue.pasid, iova(HEAP + 5), 10_000, 'write'), [
      { address: HEAP + 5, bytes: 10_000, pid: process.owner.pid },
    ]);
  });
  it('takes an idle mdev in mode vfio and otherwise makes one that goes with its user', () => {
    const { attach, parent } = remoteRig({ queues: 4 });
    parent.create(uuidOf(1), 'hisi_zip-zip');
    const process = attach('vfio');
    const [first, second] = [process.openQueue(COMPRESS), process.openQueue(COMPRESS)];
    assert.equal(first.mdevUuid, uuidOf(1));
    assert.equal(parent.find(second.mdevUuid).type.id, 'hisi_zip-on_open');
    process.close();
    assert.deepEqual(
      parent.list().map(({ uuid, state }) => [uuid, state]),
      [[uuidOf(1), 'created']],
    );
    assert.equal(parent.queuesFree, 3);
  });
  it('refuses a priority above the mdev’s class (EPERM) and gives the queue back', () => {
    const { attach, parent } = remoteRig({ queues: 4 });
    parent.create(uuidOf(1), 'hisi_zip-zip', { priorityClass: 3 });
    const process = attach('vfio');
    assert.throws(() => process.openQueue({ ...COMPRESS, priority: 4 }), withCode('WD_E_EPERM'));
    assert.equal(process.openQueue({ ...COMPRESS, priority: 3 }).mdevUuid, uuidOf(1));
  });
  it('refuses when no queue is free (EBUSY), in every mode', () => {
    for (const mode of ['sva', 'vfio'] as const) {
      const { attach } = remoteRig({ queues: 1 });
      attach(mode).openQueue(COMPRESS);
      assert.throws(() => attach(mode).openQueue(COMPRESS), withCode('WD_E_NO_QUEUE', /EBUSY/), mode);
    }
  });
  it('refuses after the process has died (ESRCH)', () => {
    const { attach } = remoteRig();
    const process = attach();
    process.close();
    assert.throws(() => process.openQueue(COMPRESS), withCode('WD_E_ESRCH'));
  });
});

describe('RemoteProcess.mapDma', () => {
  it('gives two processes the same IOVA on memory of their own, a thousand times', () => {
    const { attach, iommu } = remoteRig();
    const processes = [attach('vfio'), attach('vfio')];
    const queues = processes.map((process) => process.openQueue(COMPRESS));
    for (let round = 0; round < 1000; round++) {
      for (const [i, process] of processes.entries())
        process.mapDma(HEAP + (round * 2 + i) * PAGE_BYTES, iova(0x2000), PAGE_BYTES, RIGHTS);
      const reached = queues.map(({ pasid }) => iommu.translate(STREAM, pasid, iova(0x2000), 8, 'read')?.[0]);
      assert.deepEqual(
        reached,
        processes.map(({ owner }, i) => ({
          address: HEAP + (round * 2 + i) * PAGE_BYTES,
          bytes: 8,
          pid: owner.pid,
        })),
      );
      for (const process of processes) assert.equal(process.unmapDma(iova(0x2000), PAGE_BYTES), PAGE_BYTES);
    }
    assert.equal(iommu.translate(STREAM, queues[0]!.pasid, iova(0x2000), 8, 'read'), undefined);
  });
  it('keeps mappings while queues come and go, and drops them with the process', () => {
    const { attach, iommu } = remoteRig();
    const process = attach('vfio');
    process.mapDma(HEAP, iova(0x2000), PAGE_BYTES, RIGHTS);
    process.openQueue(COMPRESS).close();
    const queue = process.openQueue(COMPRESS);
    assert.ok(iommu.translate(STREAM, queue.pasid, iova(0x2000), 8, 'read'));
    process.close();
    assert.equal(iommu.translate(STREAM, queue.pasid, iova(0x2000), 8, 'read'), undefined);
    assert.equal(iommu.pasidsInUse, 0);
  });
  it('is refused in mode sva, which maps nothing (EINVAL)', () => {
    const process = remoteRig().attach('sva');
    assert.throws(() => process.mapDma(HEAP, iova(0), PAGE_BYTES, RIGHTS), withCode('WD_E_EINVAL', /vfio/));
  });
});

describe('RemoteProcess.mapShared', () => {
  it('gives queues access to memory that the service shares', () => {
    const { attach, iommu, memory } = remoteRig();
    const process = attach('vfio');
    const queue = process.openQueue(COMPRESS);
    const window = memory.addWindow(new ArrayBuffer(PAGE_BYTES));
    const address = process.mapShared(window, 100);
    assert.deepEqual(iommu.translate(STREAM, queue.pasid, address, PAGE_BYTES, 'write'), [
      { address: window, bytes: PAGE_BYTES },
    ]);
    process.unmapDma(address, PAGE_BYTES);
    assert.equal(iommu.translate(STREAM, queue.pasid, address, 1, 'write'), undefined);
  });
});

describe('RemoteProcess.close', () => {
  it('leaves nothing behind after a thousand lives, in any order, with neighbours untouched', () => {
    const { attach, regionFile, parent, iommu, memory, kernel } = remoteRig({ queues: 8 });
    const neighbour = attach('sva').openQueue(COMPRESS, regionFile);
    neighbour.start();
    const [bytes, windows] = [memory.allocatedBytes, memory.windowCount];
    for (let life = 0; life < 1000; life++) {
      const process = attach(life % 2 === 0 ? 'sva' : 'vfio');
      const queues = Array.from({ length: life % 4 }, () => process.openQueue(COMPRESS, regionFile));
      if (life % 3 === 0) for (const queue of queues) queue.start();
      if (process.mode === 'vfio') process.mapDma(HEAP, iova(0x2000), 5 * PAGE_BYTES, RIGHTS);
      if (life % 5 === 0) queues[0]?.close();
      process.close();
      process.close();
    }
    assert.deepEqual([memory.allocatedBytes, memory.windowCount], [bytes, windows]);
    assert.deepEqual([iommu.pasidsInUse, parent.queuesFree, parent.list().length], [1, 7, 0]);
    assert.deepEqual(
      kernel.openQueues().map(({ queue }) => [queue.id, queue.state]),
      [[neighbour.id, 'started']],
    );
  });
});

describe('Kernel.iommuSnapshot', () => {
  it('shows groups, devices, bound address spaces with their owners, and PASIDs to administrators alone', () => {
    const { attach, kernel, parent } = remoteRig();
    parent.create(uuidOf(1), 'hisi_zip-zip');
    const process = attach('vfio');
    process.openQueue(COMPRESS);
    process.mapDma(HEAP, iova(0x2000), 3 * PAGE_BYTES, RIGHTS);
    const shown = kernel.iommuSnapshot(true);
    assert.deepEqual(shown.groups, [
      { id: 0, devices: [parent.bdf] },
      { id: 1, devices: [uuidOf(1)] },
    ]);
    const [device] = shown.devices;
    assert.deepEqual([device?.name, device?.faultModel, device?.domain.kind], [parent.bdf, 'stall', 'dma']);
    const [bound] = device?.bound ?? [];
    assert.deepEqual(bound?.owner, process.owner);
    assert.deepEqual(bound?.domain, { kind: 'dma', mappedBytes: 3 * PAGE_BYTES });
    assert.ok(bound?.pasid !== undefined);
    assert.doesNotMatch(JSON.stringify(kernel.iommuSnapshot(false)), /"pasid":/); // how many are in use is no secret
  });
});
