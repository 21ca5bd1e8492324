import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { adler32 } from '../platform/adler32.ts';
import {
  combineChecksum,
  detectFormat,
  endOf,
  headerOf,
  initialChecksum,
  MAX_GZIP_HEADER_BYTES,
  parseGzipHeader,
  parseZlibHeader,
} from './container.ts';

/** A stored block that is not the last, with `text`. */
const storedBlock = (text: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.of(0, text.length & 255, text.length >> 8, ~text.length & 255, (~text.length >> 8) & 255),
    text,
  ]);
const TEXT = Buffer.from('a member joined from pieces');

interface GzipParts {
  extra?: Uint8Array | undefined;
  name?: Uint8Array | undefined;
  comment?: Uint8Array | undefined;
  hasHeaderCrc?: boolean;
  isText?: boolean;
}

/** A gzip header with any optional fields (RFC 1952 2.3). */
function gzipHeader({ extra, name, comment, hasHeaderCrc, isText }: GzipParts): Buffer {
  const flags =
    (isText ? 1 : 0) | (hasHeaderCrc ? 2 : 0) | (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0);
  const parts = [Buffer.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 2, 3)];
  if (extra) parts.push(Buffer.of(extra.length & 255, extra.length >> 8), Buffer.from(extra));
  for (const text of [name, comment]) if (text) parts.push(Buffer.from(text), Buffer.of(0));
  const header = Buffer.concat(parts);
  if (!hasHeaderCrc) return header;
  const sum = crc32(header) & 0xffff;
  return Buffer.concat([header, Buffer.of(sum & 255, sum >> 8)]);
}

