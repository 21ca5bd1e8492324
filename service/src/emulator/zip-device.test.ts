import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DeviceRig, FINISH, type SqeFields, STATEFUL, STREAM_NEW } from '../../test/support/device-rig.ts';
import { compressRig, GZIP_HEADER, noise, TEXT } from '../../test/support/zip-rigs.ts';

describe('ZipDevice registers', () => {
  it('reads all ones from an unmapped register and warns with its offset', () => {
    const rig = new DeviceRig();
    assert.equal(rig.device.read32(0x1234), 0xffff_ffff);
    assert.deepEqual(rig.warnings, [
      { details: { offset: '0x00001234' }, message: 'read of unmapped ZIP register' },
    ]);
  });
  it('drops a write to an unmapped register with a warning', () => {
    const rig = new DeviceRig();
    rig.device.write32(0x40, 0xabcd);
    rig.device.write128(0x310, [7, 0, 0, 0]);
    assert.deepEqual(
      rig.warnings.map(({ details, message }) => [details['offset'], details['value'], message]),
      [
        ['0x00000040', '0x0000abcd', 'write to unmapped ZIP register'],
        ['0x00000310', '0x00000007', 'write to unmapped ZIP register'],
      ],
    );
  });
  it('reads all ones from the doorbell page', () => {
    assert.equal(new DeviceRig().device.doorbellPage(0).read32(0x1000), 0xffff_ffff);
  });
  it('clears the mailbox’s busy bit and sets no status when a command succeeds', () => {
    const rig = new DeviceRig();
    rig.startQueue(1);
    assert.equal(rig.device.read32(0x300), 0x0001_0001);
  });
  it('sets a mailbox status for commands that it cannot do', () => {
    const rig = new DeviceRig();
    const context = rig.place(new Uint8Array(32));
    assert.notEqual(rig.mailbox(1, 0, context), 0, 'CQC without SQC');
    assert.notEqual(rig.mailbox(8, 0, 0), 0, 'stop of a queue that is not started');
    assert.notEqual(rig.mailbox(6, 0, context), 0, 'unknown command');
    rig.translator.unmapped.add(Math.floor(context / 4096));
    assert.notEqual(rig.mailbox(0, 0, context), 0, 'context not mapped');
  });
  it('refuses a queue whose rings are not mapped', () => {
    const rig = new DeviceRig();
    const context = rig.place(new Uint8Array(32));
    const words = rig.memory.words(context as never, 8);
    words.set([0, 0x20_0000, 0, 0x73ff]);
    rig.translator.unmapped.add(0x200);
    assert.equal(rig.mailbox(0, 5, context), 0);
    words.set([0, 0x30_0000, 0, 0x43ff, 0, 0, 1]);
    assert.notEqual(rig.mailbox(1, 5, context), 0);
  });
});

describe('ZipDevice doorbells', () => {
  it('refuses one for a queue that is not started, another queue’s number and another offset, each with a warning', () => {
    const { rig, queue, fields } = compressRig();
    rig.device.doorbellPage(9).write64(0x1000, 9, 1);
    queue.write(fields());
    const page = rig.device.doorbellPage(3);
    page.write64(0x1000, 4, 1);
    page.write64(0x2000, 3, 1);
    page.write64(0x1000, 0x2003, 1); // EQ command
    assert.equal(rig.warnings.length, 4);
    assert.deepEqual(queue.cqe(0), { sqHead: 0, sqNum: 0, phase: 0 });
    page.write64(0x1000, 3, 1);
    assert.equal(queue.cqe(0).phase, 1);
  });
  it('refuses an index outside the ring with a warning and goes on', () => {
    const { rig, queue, fields } = compressRig();
    queue.write(fields());
    queue.ring(0, 1024);
    assert.match(rig.warnings[0]!.message, /index outside the ring/);
    queue.ring();
    assert.equal(queue.cqe(0).phase, 1);
  });
  it('fetches every SQE up to the tail that was rung', () => {
    const { queue, fields } = compressRig();
    for (let i = 0; i < 5; i++) queue.write(fields({ tag: i }));
    queue.ring();
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((i) => queue.cqe(i)),
      [0, 1, 2, 3, 4].map((sqHead) => ({ sqHead, sqNum: 3, phase: 1 })),
    );
  });
});

