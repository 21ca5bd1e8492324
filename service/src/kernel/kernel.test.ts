import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QueueMode } from '../../../shared/src/telemetry.ts';
import { iova, PAGE_BYTES, pasid, streamId } from '../../../shared/src/units.ts';
import { withCode } from '../../test/support/errors.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { readyRegister } from '../../test/support/ready-registers.ts';
import type { DeviceBus, IrqVector } from '../platform/device-bus.ts';
import { PhysicalMemory } from '../platform/physical-memory.ts';
import { Iommu } from './iommu/iommu.ts';
import { Kernel } from './kernel.ts';
import { ParentDevice } from './mdev/parent-device.ts';
import { AttachedProcess } from './process.ts';

const STREAM = streamId(0x7500);
const DUS_BYTES = 151552; // sources.md 4.4

type Mail = [number, number, number, number];

/** A device that answers every mailbox command and keeps what it was sent, contexts included. */
class RecordingBus implements DeviceBus {
  readonly mails: Mail[] = [];
  readonly contexts: Uint32Array[] = [];
  mailboxStatus = 0;
  /** The EQ as the bring-up's EQC named it: 2048 words. */
  eq: Uint32Array = new Uint32Array(2048);
  private eqTail = 0;
  private onEvent: () => void = () => {};
  readContext: (address: number) => Uint32Array = () => new Uint32Array(8);

  read32(offset: number): number {
    return offset === 0x300 ? this.mailboxStatus << 9 : readyRegister(offset); // sources.md 5.6: status [12:9]
  }
  write32(): void {}
  write64(): void {}
  write128(_offset: number, words: readonly [number, number, number, number]): void {
    this.mails.push([...words]);
    this.contexts.push(this.readContext(words[1] + words[2] * 2 ** 32));
  }
  doorbellPage() {
    return { read32: () => 0xffff_ffff, write64: () => {} };
  }
  onInterrupt(vector: IrqVector, listener: () => void): void {
    if (vector === 'eq') this.onEvent = listener;
  }
  firmwareReset(): boolean {
    return true;
  }
  /** Posts "the CQ of `qpId` has entries", phase 1, and interrupts (sources.md 5.2). */
  interrupt(qpId: number): void {
    this.eq[this.eqTail++] = 0x1_0000 | qpId;
    this.onEvent();
  }
}

function machine({ mdevs = 4, isIommuOff = false } = {}) {
  const memory = new PhysicalMemory(64 * 1024 * 1024);
  const iommu = new Iommu(new FakeClock(), 'stall');
  const parent = new ParentDevice(
    'hisi_zip-0',
    '0000:75:00.0',
    STREAM,
    [{ id: 'hisi_zip-zip', name: 'ZIP queue' }],
    64,
    new FakeClock(),
  );
  for (let i = 0; i < mdevs; i++)
    parent.create(`00000000-0000-4000-8000-${String(i).padStart(12, '0')}`, 'hisi_zip-zip');
  const bus = new RecordingBus();
  bus.readContext = (address) => {
    const [extent] = iommu.translate(STREAM, pasid(0), iova(address), 32, 'read') ?? [];
    return extent ? memory.words(extent.address, 8).slice() : new Uint32Array(8);
  };
  const kernel = new Kernel({ parent, iommu, memory, bus, isIommuOff, cores: () => [] });
  const eqc = bus.contexts[bus.mails.findIndex(([w0]) => (w0 & 0xff) === 2)] ?? new Uint32Array(8);
  const [eqMemory] = iommu.translate(STREAM, pasid(0), iova(eqc[1] ?? 0), 2048 * 4, 'write') ?? [];
  if (eqMemory) bus.eq = memory.words(eqMemory.address, 2048);
  bus.mails.length = 0; // what the bring-up sent
  bus.contexts.length = 0;
  const attach = (mode: QueueMode = 'sva', pid = 100): AttachedProcess => {
    const process = kernel.attach({ mode, owner: { pid, name: `client-${pid}` } });
    assert.ok(process instanceof AttachedProcess);
    return process;
  };
  return { memory, iommu, parent, bus, kernel, attach };
}

const COMPRESS = { operation: 'compress', priority: 0 } as const;

