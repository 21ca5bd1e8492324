import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { DeviceRig, FINISH, type SqeFields, STATEFUL, STREAM_NEW } from '../../test/support/device-rig.ts';

const TEXT = Buffer.from(
  Array.from({ length: 400 }, (_, i) => `record ${i % 37} of a queue test\n`).join(''),
);

/** Noise that DEFLATE cannot shrink. */
function noise(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = 0x2545f491;
  for (let i = 0; i < bytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = state;
  }
  return out;
}

const GZIP_HEADER = Buffer.from('1f8b08000000000000ff', 'hex');

function compressRig(core: 'wasm' | 'zlib' = 'wasm') {
  const rig = new DeviceRig({ core });
  const queue = rig.startQueue(3);
  const destination = rig.place(new Uint8Array(0), 0x10000);
  const fields = (changes: SqeFields = {}): SqeFields => ({
    source: rig.place(TEXT),
    bytes: TEXT.length,
    destination,
    ...changes,
  });
  const output = (slot: number): Buffer => rig.read(destination, queue.sqe(slot)[1]!);
  return { rig, queue, fields, output, destination };
}

function decompressRig() {
  const rig = new DeviceRig({ core: 'wasm' });
  const queue = rig.startQueue(4, { operation: 'decompress' });
  const destination = rig.place(new Uint8Array(0), 0x10000);
  const submit = (data: Uint8Array, changes: SqeFields = {}): number =>
    queue.submit({ source: rig.place(data), bytes: data.length, destination, ...changes });
  return { rig, queue, submit, destination };
}

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

describe('ZipDevice compression', () => {
  it('makes gzip data with its trailer, and writes consumed, produced, checksum and length back', () => {
    const { queue, fields, output } = compressRig();
    const slot = queue.submit(fields());
    const sqe = queue.sqe(slot);
    assert.equal(queue.status(slot), 0);
    assert.equal(sqe[3]! & 0x100, 0x100, 'last block');
    assert.equal(sqe[0], TEXT.length);
    assert.equal(sqe[30], TEXT.length);
    assert.equal(sqe[31], crc32(TEXT));
    assert.deepEqual(gunzipSync(Buffer.concat([GZIP_HEADER, output(slot)])), TEXT);
  });
  it('makes zlib data with a big-endian Adler-32', () => {
    const { queue, fields, output } = compressRig();
    const slot = queue.submit(fields({ request: 2 }));
    assert.deepEqual(inflateSync(Buffer.concat([Buffer.from('789c', 'hex'), output(slot)])), TEXT);
  });
  it('makes raw data without trailer', () => {
    const { queue, fields, output } = compressRig();
    const slot = queue.submit(fields({ request: 1 }));
    assert.deepEqual(inflateRawSync(output(slot)), TEXT);
    assert.equal(output(slot).length, queue.sqe(slot)[1]);
  });
  it('ends a piece that is not the last with a sync flush and no trailer', () => {
    const { queue, fields, output } = compressRig();
    const slot = queue.submit(fields({ flags: 0 }));
    const piece = output(slot);
    assert.deepEqual(piece.subarray(-4), Buffer.from('0000ffff', 'hex'));
    assert.equal(queue.sqe(slot)[3]! & 0x100, 0);
    assert.deepEqual(inflateRawSync(Buffer.concat([piece, Buffer.of(3, 0)])), TEXT);
  });
  it('keeps matches inside the window that was asked for', () => {
    const { rig, queue, destination } = compressRig('zlib');
    const block = noise(6000);
    const source = rig.place(Buffer.concat([block, block]));
    const produced = (window: number): number =>
      queue.sqe(queue.submit({ source, bytes: 12_000, destination, request: 1, window }))[1]!;
    assert.ok(produced(0) > 11_000, 'a 4 KiB window cannot reach 6000 bytes back');
    assert.ok(produced(4) < 7_000);
  });
  it('answers 0x0d when the output is larger than the input, and the output is right', () => {
    const { rig, queue, fields, output } = compressRig();
    const data = noise(500);
    const slot = queue.submit(fields({ source: rig.place(data), bytes: 500, request: 1 }));
    assert.equal(queue.status(slot), 0x0d);
    assert.deepEqual(inflateRawSync(output(slot)), data);
    assert.equal(rig.device.statistics(3)?.errors, 0);
  });
  it('answers 0x0e when the output does not fit, and writes not one byte past its room', () => {
    const { rig, queue, fields, destination } = compressRig();
    const data = noise(4000);
    rig.memory.view(destination as never, 0x10000).fill(0xee);
    for (const room of [1, 7, 8, 9, 100, 4000]) {
      const slot = queue.submit(fields({ source: rig.place(data), bytes: data.length, room }));
      assert.equal(queue.status(slot), 0x0e, `room ${room}`);
      assert.equal(queue.sqe(slot)[1], 0);
      assert.ok(
        rig.read(destination + room, 64).every((byte) => byte === 0xee),
        `room ${room}`,
      );
    }
    assert.equal(rig.device.statistics(3)?.errors, 6);
  });
  it('compresses zero bytes to a whole member', () => {
    const { queue, fields, output } = compressRig();
    const slot = queue.submit(fields({ bytes: 0 }));
    assert.equal(gunzipSync(Buffer.concat([GZIP_HEADER, output(slot)])).length, 0);
  });
});