describe('ZipDevice completions', () => {
  it('flips the phase each time the ring wraps, and leaves the tag alone', () => {
    const { queue, fields } = compressRig();
    const job = fields();
    for (let i = 0; i < 3 * 1024; i++) {
      const slot = queue.submit({ ...job, tag: i + 1 });
      assert.equal(slot, i % 1024);
      const phase = Math.floor(i / 1024) % 2 === 0 ? 1 : 0;
      assert.deepEqual(queue.cqe(slot), { sqHead: slot, sqNum: 3, phase });
      assert.equal(queue.sqe(slot)[26], i + 1);
      queue.ringCq((slot + 1) % 1024, false);
    }
  });
  it('posts them in the order of submission although jobs finish out of order', () => {
    const rig = new DeviceRig({ heldCores: 1 });
    const queue = rig.startQueue(0);
    const source = rig.place(TEXT);
    for (let i = 0; i < 4; i++) queue.submit({ source, bytes: 100 + i, destination: source });
    const [core] = rig.cores;
    core!.finish(3);
    core!.finish(1);
    assert.equal(queue.cqe(0).phase, 0);
    core!.finish(0); // the first
    assert.deepEqual(
      [0, 1, 2].map((i) => queue.cqe(i).phase),
      [1, 1, 0],
    );
    core!.finish(0);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => [queue.cqe(i).sqHead, queue.cqe(i).phase, queue.sqe(i)[0]]),
      [0, 1, 2, 3].map((i) => [i, 1, 100 + i]),
    );
  });
  it('interrupts only when armed, once, and for its own queue', () => {
    const { rig, queue, fields } = compressRig();
    queue.submit(fields());
    assert.deepEqual(rig.interrupts, []);
    queue.ringCq(1, true);
    assert.deepEqual(rig.interrupts, []);
    queue.submit(fields());
    queue.submit(fields());
    assert.deepEqual(rig.interrupts, [3]);
    queue.ringCq(3, true);
    queue.ringCq(3, false);
    queue.submit(fields());
    assert.deepEqual(rig.interrupts, [3]);
  });
  it('counts operations, bytes, doorbells and what is in flight', () => {
    const rig = new DeviceRig({ heldCores: 1 });
    const queue = rig.startQueue(0);
    const source = rig.place(TEXT);
    queue.submit({ source, bytes: 100, destination: source });
    queue.submit({ source, bytes: 200, destination: source });
    assert.equal(rig.device.statistics(0)?.inFlight, 2);
    rig.cores[0]!.finish();
    rig.cores[0]!.finish(0, { status: 0x10, produced: 0 });
    const { lastError, latencyUs, ...counters } = rig.device.statistics(0)!;
    assert.deepEqual(counters, {
      doorbells: 2,
      operations: 2,
      bytesIn: 300,
      bytesOut: 1,
      errors: 1,
      inFlight: 0,
    });
    assert.equal(lastError, 'status 0x10');
    assert.deepEqual(latencyUs, { p50: 0, p99: 0 });
    assert.equal(rig.device.statistics(1), undefined);
  });
  it('measures latency from doorbell to completion', () => {
    const rig = new DeviceRig({ heldCores: 1 });
    const queue = rig.startQueue(0);
    const source = rig.place(TEXT);
    queue.submit({ source, bytes: 100, destination: source });
    rig.clock.advance(7);
    rig.cores[0]!.finish();
    assert.deepEqual(rig.device.statistics(0)?.latencyUs, { p50: 7000, p99: 7000 });
  });
});

