import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { crc32, deflateRawSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { CORE_NAMES } from '../../shared/src/telemetry.ts';
import type { Host } from '../src/host.ts';
import { cut, jsonLines, mixed } from './support/corpus.ts';
import { withCode } from './support/errors.ts';
import { openHostIfPresent, outcomeOf, slotsTaken, through } from './support/hosts.ts';

const OPTIONS = { jobBytes: 32 * 1024, inlineBytes: 4 * 1024 };
const TEXT = Buffer.from(
  'the quick brown fox jumps over the lazy dog; the lazy dog sleeps over the quick fox\n',
);

for (const core of CORE_NAMES)
  describe(`decompression on core ${core}`, () => {
    let host: Host | undefined;
    before(async () => {
      host = await openHostIfPresent(core, OPTIONS);
    });
    after(() => {
      if (host) assert.equal(slotsTaken(host), 0);
      return host?.close();
    });
    /** Runs `body` unless the core's library is missing. */
    const on = (title: string, body: (codec: Host['codec']) => Promise<void>): void => {
      it(title, async (t) => (host ? body(host.codec) : t.skip('no library')));
    };

    on('decodes what zlib made, in pieces of 1, 2, a prime, a page and whole', async (codec) => {
      const body = mixed(20_000);
      const packed = { gzip: gzipSync(body), zlib: deflateSync(body), deflate: deflateRawSync(body) };
      for (const format of ['gzip', 'zlib', 'deflate'] as const)
        for (const size of [1, 2, 997, 4096, Number.POSITIVE_INFINITY]) {
          if (size < 3 && format !== 'gzip') continue; // a job a piece: one format is enough
          const stream = codec.decompressStream({ format });
          const plain = await through(stream, cut(packed[format], size));
          assert.ok(plain.equals(body), `${format} in pieces of ${size}`);
          const { bytesIn, bytesOut, crc32: sum } = stream.result();
          assert.deepEqual([bytesIn, bytesOut, sum], [packed[format].length, body.length, crc32(body)]);
        }
    });
    on('decodes a few bytes that become many megabytes', async (codec) => {
      const body = Buffer.alloc(3 * 1024 * 1024);
      const plain = await through(codec.decompressStream({ format: 'gzip' }), [gzipSync(body)]);
      assert.ok(plain.equals(body));
    });
    on('decodes empty members of every format', async (codec) => {
      const none = Buffer.alloc(0);
      for (const [format, packed] of [
        ['gzip', gzipSync(none)],
        ['zlib', deflateSync(none)],
        ['deflate', deflateRawSync(none)],
      ] as const)
        assert.equal((await through(codec.decompressStream({ format }), [packed])).length, 0);
    });
    on('tells the formats apart by itself', async (codec) => {
      for (const packed of [gzipSync(TEXT), deflateSync(TEXT), deflateRawSync(TEXT)]) {
        assert.ok((await through(codec.decompressStream({ format: 'auto' }), cut(packed, 1))).equals(TEXT));
      }
    });
    on('joins two members, cut between any two bytes', async (codec) => {
      const [one, two] = [TEXT, Buffer.from('second member')];
      const packed = Buffer.concat([gzipSync(one), gzipSync(two)]);
      const body = Buffer.concat([one, two]);
      for (let at = 0; at <= packed.length; at++) {
        const stream = codec.decompressStream({ format: 'gzip' });
        const plain = await through(stream, [packed.subarray(0, at), packed.subarray(at)]);
        assert.ok(plain.equals(body), `cut at ${at}`);
        assert.equal(stream.result().crc32, crc32(body));
      }
    });
    on('joins many members, empty ones among them', async (codec) => {
      const bodies = Array.from({ length: 40 }, (_, i) => jsonLines((i % 5) * 700, i + 1));
      const packed = Buffer.concat(bodies.map((body) => gzipSync(body)));
      const plain = await through(codec.decompressStream({ format: 'auto' }), cut(packed, 3001));
      assert.ok(plain.equals(Buffer.concat(bodies)));
    });
    on('takes zero padding after a gzip member, and a member after the padding', async (codec) => {
      const member = gzipSync(TEXT);
      for (const size of [1, 511, 5000]) {
        const packed = Buffer.concat([member, Buffer.alloc(5000), member, Buffer.alloc(3)]);
        const plain = await through(codec.decompressStream({ format: 'gzip' }), cut(packed, size));
        assert.ok(plain.equals(Buffer.concat([TEXT, TEXT])));
      }
    });
    on('decodes members with every header field, cut anywhere in the header', async (codec) => {
      const body = deflateRawSync(TEXT);
      const trailer = Buffer.alloc(8);
      trailer.writeUInt32LE(crc32(TEXT), 0);
      trailer.writeUInt32LE(TEXT.length, 4);
      const fields = [
        Buffer.of(0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3),
        Buffer.of(3, 0, 1, 2, 3),
        Buffer.from('name.txt\0comment\0'),
      ];
      const sum = crc32(Buffer.concat(fields)) & 0xffff;
      const header = Buffer.concat([...fields, Buffer.of(sum & 255, sum >> 8)]);
      const packed = Buffer.concat([header, body, trailer]);
      assert.ok(gunzipSync(packed).equals(TEXT));
      for (let at = 1; at <= header.length; at++) {
        const pieces = [packed.subarray(0, at), packed.subarray(at)];
        assert.ok(
          (await through(codec.decompressStream({ format: 'gzip' }), pieces)).equals(TEXT),
          `cut at ${at}`,
        );
      }
      assert.ok((await through(codec.decompressStream({ format: 'gzip' }), cut(packed, 1))).equals(TEXT));
    });

    on('calls bytes behind the end corrupt, except behind gzip where they may be padding', async (codec) => {
      for (const [format, packed] of [
        ['gzip', gzipSync(TEXT)],
        ['zlib', deflateSync(TEXT)],
        ['deflate', deflateRawSync(TEXT)],
      ] as const)
        for (const size of [1, 10_000]) {
          const { error, output } = await outcomeOf(
            codec.decompressStream({ format }),
            cut(Buffer.concat([packed, Buffer.from('garbage')]), size),
          );
          assert.ok(withCode('WD_E_INPUT_CORRUPT')(error), format);
          assert.ok(TEXT.subarray(0, output.length).equals(output));
        }
    });
    on('calls input that ends at any byte before the end truncated, and never finishes it', async (codec) => {
      for (const [format, packed] of [
        ['gzip', gzipSync(TEXT)],
        ['zlib', deflateSync(TEXT)],
        ['deflate', deflateRawSync(TEXT)],
        ['auto', gzipSync(TEXT)],
      ] as const)
        for (let length = 0; length < packed.length; length++) {
          const { error } = await outcomeOf(codec.decompressStream({ format }), [packed.subarray(0, length)]);
          assert.ok(
            withCode('WD_E_INPUT_TRUNCATED')(error),
            `${format}, ${length} of ${packed.length}: ${error}`,
          );
        }
    });
    on('calls a second member that ends too early truncated', async (codec) => {
      const member = gzipSync(TEXT);
      for (let length = 1; length < member.length; length++) {
        const packed = Buffer.concat([member, member.subarray(0, length)]);
        const { error } = await outcomeOf(codec.decompressStream({ format: 'gzip' }), [packed]);
        assert.ok(withCode('WD_E_INPUT_TRUNCATED')(error), `${length}: ${error}`);
      }
    });
    on('finds every single-bit error of a gzip member, or decodes the same bytes', async (codec) => {
      const packed = gzipSync(TEXT);
      for (let bit = 0; bit < packed.length * 8; bit++) {
        const broken = Buffer.from(packed);
        broken[bit >> 3]! ^= 1 << (bit & 7);
        const { error, output } = await outcomeOf(codec.decompressStream({ format: 'gzip' }), [broken]);
        if (error === undefined) assert.ok(output.equals(TEXT), `bit ${bit} went unseen`);
        else
          assert.ok(
            withCode('WD_E_INPUT_CORRUPT')(error) || withCode('WD_E_INPUT_TRUNCATED')(error),
            `bit ${bit}: ${error}`,
          );
      }
    });
    on('compares the length in the trailer, which the hardware does not', async (codec) => {
      const packed = gzipSync(TEXT);
      packed.writeUInt32LE(TEXT.length + 1, packed.length - 4);
      for (const size of [1, 1000]) {
        const { error } = await outcomeOf(codec.decompressStream({ format: 'gzip' }), cut(packed, size));
        assert.ok(
          withCode('WD_E_INPUT_CORRUPT', /trailer says 85 bytes, the member has 84/)(error),
          String(error),
        );
      }
    });
    on('names a wrong checksum', async (codec) => {
      for (const [format, packed] of [
        ['gzip', gzipSync(TEXT)],
        ['zlib', deflateSync(TEXT)],
      ] as const) {
        packed[packed.length - (format === 'gzip' ? 5 : 1)]! ^= 0x10;
        const { error } = await outcomeOf(codec.decompressStream({ format }), cut(packed, 7));
        assert.ok(withCode('WD_E_INPUT_CORRUPT', /checksum/)(error));
      }
    });
    on(
      'calls a header without end corrupt once it is over its limit, and keeps no more of it',
      async (codec) => {
        const start = Buffer.of(0x1f, 0x8b, 8, 8 | 2, 0, 0, 0, 0, 0, 3);
        const { error } = await outcomeOf(
          codec.decompressStream({ format: 'gzip' }),
          (function* () {
            yield start;
            for (let i = 0; i < 64; i++) yield Buffer.alloc(16 * 1024, 65);
          })(),
        );
        assert.ok(withCode('WD_E_INPUT_CORRUPT', /longer than 131072 bytes/)(error), String(error));
      },
    );
  });