describe('Kernel.attach', () => {
  it('offers noiommu only without an IOMMU, and the other modes only with one', () => {
    const owner = { pid: 1, name: 'x' };
    for (const mode of ['sva', 'vfio', 'native'] as const) {
      machine().kernel.attach({ mode, owner });
      assert.throws(
        () => machine({ isIommuOff: true }).kernel.attach({ mode, owner }),
        withCode('WD_E_EINVAL'),
      );
    }
    machine({ isIommuOff: true }).kernel.attach({ mode: 'noiommu', owner });
    assert.throws(() => machine().kernel.attach({ mode: 'noiommu', owner }), withCode('WD_E_EINVAL'));
  });
  it('gives every process of mode sva or vfio a PASID of its own and the others none', () => {
    const { iommu, attach } = machine();
    const ids = [attach('sva').pasid, attach('sva').pasid, attach('vfio').pasid];
    assert.equal(new Set(ids).size, 3);
    assert.ok(!ids.includes(pasid(0)));
    assert.equal(attach('native').pasid, 0);
    assert.equal(iommu.pasidsInUse, 3);
  });
});

describe('AttachedProcess.allocate', () => {
  it('gives memory that the device reaches at its address, in every mode', () => {
    for (const mode of ['sva', 'vfio', 'native', 'noiommu'] as const) {
      const { iommu, memory, attach } = machine({ isIommuOff: mode === 'noiommu' });
      const process = attach(mode);
      const buffer = process.allocate(10_000);
      buffer.bytes[9_999] = 0x5a;
      const extents = iommu.translate(STREAM, process.pasid, buffer.address, 10_000, 'write') ?? [];
      assert.equal(extents.length, 1, mode);
      assert.equal(memory.view(extents[0]!.address, 10_000)[9_999], 0x5a, mode);
      assert.equal(iommu.resolvedPageRequests, mode === 'sva' ? 3 : 0, mode);
    }
  });
  it('lets two processes hold the same address on different memory', () => {
    const { iommu, attach } = machine();
    const [a, b] = [attach('vfio', 1), attach('vfio', 2)];
    const [mine, theirs] = [a.allocate(PAGE_BYTES), b.allocate(PAGE_BYTES)];
    assert.equal(mine.address, theirs.address);
    const reach = (id: typeof a.pasid) => iommu.translate(STREAM, id, mine.address, 8, 'read')?.[0]?.address;
    assert.notEqual(reach(a.pasid), reach(b.pasid));
    mine.free();
    assert.equal(reach(a.pasid), undefined);
    assert.ok(reach(b.pasid));
  });
  it('frees once, however often it is asked', () => {
    const { memory, attach } = machine();
    const process = attach('vfio');
    const before = memory.allocatedBytes;
    const buffer = process.allocate(3 * PAGE_BYTES);
    const other = process.allocate(PAGE_BYTES);
    buffer.free();
    buffer.free();
    assert.equal(memory.allocatedBytes, before + PAGE_BYTES);
    other.free();
    assert.equal(memory.allocatedBytes, before);
  });
  it('takes nothing when the RAM is full', () => {
    const { memory, attach } = machine();
    const process = attach();
    const before = memory.allocatedBytes;
    assert.throws(() => process.allocate(65 * 1024 * 1024), withCode('WD_E_NO_MEMORY'));
    assert.equal(memory.allocatedBytes, before);
  });
});

describe('AttachedProcess.openQueue', () => {
  it('opens an idle mdev and hands out the DUS of the reference’s size', () => {
    const { parent, attach } = machine();
    const queue = attach().openQueue(COMPRESS);
    assert.equal(queue.id, 'hisi_zip-0/0');
    assert.equal(queue.region.dus.length, DUS_BYTES);
    assert.ok(queue.region.dus.every((byte) => byte === 0));
    assert.equal(parent.list()[0]?.state, 'bound');
    queue.start();
    assert.equal(parent.list()[0]?.state, 'active');
  });
  it('gives a queue to one user at a time and refuses when all mdevs are open (EBUSY)', () => {
    const { attach } = machine({ mdevs: 2 });
    const ids = [attach('sva', 1).openQueue(COMPRESS).qpId, attach('vfio', 2).openQueue(COMPRESS).qpId];
    assert.deepEqual(ids, [0, 1]);
    assert.throws(() => attach('sva', 3).openQueue(COMPRESS), withCode('WD_E_NO_QUEUE', /EBUSY/));
  });
  it('refuses priorities outside 0 to 15', () => {
    const process = machine().attach();
    for (const priority of [-1, 16, 1.5, Number.NaN])
      assert.throws(() => process.openQueue({ operation: 'compress', priority }), withCode('WD_E_EINVAL'));
    process.openQueue({ operation: 'compress', priority: 15 });
  });
  it('leaves the mdev idle when there is no memory for the DUS', () => {
    const { memory, parent, attach } = machine({ mdevs: 1 });
    const process = attach();
    const free = 64 * 1024 * 1024 - memory.allocatedBytes - PAGE_BYTES;
    const hog = process.allocate(free - PAGE_BYTES);
    assert.throws(() => process.openQueue(COMPRESS), withCode('WD_E_NO_MEMORY'));
    assert.equal(parent.list()[0]?.state, 'created');
    hog.free();
    process.openQueue(COMPRESS);
  });
});