describe('ZipDevice malformed SQEs', () => {
  const wrong: [string, SqeFields][] = [
    ['sqeType', { type: 0 }],
    ['sqeType', { type: 15 }],
    ['requestType', { request: 0 }],
    ['requestType', { request: 4 }],
    ['requestType', { request: 0x43 }],
    ['bufferType', { buffer: 2 }],
    ['bufferType', { buffer: 15 }],
    ['window', { window: 5 }],
    ['window', { window: 15 }],
    ['level', { level: 10 }],
    ['inputDataLength', { bytes: 8 * 1024 * 1024 + 1 }],
    ['inputDataLength', { bytes: 0xffff_ffff }],
    ['destAvailOut', { room: 0 }],
  ];
  for (const [field, changes] of wrong)
    it(`answers 0x02 and posts the CQE for ${field} ${Object.values(changes)[0]}, and the queue runs on`, () => {
      const { rig, queue, fields } = compressRig();
      const slot = queue.submit(fields({ ...changes, tag: 0x77 }));
      assert.equal(queue.status(slot), 0x02);
      assert.equal(queue.sqe(slot)[26], 0x77);
      assert.deepEqual(queue.cqe(slot), { sqHead: slot, sqNum: 3, phase: 1 });
      assert.equal(rig.device.statistics(3)?.lastError, `bad SQE field ${field}`);
      assert.equal(queue.status(queue.submit(fields())), 0);
      assert.equal(rig.device.statistics(3)?.errors, 1);
    });
  it('takes an SQE filled with any value without losing a completion', () => {
    const { queue } = compressRig();
    for (const fill of [0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0x3333_3333]) {
      const slot = queue.write({});
      queue.sqe(slot).fill(fill);
      queue.ring();
      assert.equal(queue.cqe(slot).phase, 1);
      assert.notEqual(queue.status(slot), 0);
    }
  });
  it('refuses raw deflate and type 3 on V2, which takes zlib of type 0', () => {
    const rig = new DeviceRig({ core: 'wasm', variant: 'v2' });
    const queue = rig.startQueue(0);
    const source = rig.place(TEXT);
    const job = { source, bytes: TEXT.length, destination: rig.place(new Uint8Array(0), 0x10000) };
    assert.equal(queue.status(queue.submit({ ...job, type: 0, request: 1 })), 0x02);
    assert.equal(queue.status(queue.submit({ ...job, type: 3, request: 2 })), 0x02);
    assert.equal(queue.status(queue.submit({ ...job, type: 0, request: 2 })), 0x00);
  });
});

describe('ZipDevice and the IOMMU', () => {
  it('answers 0x41 for an address that is not mapped, posts the CQE, and the queue runs on', () => {
    const { rig, queue, fields } = compressRig();
    const lost = rig.place(TEXT);
    rig.translator.unmapped.add(Math.floor(lost / 4096) + 1);
    for (const [changes, access] of [
      [{ source: lost }, 'read'],
      [{ destination: lost }, 'write'],
      [{ context: lost, flags: FINISH | STATEFUL | STREAM_NEW }, 'write'],
    ] as const) {
      const slot = queue.submit(fields(changes));
      assert.equal(queue.status(slot), 0x41, Object.keys(changes)[0]);
      assert.equal(queue.cqe(slot).phase, 1);
      assert.deepEqual(rig.translator.refused.pop(), {
        pasid: 0,
        address: (Math.floor(lost / 4096) + 1) * 4096,
        access,
      });
      assert.equal(queue.status(queue.submit(fields())), 0);
    }
    assert.equal(rig.device.statistics(3)?.lastError, 'DMA aborted by the IOMMU');
  });
  it('tags data accesses with the stream and the queue’s PASID, and ring accesses with none', () => {
    const rig = new DeviceRig({ core: 'wasm' });
    const queue = rig.startQueue(0, { pasid: 0x2a });
    assert.ok(rig.translator.asked.every(({ pasid }) => pasid === 0));
    rig.translator.asked.length = 0;
    queue.submit({
      source: rig.place(TEXT),
      bytes: TEXT.length,
      destination: rig.place(new Uint8Array(0), 0x10000),
    });
    assert.deepEqual(rig.translator.asked, [
      { stream: 0x7500, pasid: 0x2a, access: 'read', bytes: TEXT.length },
      { stream: 0x7500, pasid: 0x2a, access: 'write', bytes: 0x10000 },
    ]);
  });
  it('gathers a source and scatters a destination over pages that lie apart', () => {
    const rig = new DeviceRig({ core: 'wasm' });
    const [up, down] = [rig.startQueue(0), rig.startQueue(1, { operation: 'decompress' })];
    const text = Buffer.concat([noise(20_000), TEXT, TEXT]);
    /** An address range whose pages lie in RAM backwards with gaps between them. */
    const apart = (content: Uint8Array, pages: number): { address: number; read(bytes: number): Buffer } => {
      const address = 0x4000_0000 + rig.translator.moved.size * 4096;
      const frames = Array.from({ length: pages }, () => {
        rig.memory.allocate(4096); // the gap
        return rig.memory.allocate(4096) / 4096;
      }).reverse();
      frames.forEach((frame, i) => {
        rig.translator.moved.set(address / 4096 + i, frame);
        const piece = content.subarray(i * 4096, (i + 1) * 4096);
        rig.memory.view((frame * 4096) as never, piece.length).set(piece);
      });
      return {
        address,
        read: (bytes) =>
          Buffer.concat(frames.map((frame) => rig.read(frame * 4096, 4096))).subarray(0, bytes),
      };
    };
    const source = apart(text, 16);
    const packed = apart(new Uint8Array(0), 16);
    const slot = up.submit({ source: source.address, bytes: text.length, destination: packed.address });
    const produced = up.sqe(slot)[1]!;
    assert.deepEqual(gunzipSync(Buffer.concat([GZIP_HEADER, packed.read(produced)])), text);
    const plain = apart(new Uint8Array(0), 16);
    const back = down.submit({ source: packed.address, bytes: produced, destination: plain.address });
    assert.equal(down.status(back), 0x13);
    assert.deepEqual(plain.read(text.length), text);
  });
});

