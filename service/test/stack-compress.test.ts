import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { crc32, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { FORMATS, type Format } from '../../shared/src/format.ts';
import { CORE_NAMES } from '../../shared/src/telemetry.ts';
import type { CodecStream } from '../src/codec/codec.ts';
import type { Host } from '../src/host.ts';
import { cut, cutAtRandom, jsonLines, mixed, noise, randomFrom } from './support/corpus.ts';
import { libraryOf, openHost, openHostIfPresent, settled, slotsTaken, through } from './support/hosts.ts';

/** Small jobs, so that a body of some 100 KiB is many of them. */
const JOB_BYTES = 32 * 1024;
const INLINE_BYTES = 4 * 1024;
const OPTIONS = { jobBytes: JOB_BYTES, inlineBytes: INLINE_BYTES };

const DECODERS: Record<Format, (data: Uint8Array) => Buffer> = {
  gzip: gunzipSync,
  zlib: inflateSync,
  deflate: inflateRawSync,
};

const BODIES: [string, Buffer][] = [
  ['empty', Buffer.alloc(0)],
  ['one byte', Buffer.of(7)],
  ['one small job', jsonLines(INLINE_BYTES)],
  ['one byte over a small job', jsonLines(INLINE_BYTES + 1)],
  ['exactly one job', jsonLines(JOB_BYTES)],
  ['one byte over one job', jsonLines(JOB_BYTES + 1)],
  ['exactly two jobs', mixed(2 * JOB_BYTES)],
  ['noise over three jobs', noise(3 * JOB_BYTES - 5)],
  ['zeros over five jobs', Buffer.alloc(5 * JOB_BYTES)],
  ['everything over four jobs', mixed(4 * JOB_BYTES + 77)],
];

for (const core of CORE_NAMES)
  describe(`compression on core ${core}`, () => {
    let host: Host | undefined;
    before(async () => {
      host = await openHostIfPresent(core, OPTIONS);
    });
    after(() => host?.close());

    for (const format of FORMATS)
      it(`makes one ${format} member that zlib decodes, of any body at any level`, async (t) => {
        if (!host) return t.skip('no library');
        for (const [name, body] of BODIES)
          for (const level of body.length > JOB_BYTES ? [1, 6, 9] : [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
            const stream = host.codec.compressStream({ format, level });
            const packed = await through(stream, [body]);
            assert.deepEqual(DECODERS[format](packed), body, `${name}, level ${level}`);
            const { bytesIn, bytesOut, crc32: sum } = stream.result();
            assert.deepEqual([bytesIn, bytesOut, sum], [body.length, packed.length, crc32(body)], name);
          }
        assert.equal(slotsTaken(host), 0);
      });

    it('makes the same member whatever the pieces it gets the body in', async (t) => {
      if (!host) return t.skip('no library');
      const body = mixed(2 * JOB_BYTES + 1234);
      for (const format of FORMATS) {
        const whole = await through(host.codec.compressStream({ format, level: 1 }), [body]);
        for (const size of [3, 997, 4096, JOB_BYTES]) {
          const packed = await through(host.codec.compressStream({ format, level: 1 }), cut(body, size));
          assert.ok(packed.equals(whole), `${format} in pieces of ${size}`);
        }
      }
    });

    it('decodes what it compressed, over random cuts of both', async (t) => {
      if (!host) return t.skip('no library');
      const { codec } = host;
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 90_000 }),
          fc.integer({ min: 1, max: 9 }),
          fc.constantFrom(...FORMATS),
          fc.nat(),
          async (bytes, level, format, seed) => {
            const random = randomFrom(seed);
            const body = mixed(bytes, seed);
            const longest = 1 + Math.floor(random() * 50_000);
            const packed = await through(
              codec.compressStream({ format, level }),
              cutAtRandom(body, random, longest),
            );
            const plain = await through(
              codec.decompressStream({ format: random() < 0.5 || format === 'deflate' ? format : 'auto' }),
              cutAtRandom(packed, random, longest),
            );
            assert.ok(plain.equals(body));
          },
        ),
        { numRuns: 15 },
      );
      assert.equal(slotsTaken(host), 0);
    });

    it('makes members that GNU gzip tests well', async (t) => {
      if (!host) return t.skip('no library');
      const bodies = [Buffer.alloc(0), Buffer.of(1), mixed(3 * JOB_BYTES)];
      for (const body of bodies) {
        const packed = await through(host.codec.compressStream({ format: 'gzip', level: 6 }), [body]);
        const { status, stderr } = spawnSync('gzip', ['-t'], { input: packed });
        assert.equal(status, 0, String(stderr));
      }
    });
  });