describe('QueueFile.start', () => {
  it('sends the SQ context, then the CQ context, by mailbox (sources.md 5.5, 5.6)', () => {
    const { bus, attach, iommu } = machine();
    const process = attach('sva');
    const queue = process.openQueue({ operation: 'decompress', priority: 9 });
    queue.start();
    assert.deepEqual(
      bus.mails.map(([w0]) => w0 >>> 0),
      [0x0000_2000, 0x0000_2001], // busy, queue 0, commands SQC and CQC
    );
    const [sqc, cqc] = bus.contexts;
    assert.equal(sqc![3], 0x0000_73ff); // depth − 1 = 1023, log2(128) = 7
    assert.equal(sqc![5], 0x0080_0000 | process.pasid); // PASID enable is w11 bit 7
    assert.equal(sqc![6], 0x0119_0000); // decompress, orders, priority 9, CQ 0
    assert.equal(cqc![3], 0x0000_43ff); // CQE size code 4
    assert.equal(cqc![5], 0x0001_0000 | process.pasid);
    assert.equal(cqc![6], 0x0000_0001); // initial phase 1
    assert.equal(cqc![1]! - sqc![1]!, 131072);
    assert.ok(iommu.translate(STREAM, pasid(0), iova(sqc![1]! + sqc![2]! * 2 ** 32), DUS_BYTES, 'write'));
  });
  it('sends no PASID for a native queue', () => {
    const { bus, attach } = machine();
    attach('native').openQueue(COMPRESS).start();
    assert.equal(bus.contexts[0]![5], 0);
    assert.equal(bus.contexts[1]![5], 0);
  });
  it('refuses a second start (EINVAL) and a start after close', () => {
    const process = machine().attach();
    const queue = process.openQueue(COMPRESS);
    queue.start();
    assert.throws(() => queue.start(), withCode('WD_E_EINVAL', /started/));
    queue.close();
    assert.throws(() => queue.start(), withCode('WD_E_EINVAL', /zombie/));
  });
  it('reports a mailbox that failed (EIO)', () => {
    const { bus, attach } = machine();
    bus.mailboxStatus = 1;
    assert.throws(() => attach().openQueue(COMPRESS).start(), withCode('WD_E_DEVICE', /0x00 for queue 0/));
  });
  it('keeps the PASID out of everything that the user may read', () => {
    const { attach } = machine();
    const process = attach('sva');
    const queue = process.openQueue(COMPRESS);
    queue.start();
    assert.deepEqual(Object.keys(queue.region), ['mmio', 'dus']);
    assert.ok(queue.region.dus.every((byte) => byte === 0));
  });
});

describe('QueueFile.close', () => {
  it('stops the queue by mailbox once, and only if it was started', () => {
    const { bus, attach } = machine();
    const process = attach();
    process.openQueue(COMPRESS).close();
    assert.equal(bus.mails.length, 0);
    const queue = process.openQueue(COMPRESS);
    queue.start();
    queue.close();
    queue.close();
    assert.deepEqual(
      bus.mails.map(([w0]) => w0 & 0xff),
      [0, 1, 8],
    );
  });
  it('makes the mdev idle again', () => {
    const { parent, attach } = machine({ mdevs: 1 });
    const process = attach();
    process.openQueue(COMPRESS).close();
    assert.equal(parent.list()[0]?.state, 'created');
    process.openQueue(COMPRESS);
  });
});

