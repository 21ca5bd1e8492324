import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  constants,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
} from 'node:zlib';
import fc from 'fast-check';
import type { Format } from '../../shared/src/format.ts';
import type { CoreName } from '../../shared/src/telemetry.ts';
import { jsonLines, mixed, noise } from './support/corpus.ts';
import { ENGINE_CORES, EngineRig, newWords } from './support/engine-rig.ts';
import { ZipClient } from './support/zip-client.ts';

const HEADERS: Record<Format, Buffer> = {
  gzip: Buffer.from('1f8b08000000000000ff', 'hex'),
  zlib: Buffer.from('789c', 'hex'),
  deflate: Buffer.alloc(0),
};
const INFLATE = { gzip: gunzipSync, zlib: inflateSync, deflate: inflateRawSync };
const DEFLATE = { gzip: gzipSync, zlib: deflateSync, deflate: deflateRawSync };
const CHECKSUM = { gzip: 'crc32', zlib: 'adler32', deflate: 'none' } as const;

const payload = fc
  .tuple(fc.integer({ min: 0, max: 60_000 }), fc.nat(), fc.constantFrom(jsonLines, mixed, noise))
  .map(([bytes, seed, make]) => make(bytes, seed));
const format = fc.constantFrom<Format>('gzip', 'zlib', 'deflate');
const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 20_000 }));
const rooms = fc.infiniteStream(fc.integer({ min: 200, max: 30_000 }));
const next = <T>(stream: IterableIterator<T>): T => {
  const { value, done } = stream.next();
  if (done) throw new Error('an infinite stream ended');
  return value;
};

/** What node:zlib makes, by level, strategy and flushes, so that blocks of every kind come. */
const packed = (kind: Format, input: Buffer, level: number, strategy: number): Buffer =>
  DEFLATE[kind](input, { level, strategy }).subarray(HEADERS[kind].length);

describe('stateful streams through queues', () => {
  for (const core of ENGINE_CORES)
    it(`on core ${core}: any cut of the input, any room, resumed in another queue, flat and scattered`, async () => {
      const client = await ZipClient.open({ core });
      try {
        fc.assert(
          fc.property(
            payload,
            format,
            sizes,
            rooms,
            fc.nat(),
            (input, kind, inputSizes, outputRooms, seed) => {
              let turn = seed;
              const stream = client.newStream();
              const parts: Buffer[] = [];
              const pieces = () => (turn % 3 === 0 ? { pieces: 1 + (turn % 5) } : {});
              for (let at = 0, isEnd = false; !isEnd; turn++) {
                const piece = input.subarray(at, at + next(inputSizes));
                const isFinal = at + piece.length === input.length;
                const room = { destinationBytes: next(outputRooms), level: 1 + (turn % 9), ...pieces() };
                const done = client.run(
                  'compress',
                  piece,
                  { format: kind, stream, isFinal, ...room },
                  turn % 2,
                );
                assert.equal(done.outcome, 'ok');
                at += done.consumed;
                parts.push(done.output);
                isEnd = isFinal && done.consumed === piece.length && !done.isOutputPending;
              }
              const member = Buffer.concat(parts);
              assert.ok(INFLATE[kind](Buffer.concat([HEADERS[kind], member])).equals(input));

              const back = client.newStream();
              const out: Buffer[] = [];
              for (let at = 0, outcome = 'ok'; outcome !== 'end'; turn++) {
                // a trailer comes whole or not at all
                const piece = member.subarray(at, Math.max(at + next(inputSizes), at + 8));
                const room = { destinationBytes: next(outputRooms), ...pieces() };
                const done = client.run(
                  'decompress',
                  piece,
                  { format: kind, stream: back, ...room },
                  turn % 2,
                );
                assert.ok(done.outcome === 'ok' || done.outcome === 'end', done.outcome);
                at += done.consumed;
                outcome = done.outcome;
                out.push(done.output);
              }
              assert.ok(Buffer.concat(out).equals(input));
            },
          ),
          { numRuns: 60 },
        );
      } finally {
        await client.close();
      }
    });
});

describe('inflate streams of node:zlib', () => {
  const rig = new EngineRig();
  /** Cores that keep an inflate stream's whole state in its context: it may move between them at any job. */
  const PORTABLE: CoreName[] = ['wasm', 'zlib'];
  const check = (
    input: Buffer,
    kind: Format,
    data: Buffer,
    choices: { inputSize(): number; room(): number; core(): CoreName },
  ): void => {
    const words = newWords();
    const out: Buffer[] = [];
    for (let at = 0, status = 0, jobs = 0; status !== 0x13; jobs++) {
      assert.ok(jobs < 100_000, 'the stream makes progress');
      const piece = data.subarray(at, at + choices.inputSize());
      const job = { core: choices.core(), room: choices.room(), checksum: CHECKSUM[kind] };
      const { result, output } = rig.run('decompress', piece, job, { words });
      status = result.status;
      assert.ok(status === 0x00 || status === 0x13, `status ${status}`);
      assert.ok(result.consumed > 0 || result.produced > 0 || piece.length < 8, 'a job makes progress');
      at += result.consumed;
      if (result.consumed === 0 && piece.length < 8 && result.produced === 0)
        choices = { ...choices, inputSize: () => 8 }; // the trailer comes whole
      out.push(output);
    }
    assert.ok(Buffer.concat(out).equals(input));
  };
  it('go on in any core that keeps its state in the context, at every cut and room', () => {
    fc.assert(
      fc.property(
        payload,
        format,
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom(
          constants.Z_DEFAULT_STRATEGY,
          constants.Z_FIXED,
          constants.Z_HUFFMAN_ONLY,
          constants.Z_RLE,
        ),
        sizes,
        rooms,
        fc.infiniteStream(fc.constantFrom(...PORTABLE)),
        (input, kind, level, strategy, inputSizes, outputRooms, cores) =>
          check(input, kind, packed(kind, input, level, strategy), {
            inputSize: () => next(inputSizes),
            room: () => next(outputRooms),
            core: () => next(cores),
          }),
      ),
      { numRuns: 60 },
    );
  });
  it('are cut at every single byte, from core to core', () => {
    const input = mixed(3000, 8);
    let turn = 0;
    for (const kind of ['gzip', 'zlib', 'deflate'] as const)
      check(input, kind, packed(kind, input, 6, 0), {
        inputSize: () => 1,
        room: () => 200,
        core: () => PORTABLE[turn++ % 2] ?? 'wasm',
      });
  });
  it('tell in the context words where they stand', () => {
    const input = Buffer.concat([noise(40_000), jsonLines(40_000)]);
    const data = packed('deflate', input, 6, 0);
    for (const core of ENGINE_CORES) {
      const words = newWords();
      const first = rig.run('decompress', data.subarray(0, 20_000), { core, room: 10_000 }, { words });
      assert.equal(first.result.ctxDw0 & 0xf, 2, 'no space');
      assert.equal(first.result.ctxDw0 & 0x80, 0, 'not in the last block');
      assert.ok(first.result.ctxDw1 > 0, 'inside a stored block');
      assert.ok(first.result.ctxDw2 >= 10_000 && first.result.ctxDw2 <= 32_768, 'window length');
      const rest = data.subarray(first.result.consumed);
      const second = rig.run('decompress', rest, { core, room: 65_000 }, { words });
      assert.equal(second.result.ctxDw0 & 0x80, 0x80, 'in the last block');
      assert.equal(second.result.ctxDw2, 32_768);
    }
  });
});