describe('CompressStream', () => {
  let host: Host;
  before(async () => {
    host = await openHost(OPTIONS);
  });
  after(() => host.close());

  it('takes a body byte by byte', async () => {
    const body = jsonLines(JOB_BYTES + 10);
    const packed = await through(host.codec.compressStream({ format: 'gzip', level: 1 }), cut(body, 1));
    assert.ok(gunzipSync(packed).equals(body));
  });
  it('writes exactly one gzip member: one header, and nothing behind its trailer', async () => {
    const body = mixed(6 * JOB_BYTES);
    const packed = await through(host.codec.compressStream({ format: 'gzip', level: 1 }), cut(body, 50_000));
    // raw inflate stops at the first final block; a second member would be left over
    const plain = inflateRawSync(packed.subarray(10), { info: true } as object) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    assert.ok(plain.buffer.equals(body));
    assert.equal(10 + plain.engine.bytesWritten + 8, packed.length);
    assert.equal(packed.readUInt32LE(packed.length - 8), crc32(body));
    assert.equal(packed.readUInt32LE(packed.length - 4), body.length);
  });
  it('sends nothing before there is input, and a whole member of ten bytes’ data for none', async () => {
    const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
    const packed = await through(stream, []);
    assert.equal(gunzipSync(packed).length, 0);
    assert.equal(packed.length, 20);
  });

  it('emits at every flush a prefix that a decoder turns into all bytes so far', async () => {
    for (const format of FORMATS) {
      const stream = host.codec.compressStream({ format, level: 6 });
      const output: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => output.push(chunk));
      const flush = (): Promise<void> =>
        new Promise((resolve, reject) => stream.flush((error) => (error ? reject(error) : resolve())));
      let sent = Buffer.alloc(0);
      for (const size of [1, 100, INLINE_BYTES, JOB_BYTES, JOB_BYTES + 1, 3 * JOB_BYTES, 5]) {
        const piece = mixed(size, size);
        sent = Buffer.concat([sent, piece]);
        stream.write(piece);
        await flush();
        await settled();
        const seen = DECODERS_OF_PREFIX[format](Buffer.concat(output));
        assert.ok(seen.equals(sent), `${format} after ${sent.length} bytes`);
      }
      const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
      stream.end();
      await ended;
      assert.ok(DECODERS[format](Buffer.concat(output)).equals(sent));
    }
  });
  it('keeps order and bytes when flushes come while writes are under way', async () => {
    const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
    const output: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => output.push(chunk));
    const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
    const body = mixed(20 * JOB_BYTES, 9);
    const flushed: number[] = [];
    for (const [index, piece] of cut(body, JOB_BYTES + 4321).entries()) {
      stream.write(piece);
      stream.flush((error) => {
        assert.equal(error ?? undefined, undefined);
        flushed.push(index);
      });
    }
    stream.end();
    await ended;
    assert.ok(gunzipSync(Buffer.concat(output)).equals(body));
    assert.deepEqual(flushed, [...flushed.keys()]);
    assert.equal(flushed.length, Math.ceil(body.length / (JOB_BYTES + 4321)));
  });
  it('emits nothing at a flush with nothing written', async () => {
    const stream = host.codec.compressStream({ format: 'deflate', level: 1 });
    const output: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => output.push(chunk));
    await new Promise<void>((resolve) => stream.flush(() => resolve()));
    assert.equal(output.length, 0);
    stream.destroy();
  });
});

/** zlib, told that the stream may end anywhere. */
const SYNC = { finishFlush: 2 };
const DECODERS_OF_PREFIX: Record<Format, (data: Uint8Array) => Buffer> = {
  gzip: (data) => gunzipSync(data, SYNC),
  zlib: (data) => inflateSync(data, SYNC),
  deflate: (data) => inflateRawSync(data, SYNC),
};

describe('giveBack', () => {
  it('lets later output take the memory of chunks that were read, and no byte is lost, in both directions', async () => {
    const host = await openHost({ ...OPTIONS, cores: 2 });
    const outputs = new Set<ArrayBufferLike>();
    let chunks = 0;
    const readAll = async (stream: CodecStream, body: Buffer): Promise<Buffer> => {
      const copies: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => {
        copies.push(Buffer.from(chunk));
        outputs.add(chunk.buffer);
        chunks++;
        setImmediate(() => {
          stream.giveBack(chunk);
          stream.giveBack(chunk);
        });
      });
      for (const piece of cut(body, 64 * 1024))
        if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', resolve));
      stream.end();
      await new Promise((resolve) => stream.once('end', resolve));
      return Buffer.concat(copies);
    };
    const body = noise(100 * JOB_BYTES);
    for (const format of FORMATS) {
      const packed = await readAll(host.codec.compressStream({ format, level: 1 }), body);
      assert.ok(DECODERS[format](packed).equals(body), format);
      const plain = await readAll(host.codec.decompressStream({ format }), packed);
      assert.ok(plain.equals(body), format);
    }
    assert.ok(outputs.size < chunks / 2, `${outputs.size} pieces of memory for ${chunks} chunks`);
    await host.close();
  });
});

describe('compressOnce', () => {
  let host: Host;
  before(async () => {
    host = await openHost(OPTIONS);
  });
  after(() => host.close());

  it('makes a whole member of a body in pieces, up to its limit', async () => {
    assert.equal(host.codec.oneShotBytes, JOB_BYTES);
    for (const format of FORMATS)
      for (const bytes of [0, 1, 2, INLINE_BYTES, INLINE_BYTES + 1, JOB_BYTES - 1, JOB_BYTES]) {
        const body = mixed(bytes, bytes);
        const { chunks, result } = await host.codec.compressOnce(cut(body, 1000), { format, level: 6 });
        const packed = Buffer.concat(chunks);
        assert.ok(DECODERS[format](packed).equals(body), `${format} ${bytes}`);
        assert.deepEqual(
          [result.bytesIn, result.bytesOut, result.crc32, result.core],
          [bytes, packed.length, crc32(body), 'wasm'],
        );
      }
    assert.equal(slotsTaken(host), 0);
  });
  it('makes what the stream makes of the same body', async () => {
    const body = jsonLines(9000);
    const { chunks } = await host.codec.compressOnce([body], { format: 'gzip', level: 3 });
    const streamed = await through(host.codec.compressStream({ format: 'gzip', level: 3 }), cut(body, 100));
    assert.ok(Buffer.concat(chunks).equals(streamed));
  });
  it('runs small bodies in slots of their own', async () => {
    await host.codec.compressOnce([jsonLines(INLINE_BYTES)], { format: 'gzip', level: 1 });
    assert.equal(libraryOf(host).slotsFor(INLINE_BYTES), libraryOf(host).small);
  });
});