describe('AttachedProcess.close', () => {
  it('gives back queues, buffers and the PASID, in every mode', () => {
    for (const mode of ['sva', 'vfio', 'native', 'noiommu'] as const) {
      const { memory, iommu, parent, kernel, attach } = machine({ isIommuOff: mode === 'noiommu' });
      const before = memory.allocatedBytes;
      const process = attach(mode);
      process.openQueue(COMPRESS).start();
      process.openQueue({ operation: 'decompress', priority: 3 });
      for (const bytes of [1, 5000, 70_000]) process.allocate(bytes).bytes.fill(0xff);
      process.close();
      assert.equal(memory.allocatedBytes, before, mode);
      assert.equal(iommu.pasidsInUse, 0, mode);
      assert.deepEqual(kernel.openQueues(), [], mode);
      assert.ok(
        parent.list().every(({ state }) => state === 'created'),
        mode,
      );
    }
  });
  it('leaves the neighbour’s queues, buffers and PASID alone', () => {
    const { iommu, kernel, attach } = machine();
    const [leaver, stayer] = [attach('sva', 1), attach('sva', 2)];
    leaver.openQueue(COMPRESS).start();
    stayer.openQueue(COMPRESS).start();
    const buffer = stayer.allocate(100);
    leaver.close();
    assert.equal(kernel.openQueues().length, 1);
    assert.ok(iommu.translate(STREAM, stayer.pasid, buffer.address, 100, 'read'));
  });
  it('makes every access of the process fault', () => {
    const { iommu, attach } = machine();
    const process = attach();
    const { address } = process.allocate(100);
    process.close();
    assert.equal(iommu.translate(STREAM, process.pasid, address, 100, 'read'), undefined);
  });
  it('is idempotent, and refuses what comes afterwards (ENODEV)', () => {
    const process = machine().attach();
    process.close();
    process.close();
    assert.throws(() => process.allocate(1), withCode('WD_E_ENODEV'));
    assert.throws(() => process.openQueue(COMPRESS), withCode('WD_E_ENODEV'));
  });
  it('lets the next process read only zeros from the frames', () => {
    const { attach } = machine();
    const first = attach();
    first.allocate(50_000).bytes.fill(0x77);
    first.close();
    assert.ok(
      attach()
        .allocate(50_000)
        .bytes.every((byte) => byte === 0),
    );
  });
});

describe('Kernel', () => {
  it('routes the completion interrupt to the queue that it names, and drops it for closed ones', () => {
    const { bus, attach } = machine();
    const process = attach();
    const calls: string[] = [];
    const [a, b] = [process.openQueue(COMPRESS), process.openQueue(COMPRESS)];
    a.onCompletion(() => calls.push('a'));
    b.onCompletion(() => calls.push('b'));
    bus.interrupt(1);
    bus.interrupt(0);
    b.close();
    bus.interrupt(1);
    bus.interrupt(63);
    assert.deepEqual(calls, ['b', 'a']);
  });
  it('shows device and mdevs', () => {
    const { kernel, attach } = machine({ mdevs: 3 });
    attach().openQueue(COMPRESS).start();
    const [device] = kernel.devices();
    assert.deepEqual([device?.queuesTotal, device?.queuesFree, device?.faultModel], [64, 61, 'stall']);
    assert.deepEqual(
      kernel.mdevs().map(({ state, qpId, parent }) => [state, qpId, parent]),
      [
        ['active', 0, 'hisi_zip-0'],
        ['created', 1, 'hisi_zip-0'],
        ['created', 2, 'hisi_zip-0'],
      ],
    );
  });
  it('names the owner of a fault, and never its PASID', () => {
    const { iommu, kernel, attach } = machine();
    const process = attach('sva', 4711);
    const seen: unknown[] = [];
    kernel.onFault((fault) => seen.push(fault.owner));
    iommu.translate(STREAM, process.pasid, iova(0x1000), 8, 'write');
    assert.deepEqual(seen, [{ pid: 4711, name: 'client-4711' }]);
    const [fault] = kernel.faults();
    assert.deepEqual(fault?.owner, { pid: 4711, name: 'client-4711' });
    assert.equal('pasid' in fault!, false);
    assert.match(fault!.kernelLine, /ssid: hidden/);
    assert.equal(kernel.faults(1).length, 0);
  });

  it('keeps the name of who caused a fault when the process has gone and another has its PASID', () => {
    const { iommu, kernel, attach } = machine();
    const culprit = attach('sva', 4711);
    const freed = culprit.pasid;
    iommu.translate(STREAM, freed, iova(0x1000), 8, 'write');
    culprit.close();
    const heirs = Array.from({ length: 3 }, (_, i) => attach('sva', 5000 + i));
    assert.deepEqual(kernel.faults()[0]?.owner, { pid: 4711, name: 'client-4711' });
    iommu.translate(STREAM, heirs[0]?.pasid ?? freed, iova(0x1000), 8, 'write');
    assert.deepEqual(kernel.faults()[1]?.owner, { pid: 5000, name: 'client-5000' });
  });
});
