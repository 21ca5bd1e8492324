/** Jobs that go on where the core's last job ended, so that the tables are kept: short pieces of one stream, as flushes make them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { createWasmCore, WASM_SCRATCH_BYTES } from './wasm-core.ts';

const START = WASM_SCRATCH_BYTES + 0x40000;
const SPACE = 0x80000;
const OTHER = START + SPACE;
const DESTINATION = OTHER + 0x10000;
const PAGES = DESTINATION / 0x10000 + 8;
const WINDOW_BITS = { 4096: 12, 32768: 15 } as const;

const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
const heap = new Uint8Array(memory.buffer);
const core = createWasmCore({ memory, scratch: { offset: 0, bytes: WASM_SCRATCH_BYTES } });

/** Records much like each other, so that each has matches at all distances, and between them what has none. */
function data(bytes: number, seed: number): Buffer {
  const parts: string[] = [];
  let state = seed | 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let length = 0; length < bytes; ) {
    const noise =
      next(12) === 0 ? Array.from({ length: next(3000) }, () => String.fromCharCode(next(256))) : [];
    parts.push(`{"id":${next(5000)},"name":"user ${next(90)}","ok":${next(2) === 0}}\n${noise.join('')}`);
    length += parts.at(-1)?.length ?? 0;
  }
  return Buffer.from(parts.join('').slice(0, bytes), 'latin1');
}

interface Piece {
  bytes: number;
  level: number;
  /** Another stream's job comes before it, and the core forgets. */
  isInterrupted: boolean;
}

function compress(plain: Buffer, pieces: readonly Piece[], windowBytes: keyof typeof WINDOW_BITS): Buffer[] {
  heap.set(plain.subarray(0, Math.min(plain.length, 0x8000)), START - 0x8000); // must never be referred to
  heap.set(plain, START);
  const job = { windowBytes, checksum: 'none', checksumSeed: 0 } as const;
  const destination = { offset: DESTINATION, bytes: 0x70000 };
  const made: Buffer[] = [];
  let at = 0;
  let isKnown = false;
  for (const { bytes, level, isInterrupted } of pieces) {
    if (isInterrupted) {
      heap.set(plain.subarray(0, 5000), OTHER);
      core.deflate({ ...job, level, isFinal: true, source: { offset: OTHER, bytes: 5000 }, destination });
      isKnown = false;
    }
    const length = Math.min(bytes, plain.length - at);
    const result = core.deflate({
      ...job,
      level,
      isFinal: at + length === plain.length,
      source: { offset: START + at, bytes: length },
      historyBytes: Math.min(at, windowBytes),
      continues: isKnown,
      destination,
    });
    assert.equal(result.outcome, 'done');
    made.push(Buffer.from(heap.slice(DESTINATION, DESTINATION + result.produced)));
    at += length;
    isKnown = true;
    if (at === plain.length) return made;
  }
  return [...made, ...compressRest(plain, at, windowBytes)];
}

function compressRest(plain: Buffer, at: number, windowBytes: number): Buffer[] {
  const { produced } = core.deflate({
    windowBytes,
    checksum: 'none',
    checksumSeed: 0,
    level: 6,
    isFinal: true,
    source: { offset: START + at, bytes: plain.length - at },
    historyBytes: Math.min(at, windowBytes),
    continues: true,
    destination: { offset: DESTINATION, bytes: 0x70000 },
  });
  return [Buffer.from(heap.slice(DESTINATION, DESTINATION + produced))];
}

describe('a job that continues the one before', () => {
  it('is read by node:zlib, whatever the lengths, levels, windows and interruptions', () => {
    const piece = fc.record({
      bytes: fc.oneof(
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 8, max: 400 }),
        fc.integer({ min: 400, max: 20_000 }),
      ),
      level: fc.oneof(fc.constantFrom(1, 6), fc.integer({ min: 1, max: 9 })),
      isInterrupted: fc.integer({ min: 0, max: 19 }).map((number) => number === 0),
    });
    const pieces = fc.array(piece, { minLength: 1, maxLength: 120 });
    const size = fc.integer({ min: 5000, max: 200_000 });
    const windows = fc.constantFrom(4096 as const, 32768 as const);
    fc.assert(
      fc.property(pieces, size, fc.nat(), windows, (all, bytes, seed, windowBytes) => {
        const plain = data(bytes, seed);
        const made = Buffer.concat(compress(plain, all, windowBytes));
        const read = inflateRawSync(made, { windowBits: WINDOW_BITS[windowBytes] });
        assert.ok(read.equals(plain));
      }),
      { numRuns: Number(process.env['WARPDRIVE_RUNS'] ?? 150) },
    );
  });

  for (const level of [1, 2, 3, 6, 9])
    it(`loses nothing of the ratio at level ${level}: what it does not look at again it knows`, () => {
      const plain = data(150_000, 7);
      const pieces = (isInterrupted: boolean) =>
        Array.from({ length: 600 }, () => ({ bytes: 256, level, isInterrupted }));
      const [kept, anew] = [false, true].map((isInterrupted) =>
        compress(plain, pieces(isInterrupted), 32768).reduce((sum, { length }) => sum + length, 0),
      );
      assert.ok((kept ?? 0) <= (anew ?? 0) * 1.005, `${kept} bytes; ${anew} with the history looked at anew`);
    });
});
