import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { combineAdler32, combineCrc32 } from './checksum-combine.ts';

/** zlib's own Adler-32: the last four bytes of what it makes. */
const adler32 = (bytes: Uint8Array): number => deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4);
const anyBytes = fc.uint8Array({ maxLength: 3000, size: 'max' });

describe('combineCrc32', () => {
  it('gives zlib’s CRC-32 of both parts together', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        assert.equal(combineCrc32(crc32(a), crc32(b), b.length), crc32(Buffer.concat([a, b])));
      }),
    );
  });
  it('is right for parts of 2^32 bytes and more', () => {
    // x^(8n) for n = 2^32 applied in two halves must equal one step
    const [a, b, c] = [0x12345678, 0x9abcdef0, 0x0badf00d];
    const once = combineCrc32(a, combineCrc32(b, c, 2 ** 32), 2 ** 32 + 2 ** 33);
    const twice = combineCrc32(combineCrc32(a, b, 2 ** 33), c, 2 ** 32);
    assert.equal(once, twice);
  });
  it('keeps the first checksum when nothing follows', () => {
    assert.equal(combineCrc32(0xdeadbeef, 0, 0), 0xdeadbeef);
  });
});

describe('combineAdler32', () => {
  it('gives zlib’s Adler-32 of both parts together', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        assert.equal(combineAdler32(adler32(a), adler32(b), b.length), adler32(Buffer.concat([a, b])));
      }),
    );
  });
  it('is right where the sums wrap at 65521', () => {
    const ones = Buffer.alloc(70_000, 0xff);
    assert.equal(
      combineAdler32(adler32(ones), adler32(ones), ones.length),
      adler32(Buffer.concat([ones, ones])),
    );
    assert.equal(combineAdler32(1, 1, 0), 1);
  });
});
