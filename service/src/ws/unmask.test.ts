import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameUnmasker } from './unmask.ts';

/** A frame as RFC 6455, 5.2 draws it; `key` absent: without a mask. */
function frame(payload: Uint8Array, key: Uint8Array | undefined): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x82;
  head[1] = (key ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!key) return Buffer.concat([head, payload]);
  const masked = payload.map((byte, i) => byte ^ (key[i % 4] ?? 0));
  return Buffer.concat([head, key, masked]);
}

/** The bytes in pieces of these lengths in turns, each somewhere in a larger buffer as the pieces of a pool are. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = bytes.subarray(at, at + (lengths[i % lengths.length] ?? 1));
    const shift = i % 8;
    const home = Buffer.alloc(shift + piece.length);
    home.set(piece, shift);
    chunks.push(home.subarray(shift));
    at += piece.length;
  }
  return chunks;
}

const NO_KEY = new Uint8Array(4);
const key = fc.uint8Array({ minLength: 4, maxLength: 4 });
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_001).map((length) => new Uint8Array(length).fill(0xa5)),
);
const frames = fc.array(fc.record({ payload, key: fc.option(key, { nil: undefined }) }), { maxLength: 5 });

describe('FrameUnmasker', () => {
  it('leaves the same frames with plain payload and a key of zero, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        frames,
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 8 }),
        (sent, lengths) => {
          const masked = Buffer.concat(sent.map((one) => frame(one.payload, one.key)));
          const plain = Buffer.concat(sent.map((one) => frame(one.payload, one.key && NO_KEY)));
          const chunks = cut(masked, lengths);
          const unmasker = new FrameUnmasker();
          for (const chunk of chunks) unmasker.unmask(chunk);
          assert.ok(Buffer.concat(chunks).equals(plain));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('takes heads and keys that come byte by byte', () => {
    const body = Buffer.from('hello, frames');
    const mask = Buffer.from([1, 2, 3, 255]);
    const chunks = cut(frame(body, mask), [1]);
    const unmasker = new FrameUnmasker();
    for (const chunk of chunks) unmasker.unmask(chunk);
    assert.deepEqual(Buffer.concat(chunks), frame(body, NO_KEY));
  });

  it('is ahead of the reader, also with what came together with the handshake and was put back', async () => {
    const socket = new PassThrough();
    const parts: Buffer[] = [];
    const body = Buffer.from('payload');
    const whole = frame(body, Buffer.from([9, 8, 7, 6]));
    socket.unshift(whole.subarray(0, 5));
    socket.on('data', (chunk: Buffer) => parts.push(chunk));
    FrameUnmasker.listen(socket);
    socket.end(whole.subarray(5));
    await new Promise((resolve) => socket.once('end', resolve));
    assert.deepEqual(Buffer.concat(parts), frame(body, NO_KEY));
  });
});
