import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateRawSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { STATEFUL, STREAM_NEW } from '../../test/support/device-rig.ts';
import { compressRig, decompressRig, GZIP_HEADER, noise, TEXT } from '../../test/support/zip-rigs.ts';

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
