import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { constants, crc32, createDeflateRaw, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import type { Format } from '../../shared/src/format.ts';
import type { CodecStream } from '../src/codec/codec.ts';
import type { Host } from '../src/host.ts';
import { jsonLines, mixed } from './support/corpus.ts';
import { ENGINE_CORES } from './support/engine-rig.ts';
import { libraryOf, openHost, openHostIfPresent } from './support/hosts.ts';

const INFLATE = { gzip: gunzipSync, zlib: inflateSync, deflate: inflateRawSync };

const write = (stream: CodecStream, chunk: Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));
const flush = (stream: CodecStream): Promise<void> =>
  new Promise((resolve, reject) => stream.flush((error) => (error ? reject(error) : resolve())));

/** Writes the pieces with a flush after each. @returns all output, and how much there was after each flush */
async function flushed(stream: CodecStream, pieces: readonly Uint8Array[]) {
  const out: Buffer[] = [];
  const marks: number[] = [];
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  for (const piece of pieces) {
    await write(stream, piece);
    await flush(stream);
    marks.push(Buffer.concat(out).length);
  }
  const ended = new Promise<void>((resolve, reject) => stream.on('end', resolve).on('error', reject));
  stream.end();
  await ended;
  return { output: Buffer.concat(out), marks };
}

const cut = (input: Buffer, bytes: number): Buffer[] =>
  Array.from({ length: Math.ceil(input.length / bytes) }, (_, i) =>
    input.subarray(i * bytes, (i + 1) * bytes),
  );

/** What node:zlib makes of the same pieces and flushes. */
async function zlibFlushed(pieces: readonly Uint8Array[], level: number): Promise<number> {
  const stream = createDeflateRaw({ level });
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
  }
  return bytes;
}

describe('a compress stream that is flushed', () => {
  let host: Host;
  before(async () => {
    host = await openHost();
  });
  after(() => host.close());

  it('keeps its dictionary over flushes: no more than 15 % larger than node:zlib’s, on every core', async () => {
    const pieces = cut(jsonLines(60_000), 200);
    for (const core of ENGINE_CORES) {
      const stack = await openHostIfPresent(core);
      try {
        if (!stack) continue;
        for (const level of [1, 6, 9]) {
          const stream = stack.codec.compressStream({ format: 'deflate', level });
          const { output } = await flushed(stream, pieces);
          const zlib = await zlibFlushed(pieces, level);
          assert.ok(inflateRawSync(output).equals(Buffer.concat(pieces)));
          assert.ok(
            output.length < zlib * 1.15,
            `${core} level ${level}: ${output.length}, node:zlib ${zlib}`,
          );
        }
      } finally {
        await stack?.close();
      }
    }
  });

  it('gives a reader everything up to each flush', async () => {
    const pieces = cut(jsonLines(5000), 700);
    const { output, marks } = await flushed(host.codec.compressStream({ format: 'gzip', level: 6 }), pieces);
    for (const [i, mark] of marks.entries()) {
      const seen = gunzipSync(output.subarray(0, mark), { finishFlush: constants.Z_SYNC_FLUSH });
      assert.ok(seen.equals(Buffer.concat(pieces.slice(0, i + 1))));
    }
  });

  it('is one member whatever the lengths between flushes, short and long pieces in turn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Format>('gzip', 'zlib', 'deflate'),
        fc.array(fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 400_000 })), {
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 9 }),
        async (format, sizes, level) => {
          const input = mixed(
            sizes.reduce((sum, size) => sum + size, 0),
            level,
          );
          let at = 0;
          const pieces = sizes.map((size) => {
            at += size;
            return input.subarray(at - size, at);
          });
          const stream = host.codec.compressStream({ format, level });
          const { output } = await flushed(stream, pieces);
          assert.ok(INFLATE[format](output).equals(input));
          assert.equal(stream.result().crc32, crc32(input));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('goes on without its history when the device loses a job, and the member stays whole', async () => {
    const library = libraryOf(host);
    const pieces = cut(jsonLines(20_000), 500);
    const { run } = library;
    let jobs = 0;
    // every third job fails after the device has done it: its context has moved on, its output is lost
    library.run = (operation, request) => {
      const done = run.call(library, operation, request);
      if (++jobs % 3 !== 0) return done;
      const lost = { outcome: 'device-error', status: 0x42, consumed: 0, produced: 0 } as const;
      return Promise.resolve(done).then((completion) => ({ ...completion, ...lost }));
    };
    try {
      const { output } = await flushed(host.codec.compressStream({ format: 'gzip', level: 6 }), pieces);
      assert.ok(gunzipSync(output).equals(Buffer.concat(pieces)));
      assert.ok(jobs > pieces.length);
    } finally {
      library.run = run;
    }
  });

  it('gives its context back when it ends and when it is destroyed', async () => {
    const idle = (): number => (Reflect.get(libraryOf(host), 'idleContexts') as unknown[]).length;
    await flushed(host.codec.compressStream({ format: 'gzip', level: 1 }), cut(jsonLines(2000), 500));
    const before = idle();
    assert.ok(before > 0);
    const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
    stream.resume();
    await write(stream, jsonLines(500));
    await flush(stream);
    assert.equal(idle(), before - 1);
    const closed = new Promise((resolve) => stream.on('close', resolve));
    stream.destroy();
    await closed;
    assert.equal(idle(), before);
  });
});