describe('ZipDevice stop', () => {
  it('discards results that come late, and touches the rings no more', () => {
    const rig = new DeviceRig({ heldCores: 1 });
    const queue = rig.startQueue(2);
    const source = rig.place(TEXT);
    queue.submit({ source, bytes: 10, destination: source });
    queue.ringCq(0, true);
    assert.equal(rig.mailbox(8, 2, 0), 0);
    const before = [rig.read(queue.sq, 1024 * 128), rig.read(queue.cq, 1024 * 16)];
    rig.cores[0]!.finish();
    assert.deepEqual([rig.read(queue.sq, 1024 * 128), rig.read(queue.cq, 1024 * 16)], before);
    assert.deepEqual(rig.interrupts, []);
    assert.equal(rig.device.statistics(2), undefined);
  });
  it('fetches nothing more from a stopped queue, and lets its neighbour go on', () => {
    const rig = new DeviceRig({ heldCores: 1, capacity: 1 });
    const [gone, stays] = [rig.startQueue(0), rig.startQueue(1)];
    const source = rig.place(TEXT);
    for (let i = 0; i < 3; i++) gone.submit({ source, bytes: 10, destination: source });
    stays.submit({ source, bytes: 11, destination: source });
    rig.mailbox(8, 0, 0);
    rig.cores[0]!.finish();
    assert.equal(stays.cqe(0).phase, 0);
    rig.cores[0]!.finish();
    assert.equal(stays.cqe(0).phase, 1);
    assert.equal(rig.cores[0]!.held.length, 0);
  });
  it('starts the queue number afresh, with phase 1 and index 0', () => {
    const { rig, queue, fields } = compressRig();
    queue.submit(fields());
    rig.mailbox(8, 3, 0);
    const again = rig.startQueue(3);
    again.submit(fields());
    assert.deepEqual(again.cqe(0), { sqHead: 0, sqNum: 3, phase: 1 });
    assert.equal(rig.device.statistics(3)?.operations, 1);
  });
  it('is silent after dispose', async () => {
    const rig = new DeviceRig({ heldCores: 1 });
    const queue = rig.startQueue(0);
    const source = rig.place(TEXT);
    queue.submit({ source, bytes: 10, destination: source });
    await rig.device.dispose();
    rig.cores[0]!.finish();
    assert.equal(queue.cqe(0).phase, 0);
  });
});
