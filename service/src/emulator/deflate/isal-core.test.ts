import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import type { DeflateCore, InflateResult } from './core.ts';
import { createIsalCore } from './isal-core.ts';
import { createWasmCore, WASM_SCRATCH_BYTES } from './wasm-core.ts';

const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
const heap = new Uint8Array(memory.buffer);
const SOURCE = 0x200000;
const DESTINATION = 0x300000;

function isalIfPresent(): DeflateCore | undefined {
  try {
    return createIsalCore(memory);
  } catch (error) {
    process.stdout.write(`skipped: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

const isal = isalIfPresent();
const wasm = createWasmCore({ memory, scratch: { offset: 0, bytes: WASM_SCRATCH_BYTES } });

function inflate(core: DeflateCore, stream: Buffer): InflateResult & { bytes: string } {
  heap.set(stream, SOURCE);
  const result = core.inflate({
    checksum: 'none',
    checksumSeed: 0,
    source: { offset: SOURCE, bytes: stream.length },
    destination: { offset: DESTINATION, bytes: 1000 },
    context: 0x100000,
    isNew: true,
  });
  return { ...result, bytes: Buffer.from(heap.slice(DESTINATION, DESTINATION + result.produced)).toString() };
}

/** Bits as a string in the order of the stream, packed from the low end of each byte. */
function packed(bits: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [i, bit] of [...bits].entries())
    if (bit === '1') bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  return bytes;
}

const number = (value: number, bits: number): string =>
  [...value.toString(2).padStart(bits, '0')].reverse().join('');

/** Canonical codes of `lengths` (RFC 1951 section 3.2.2), most significant bit first as the stream has them. */
function codesOf(lengths: readonly number[]): string[] {
  const codes: string[] = lengths.map(() => '');
  let next = 0;
  for (let bits = 1; bits <= 15; bits++, next <<= 1)
    for (const [symbol, length] of lengths.entries())
      if (length === bits) codes[symbol] = (next++).toString(2).padStart(bits, '0');
  return codes;
}

const PRECODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** The code lengths 0 to 3, two bits each. */
const COMPLETE_PRECODE = [2, 2, 2, 2];
/** The code lengths 0 to 2 and 15: longer than ISA-L's first tables. */
const PRECODE_TO_15 = [2, 2, 2, ...new Array<number>(12).fill(0), 2];
const LONG = '1'.repeat(15);

interface Block {
  /** Code length of each code length that occurs. */
  precode?: number[];
  /** Code lengths of "a", end of block, and match length 3. */
  litlen?: [number, number, number];
  /** Code lengths of distances 1, 2, …. */
  distance?: number[];
  /** Bits behind "a" and a match of three bytes at distance 1. */
  tail?: string;
}

/** One dynamic block of "aaaa". */
function streamOf({
  precode = COMPLETE_PRECODE,
  litlen = [1, 2, 2],
  distance = [1, 1],
  tail,
}: Block): Buffer {
  const lengths = new Array<number>(258).fill(0);
  lengths.splice(97, 1, litlen[0]);
  lengths.splice(256, 2, litlen[1], litlen[2]);
  const precodes = codesOf(precode);
  const literals = codesOf(lengths);
  return packed(
    [
      '1',
      number(2, 2),
      number(258 - 257, 5),
      number(distance.length - 1, 5),
      number(19 - 4, 4),
      ...PRECODE_ORDER.map((symbol) => number(precode[symbol] ?? 0, 3)),
      ...[...lengths, ...distance].map((length) => precodes[length]),
      literals[97],
      literals[257],
      codesOf(distance)[0],
      tail ?? literals[256],
      '0'.repeat(64), // readers look ahead
    ].join(''),
  );
}

const refusal = (stream: Buffer): string => {
  try {
    return inflateRawSync(stream).toString();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

const LENIENT: [string, Block, string][] = [
  ['distance', { distance: [2, 2] }, 'invalid distances set'],
  ['literal/length', { litlen: [2, 2, 2] }, 'invalid literal/lengths set'],
  ['code length', { precode: [2, 3, 3, 2] }, 'invalid code lengths set'],
];

describe('ISA-L’s inflate beside node:zlib’s', { skip: isal ? false : 'no library' }, () => {
  if (!isal) return;

  it('agrees on a block whose codes are complete', () => {
    const stream = streamOf({});
    assert.equal(refusal(stream), 'aaaa');
    assert.equal(inflate(isal, stream).bytes, 'aaaa');
    assert.equal(inflate(wasm, stream).bytes, 'aaaa');
  });

  for (const [code, block, message] of LENIENT)
    it(`takes an incomplete ${code} code whose free codes do not occur, which node:zlib and the wasm core refuse`, () => {
      const stream = streamOf(block);
      assert.equal(refusal(stream), message);
      assert.equal(inflate(wasm, stream).outcome, 'corrupt');
      const { outcome, bytes } = inflate(isal, stream);
      assert.deepEqual({ outcome, bytes }, { outcome: 'end', bytes: 'aaaa' });
    });

  for (const [name, block] of [
    ['literal/length', { litlen: [2, 2, 2], tail: '11' }],
    ['distance', { litlen: [1, 2, 2], distance: [2, 2], tail: '1111' }],
    ['literal/length of 15 bits', { precode: PRECODE_TO_15, litlen: [1, 2, 15], tail: LONG }],
    ['distance of 15 bits', { precode: PRECODE_TO_15, distance: [15, 1], tail: `11${LONG}` }],
  ] as [string, Block][])
    it(`refuses a free ${name} code that occurs`, () => {
      assert.equal(inflate(isal, streamOf(block)).outcome, 'corrupt');
    });

  for (const [code, block] of [
    ['distance', { distance: [1, 1, 1] }],
    ['literal/length', { litlen: [1, 1, 1] }],
    ['code length', { precode: [1, 1, 1, 1] }],
  ] as [string, Block][])
    it(`refuses an over-subscribed ${code} code as the others do`, () => {
      const stream = streamOf(block);
      assert.match(refusal(stream), /^invalid/);
      assert.equal(inflate(wasm, stream).outcome, 'corrupt');
      assert.equal(inflate(isal, stream).outcome, 'corrupt');
    });
});
