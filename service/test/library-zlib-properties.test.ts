import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import * as node from 'node:zlib';
import fc from 'fast-check';
import * as ours from '../src/library/index.ts';
import { jsonLines, mixed, noise } from './support/corpus.ts';

const RUNS = { numRuns: Number(process.env['WARPDRIVE_FUZZ_RUNS'] ?? 200) };
const CORPORA = [jsonLines(400_000), mixed(400_000), noise(50_000), Buffer.alloc(300_000, 'ab')] as const;

const data = fc
  .record({
    corpus: fc.nat(CORPORA.length - 1),
    from: fc.nat(40_000),
    bytes: fc.oneof(fc.nat(300), fc.nat(350_000)),
  })
  .map(({ corpus, from, bytes }) => (CORPORA[corpus] ?? CORPORA[0]).subarray(from, from + bytes));
const level = fc.constantFrom(-1, 1, 2, 3, 4, 5, 6, 7, 8, 9);
/** Lengths of writes, over and over until the data is used up. */
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200_000 })), {
  minLength: 1,
  maxLength: 6,
});
const format = fc.constantFrom('gzip', 'zlib', 'raw');

const PACK = { gzip: node.gzipSync, zlib: node.deflateSync, raw: node.deflateRawSync };
const UNPACK = { gzip: node.gunzipSync, zlib: node.inflateSync, raw: node.inflateRawSync };
const ONCE = { gzip: ours.gunzip, zlib: ours.inflate, raw: ours.inflateRaw };
const PACKER = { gzip: ours.createGzip, zlib: ours.createDeflate, raw: ours.createDeflateRaw };
const UNPACKER = { gzip: ours.createGunzip, zlib: ours.createInflate, raw: ours.createInflateRaw };

/** At most 400 pieces, so that one-byte cuts stay quick. */
function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const made: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = i < 400 ? (lengths[i % lengths.length] ?? 1) : bytes.length;
    made.push(bytes.subarray(at, at + length));
    at += length;
  }
  return made;
}

/** Bytes, or the error's code and message. */
async function outcomeOf(run: () => Promise<Buffer> | Buffer): Promise<Buffer | string> {
  try {
    return await run();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return `${code}: ${message}`;
  }
}

async function through(stream: ours.EngineStream, parts: readonly Buffer[]): Promise<Buffer> {
  const out: Buffer[] = [];
  const source = Readable.from(parts, { objectMode: false });
  source.on('error', (error) => stream.destroy(error));
  for await (const part of source.pipe(stream)) out.push(part as Buffer);
  return Buffer.concat(out);
}

describe('the library beside node:zlib, on random input', () => {
  it('node:zlib reads what streams make: any data, level, format, cut and flush', async () => {
    const flushes = fc.array(fc.constantFrom(undefined, 0, 1, 2, 3), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(data, level, format, cuts, flushes, async (plain, at, kind, lengths, kinds) => {
        const stream = PACKER[kind]({ level: at });
        const out: Buffer[] = [];
        stream.on('data', (part: Buffer) => out.push(part));
        const ended = new Promise((resolve) => stream.on('end', resolve));
        pieces(plain, lengths).forEach((piece, i) => {
          stream.write(piece);
          const flush = kinds[i % kinds.length];
          if (flush !== undefined) stream.flush(flush);
        });
        stream.end();
        await ended;
        assert.ok(UNPACK[kind](Buffer.concat(out)).equals(plain));
      }),
      RUNS,
    );
  });
  it('node:zlib reads streams that flush in turns with each other, and with decompression between them', async () => {
    const turns = fc.array(fc.record({ which: fc.nat(3), bytes: fc.integer({ min: 1, max: 3000 }) }), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(turns, level, format, async (steps, at, kind) => {
        const text = Buffer.from(Array.from({ length: 9000 }, (_, i) => `${i * i} of ${i % 71}\n`).join(''));
        const packed = node.gzipSync(text.subarray(0, 5000));
        const streams = [1, at, at].map((one) => {
          const stream = PACKER[kind]({ level: one });
          const out: Buffer[] = [];
          stream.on('data', (part: Buffer) => out.push(part));
          return { stream, out, bytes: 0 };
        });
        for (const { which, bytes } of steps) {
          const one = streams[which];
          if (!one) {
            assert.equal(ours.gunzipSync(packed).length, 5000);
            continue;
          }
          one.stream.write(text.subarray(one.bytes, one.bytes + bytes));
          one.bytes = Math.min(text.length, one.bytes + bytes);
          await new Promise<void>((done) => one.stream.flush(node.constants.Z_SYNC_FLUSH, done));
        }
        for (const { stream, out, bytes } of streams) {
          await new Promise((resolve) => stream.on('end', resolve).end());
          assert.ok(UNPACK[kind](Buffer.concat(out)).equals(text.subarray(0, bytes)));
        }
      }),
      RUNS,
    );
  });
  it('streams read what node:zlib makes, with any of its parameters, members and padding, at any cut', async () => {
    const parameters = fc.record({
      level: fc.integer({ min: 0, max: 9 }),
      strategy: fc.integer({ min: 0, max: 4 }),
      memLevel: fc.integer({ min: 1, max: 9 }),
      windowBits: fc.integer({ min: 9, max: 15 }),
    });
    await fc.assert(
      fc.asyncProperty(
        data,
        parameters,
        format,
        cuts,
        fc.nat(2),
        async (plain, options, kind, lengths, more) => {
          const packed = [PACK[kind](plain, options)];
          if (kind === 'gzip') {
            for (let i = 0; i < more; i++) packed.push(node.gzipSync(plain.subarray(0, 100 * i)));
            packed.push(Buffer.alloc(more));
          }
          const whole = Buffer.concat(packed);
          const expected = UNPACK[kind](whole);
          assert.ok((await through(UNPACKER[kind](), pieces(whole, lengths))).equals(expected));
          if (kind !== 'raw')
            assert.ok((await through(ours.createUnzip(), pieces(whole, lengths))).equals(expected));
        },
      ),
      RUNS,
    );
  });
  it('says the same about truncated and damaged data, whole and in pieces, and makes the same bytes', async () => {
    const damage = fc.record({
      keep: fc.double({ min: 0, max: 1, noNaN: true }),
      isCut: fc.boolean(),
      flips: fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 0.999, noNaN: true }),
          with: fc.integer({ min: 1, max: 255 }),
        }),
        { maxLength: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        data,
        level,
        format,
        cuts,
        damage,
        async (plain, at, kind, lengths, { keep, isCut, flips }) => {
          const packed = Buffer.from(PACK[kind](plain.subarray(0, 30_000), { level: at }));
          for (const flip of flips) {
            const place = Math.floor(flip.at * packed.length);
            packed[place] = (packed[place] ?? 0) ^ flip.with;
          }
          const bad = isCut ? packed.subarray(0, Math.floor(keep * packed.length)) : packed;
          const expected = await outcomeOf(() => UNPACK[kind](bad));
          const streamed = await outcomeOf(() => through(UNPACKER[kind](), pieces(bad, lengths)));
          assert.deepEqual(streamed, expected);
          assert.deepEqual(await outcomeOf(() => ONCE[kind](bad)), expected);
        },
      ),
      { numRuns: 4 * RUNS.numRuns },
    );
  });
});