describe('ZipDevice decompression', () => {
  const member = gzipSync(TEXT).subarray(10);
  it('answers 0x13 with the last block when data and trailer are complete', () => {
    const { rig, queue, submit, destination } = decompressRig();
    const slot = submit(Buffer.concat([member, Buffer.from('next member')]));
    const sqe = queue.sqe(slot);
    assert.equal(queue.status(slot), 0x13);
    assert.equal(sqe[3]! & 0x100, 0x100);
    assert.deepEqual(
      [sqe[0], sqe[1], sqe[30], sqe[31]],
      [member.length, TEXT.length, TEXT.length, crc32(TEXT)],
    );
    assert.deepEqual(rig.read(destination, TEXT.length), TEXT);
  });
  it('answers 0x10 when the checksum in the trailer is wrong', () => {
    const { rig, queue, submit } = decompressRig();
    const broken = Buffer.from(member);
    broken[broken.length - 5]! ^= 1;
    assert.equal(queue.status(submit(broken)), 0x10);
    assert.equal(rig.device.statistics(4)?.errors, 1);
  });
  it('leaves the wrong length of a gzip trailer to software', () => {
    const { queue, submit } = decompressRig();
    const broken = Buffer.from(member);
    broken[broken.length - 1]! ^= 1;
    assert.equal(queue.status(submit(broken)), 0x13);
  });
  it('answers an error of its own for data that RFC 1951 forbids', () => {
    const { queue, submit } = decompressRig();
    assert.equal(queue.status(submit(Buffer.from('ffffffff', 'hex'), { request: 1 })), 0x03);
  });
  it('answers 0x0e when a stateless output does not fit', () => {
    const { queue, submit } = decompressRig();
    assert.equal(queue.status(submit(member, { room: 100 })), 0x0e);
  });
  it('continues a stateful stream over any cut of its input and any room for its output', () => {
    for (const [cut, room] of [
      [1, 0x10000],
      [7, 1000],
      [member.length - 3, 333],
    ] as const) {
      const { rig, queue, submit, destination } = decompressRig();
      const context = rig.place(new Uint8Array(0), 0x10000) + 64;
      let words = [0, 0, 0, 0, 0];
      let at = 0;
      let out = Buffer.alloc(0);
      let status = 0;
      for (let turn = 0; status === 0; turn++) {
        assert.ok(turn < 200, 'the stream makes progress');
        const piece = member.subarray(at, at === 0 ? cut : at + 900);
        const slot = queue.write({
          source: rig.place(piece),
          bytes: piece.length,
          destination,
          room,
          context,
          flags: STATEFUL | (turn === 0 ? STREAM_NEW : 0),
        });
        const sqe = queue.sqe(slot);
        [15, 28, 29, 30, 31].forEach((dword, i) => {
          sqe[dword] = words[i]!;
        });
        queue.ring();
        words = [15, 28, 29, 30, 31].map((dword) => sqe[dword]!);
        status = queue.status(slot);
        out = Buffer.concat([out, rig.read(destination, sqe[1]!)]);
        at += sqe[0]!;
      }
      assert.equal(status, 0x13);
      assert.deepEqual(out, TEXT);
      assert.equal(at, member.length);
      assert.ok(submit);
    }
  });
  it('takes two streams in turn without mixing them up', () => {
    const { rig, queue, destination } = decompressRig();
    const texts = [TEXT, Buffer.from(TEXT).reverse()];
    const streams = texts.map((text) => ({
      data: deflateRawSync(text),
      context: rig.place(new Uint8Array(0), 0x10000) + 64,
      out: [] as Buffer[],
      words: [0, 0, 0, 0, 0],
      at: 0,
    }));
    for (let turn = 0; turn < 6; turn++)
      for (const stream of streams) {
        const step = Math.ceil(stream.data.length / 6);
        const piece = stream.data.subarray(stream.at, turn === 5 ? undefined : stream.at + step);
        const slot = queue.write({
          source: rig.place(piece),
          bytes: piece.length,
          destination,
          request: 1,
          context: stream.context,
          flags: STATEFUL | (turn === 0 ? STREAM_NEW : 0),
        });
        const sqe = queue.sqe(slot);
        [15, 28, 29, 30, 31].forEach((dword, i) => {
          sqe[dword] = stream.words[i]!;
        });
        queue.ring();
        stream.words = [15, 28, 29, 30, 31].map((dword) => sqe[dword]!);
        stream.out.push(rig.read(destination, sqe[1]!));
        stream.at += sqe[0]!;
      }
    for (const [index, stream] of streams.entries())
      assert.deepEqual(Buffer.concat(stream.out), texts[index]);
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