describe('headerOf and endOf', () => {
  it('frame a member that zlib accepts, at every level and format', () => {
    for (let level = 1; level <= 9; level++) {
      const join = (format: 'gzip' | 'zlib' | 'deflate', sum: number): Buffer =>
        Buffer.concat([headerOf(format, level), storedBlock(TEXT), endOf(format, sum, TEXT.length)]);
      assert.deepEqual(gunzipSync(join('gzip', crc32(TEXT))), TEXT);
      assert.deepEqual(inflateSync(join('zlib', adler32(TEXT))), TEXT);
      assert.deepEqual(inflateRawSync(join('deflate', 0)), TEXT);
    }
  });
  it('write no time and no name, and the length modulo 2^32', () => {
    assert.deepEqual([...headerOf('gzip', 6)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    assert.equal(headerOf('gzip', 1)[8], 4);
    assert.equal(headerOf('gzip', 9)[8], 2);
    assert.deepEqual([...endOf('gzip', 0, 2 ** 32 + 5).subarray(6)], [5, 0, 0, 0]);
  });
});

describe('initialChecksum and combineChecksum', () => {
  it('follow the format: Adler-32 for zlib, CRC-32 for the others', () => {
    assert.equal(combineChecksum('zlib', initialChecksum('zlib'), adler32(TEXT), TEXT.length), adler32(TEXT));
    for (const format of ['gzip', 'deflate'] as const)
      assert.equal(combineChecksum(format, initialChecksum(format), crc32(TEXT), TEXT.length), crc32(TEXT));
  });
});

describe('parseGzipHeader', () => {
  const noZero = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.map((byte) => byte || 1));
  const anyParts = fc.record(
    {
      extra: fc.uint8Array({ maxLength: 300 }),
      name: noZero,
      comment: noZero,
      hasHeaderCrc: fc.boolean(),
      isText: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  it('finds the end of any header, asks for more at every shorter prefix, and ignores what follows', () => {
    fc.assert(
      fc.property(anyParts, fc.uint8Array({ maxLength: 20 }), (parts, tail) => {
        const header = gzipHeader(parts);
        assert.deepEqual(parseGzipHeader(Buffer.concat([header, tail])), {
          kind: 'header',
          bytes: header.length,
        });
        for (let length = 0; length < header.length; length++)
          assert.equal(parseGzipHeader(header.subarray(0, length)).kind, 'incomplete');
      }),
      { numRuns: 60 },
    );
  });
  it('refuses wrong magic, method and reserved flags as soon as they are seen', () => {
    for (const bytes of [[0x1e], [0x1f, 0x8c], [0x1f, 0x8b, 7], [0x1f, 0x8b, 8, 0x20], [0x1f, 0x8b, 8, 0x80]])
      assert.equal(parseGzipHeader(Uint8Array.from(bytes)).kind, 'corrupt', `${bytes}`);
    for (const bytes of [[], [0x1f], [0x1f, 0x8b], [0x1f, 0x8b, 8], [0x1f, 0x8b, 8, 0x1f]])
      assert.equal(parseGzipHeader(Uint8Array.from(bytes)).kind, 'incomplete', `${bytes}`);
  });
  it('refuses every single-bit error under a header checksum, but in the flag that announces it', () => {
    const header = gzipHeader({ name: Buffer.from('file.txt'), hasHeaderCrc: true });
    for (let bit = 32; bit < header.length * 8; bit++) {
      const broken = Buffer.from(header);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      assert.notDeepEqual(parseGzipHeader(broken), { kind: 'header', bytes: header.length }, `bit ${bit}`);
    }
  });
  it('takes names up to its limit and refuses longer ones, with any field behind them', () => {
    for (const hasHeaderCrc of [false, true])
      for (const comment of [undefined, Buffer.from('c')]) {
        const rest = gzipHeader({ name: Buffer.of(), comment, hasHeaderCrc }).length;
        const fits = gzipHeader({
          name: Buffer.alloc(MAX_GZIP_HEADER_BYTES - rest, 65),
          comment,
          hasHeaderCrc,
        });
        assert.deepEqual(parseGzipHeader(fits), { kind: 'header', bytes: MAX_GZIP_HEADER_BYTES });
        for (const excess of [2, 5, 1000]) {
          const long = gzipHeader({
            name: Buffer.alloc(MAX_GZIP_HEADER_BYTES - rest + excess, 65),
            comment,
            hasHeaderCrc,
          });
          const seen = long.subarray(0, MAX_GZIP_HEADER_BYTES + 1); // all that a reader keeps
          assert.equal(parseGzipHeader(seen).kind, 'corrupt', `${excess} more, crc ${hasHeaderCrc}`);
        }
      }
  });
});

describe('parseZlibHeader', () => {
  it('accepts exactly the headers that zlib accepts', () => {
    const body = Buffer.concat([Buffer.of(3, 0), Buffer.of(0, 0, 0, 1)]);
    for (let cmf = 0; cmf < 256; cmf++)
      for (let flags = 0; flags < 256; flags++) {
        const ours = parseZlibHeader(Uint8Array.of(cmf, flags)).kind;
        if ((cmf * 256 + flags) % 31 !== 0) {
          assert.equal(ours, 'corrupt');
          continue;
        }
        let zlib = 'header';
        try {
          inflateSync(Buffer.concat([Buffer.of(cmf, flags), body]));
        } catch {
          zlib = 'corrupt';
        }
        assert.equal(ours, zlib, `${cmf.toString(16)} ${flags.toString(16)}`);
      }
  });
  it('asks for the second byte, and refuses the first when it is wrong already', () => {
    assert.equal(parseZlibHeader(Uint8Array.of()).kind, 'incomplete');
    assert.equal(parseZlibHeader(Uint8Array.of(0x78)).kind, 'incomplete');
    assert.equal(parseZlibHeader(Uint8Array.of(0x79)).kind, 'corrupt');
    assert.equal(parseZlibHeader(Uint8Array.of(0x88)).kind, 'corrupt');
  });
});

describe('detectFormat', () => {
  it('waits for two bytes', () => {
    assert.equal(detectFormat(Uint8Array.of()), undefined);
    assert.equal(detectFormat(Uint8Array.of(0x1f)), undefined);
  });
  it('tells gzip, zlib and the rest apart', () => {
    assert.equal(detectFormat(Uint8Array.of(0x1f, 0x8b)), 'gzip');
    for (const flags of [0x01, 0x5e, 0x9c, 0xda])
      assert.equal(detectFormat(Uint8Array.of(0x78, flags)), 'zlib');
    assert.equal(detectFormat(Uint8Array.of(0x03, 0x00)), 'deflate');
    assert.equal(detectFormat(Uint8Array.of(0x78, 0x9d)), 'deflate');
  });
});
