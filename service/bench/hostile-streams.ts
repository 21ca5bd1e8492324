/** DEFLATE streams that cost a decoder much for each byte; all valid, so that node:zlib decodes them beside us. */
import { constants, deflateRawSync } from 'node:zlib';
import { randomSource } from './corpus.ts';

/** Bits from the low end up, as RFC 1951 section 3.1.1 packs them. */
class BitWriter {
  private readonly bytes: number[] = [];
  private bits = 0;
  private count = 0;

  put(value: number, width: number): void {
    for (let i = 0; i < width; i++) {
      this.bits |= ((value >>> i) & 1) << this.count;
      if (++this.count < 8) continue;
      this.bytes.push(this.bits);
      this.bits = 0;
      this.count = 0;
    }
  }

  /** Huffman codes go in from their high bit. */
  putCode(code: number, width: number): void {
    for (let i = width - 1; i >= 0; i--) this.put((code >>> i) & 1, 1);
  }

  get length(): number {
    return this.bytes.length;
  }

  finish(): Buffer {
    if (this.count > 0) this.put(0, 8 - this.count);
    return Buffer.from(this.bytes);
  }
}

const BLOCK = { stored: 0, fixed: 1, dynamic: 2 } as const;
const END_OF_BLOCK = 256;
/** Order in which code length code lengths are sent (RFC 1951 section 3.2.7). */
const PRECODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const STREAM_BYTES = 48 << 10;

/** Blocks by `block` until the stream is long enough, then an empty last one. */
function streamOf(block: (out: BitWriter, index: number) => void): Buffer {
  const out = new BitWriter();
  for (let index = 0; out.length < STREAM_BYTES; index++) block(out, index);
  out.put(1, 1);
  out.put(BLOCK.fixed, 2);
  out.putCode(0, 7);
  return out.finish();
}

const putHeader = (out: BitWriter, type: number): void => {
  out.put(0, 1);
  out.put(type, 2);
};

/** Codes of the fixed code (RFC 1951 section 3.2.6) for what is used here. */
const putFixedLiteral = (out: BitWriter, literal: number): void => out.putCode(0x30 + (literal % 144), 8);
const putFixedMatch3 = (out: BitWriter, distance: 1 | 2 | 3 | 4): void => {
  out.putCode(1, 7);
  out.putCode(distance - 1, 5);
};

/** A dynamic block of three literals whose code differs from the last block's, so that no table can be kept. */
function putDynamicBlock(out: BitWriter, index: number): void {
  const literals = Array.from({ length: 7 }, (_, i) => (i * 31 + index * 17) % 256).sort((a, b) => a - b);
  const symbols = [...literals, END_OF_BLOCK];
  putHeader(out, BLOCK.dynamic);
  out.put(0, 5); // 257 literal/length codes
  out.put(0, 5); // 1 distance code
  out.put(15, 4); // 19 code length codes
  // eight symbols of 3 bits: lengths are 3 or runs of zeros; the code length code is 0, 3, 17, 18 of 2 bits each
  for (const symbol of PRECODE_ORDER) out.put([0, 3, 17, 18].includes(symbol) ? 2 : 0, 3);
  const code = new Map([0, 3, 17, 18].map((symbol, i) => [symbol, i]));
  const put = (symbol: number): void => out.putCode(code.get(symbol) ?? 0, 2);
  const putZeros = (count: number): void => {
    let left = count;
    while (left > 0) {
      if (left >= 11) {
        const run = Math.min(left, 138);
        put(18);
        out.put(run - 11, 7);
        left -= run;
      } else if (left >= 3) {
        put(17);
        out.put(left - 3, 3);
        left = 0;
      } else {
        put(0);
        left--;
      }
    }
  };
  let at = 0;
  for (const symbol of symbols) {
    putZeros(symbol - at);
    put(3);
    at = symbol + 1;
  }
  put(0); // no distance code
  for (let i = 0; i < 3; i++) out.putCode((index + i) % 7, 3);
  out.putCode(7, 3); // end of block is the last symbol
}

function putStoredBlock(out: BitWriter, bytes: number): void {
  putHeader(out, BLOCK.stored);
  out.put(0, 5);
  out.put(bytes, 16);
  out.put(~bytes & 0xffff, 16);
  for (let i = 0; i < bytes; i++) out.put((i * 37) & 255, 8);
}

/** Literals whose frequencies fall like Fibonacci numbers, so that codes of 15 bits occur. */
function deepCodes(): Buffer {
  const random = randomSource(9);
  const data = Buffer.alloc(96 << 10);
  for (let i = 0; i < data.length; i++) {
    let symbol = 0;
    while (symbol < 40 && random(1000) < 618) symbol++;
    data[i] = symbol * 5 + random(3);
  }
  return deflateRawSync(data, { strategy: constants.Z_HUFFMAN_ONLY });
}

export const HOSTILE_STREAMS: Record<string, () => Buffer> = {
  'tiny dynamic blocks, no two codes alike': () => streamOf(putDynamicBlock),
  'empty stored blocks': () => streamOf((out) => putStoredBlock(out, 0)),
  '1-byte stored blocks': () => streamOf((out) => putStoredBlock(out, 1)),
  '30-byte stored blocks': () => streamOf((out) => putStoredBlock(out, 30)),
  'empty fixed blocks': () =>
    streamOf((out) => {
      putHeader(out, BLOCK.fixed);
      out.putCode(0, 7);
    }),
  'fixed blocks of one literal': () =>
    streamOf((out, index) => {
      putHeader(out, BLOCK.fixed);
      putFixedLiteral(out, index);
      out.putCode(0, 7);
    }),
  'distance 1, length 258': () => deflateRawSync(Buffer.alloc(16 << 20)),
  'distances 1 to 4, length 3': () =>
    streamOf((out, index) => {
      putHeader(out, BLOCK.fixed);
      for (let i = 0; i < 4; i++) putFixedLiteral(out, index + i);
      for (let i = 0; i < 1000; i++) putFixedMatch3(out, (1 + ((i * 7) % 4)) as 1 | 2 | 3 | 4);
      out.putCode(0, 7);
    }),
  'codes of up to 15 bits': deepCodes,
};
