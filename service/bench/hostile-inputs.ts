/** Inputs that make a compressor search long for each byte. Deterministic. */
import { randomSource } from './corpus.ts';

const BYTES = 256 << 10;

const filled = (byteAt: (i: number) => number): Buffer => {
  const data = Buffer.alloc(BYTES);
  for (let i = 0; i < BYTES; i++) data[i] = byteAt(i);
  return data;
};

/** Words of `bytes` bytes that all fall into one slot of a multiplicative hash, in random order. */
function colliding(bytes: number, slotOf: (word: bigint) => bigint): Buffer {
  const random = randomSource(21);
  const words: Buffer[] = [];
  const wanted = slotOf(0x6162636465n & ((1n << BigInt(8 * bytes)) - 1n));
  for (let tries = 0; words.length < 200 && tries < 4_000_000; tries++) {
    const word = Buffer.from(Array.from({ length: bytes }, () => 33 + random(90)));
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(word[i] ?? 0);
    if (slotOf(value) === wanted) words.push(word);
  }
  const parts: Buffer[] = [];
  for (let size = 0; size < BYTES; size += bytes)
    parts.push(words[random(words.length)] ?? Buffer.alloc(bytes));
  return Buffer.concat(parts).subarray(0, BYTES);
}

/** Every string of `order` symbols once (Fredricksen, Kessler and Maiorana, by Lyndon words). */
function deBruijn(symbols: number, order: number): Buffer {
  const sequence: number[] = [];
  const word = new Array<number>(symbols * order).fill(0);
  const extend = (t: number, p: number): void => {
    if (t > order) {
      if (order % p === 0) for (let i = 1; i <= p; i++) sequence.push(word[i] ?? 0);
      return;
    }
    word[t] = word[t - p] ?? 0;
    extend(t + 1, p);
    for (let next = (word[t - p] ?? 0) + 1; next < symbols; next++) {
      word[t] = next;
      extend(t + 1, t);
    }
  };
  extend(1, 1);
  return filled((i) => 97 + (sequence[i % sequence.length] ?? 0));
}

/** Copies of one string, each with one byte changed: every candidate matches far and fails late. */
function nearMatches(length: number): Buffer {
  const random = randomSource(length);
  const base = Array.from({ length }, () => random(256));
  const changes = Array.from(
    { length: Math.ceil(BYTES / length) },
    () => [random(length), random(256)] as const,
  );
  return filled((i) => {
    const [at, byte] = changes[Math.floor(i / length)] ?? [0, 0];
    return i % length === at ? byte : (base[i % length] ?? 0);
  });
}

const symbols = (count: number, seed: number): Buffer => {
  const random = randomSource(seed);
  return filled(() => 97 + random(count));
};

/** The hashes of assembly/parse-fast.ts (five bytes, 15 bits for inputs of this size) and parse-lazy.ts (four bytes, 15 bits). */
const fastSlot = (word: bigint): bigint =>
  ((((word << 24n) & 0xffff_ffff_ffff_ffffn) * 0x9e37_79b1_85eb_ca87n) & 0xffff_ffff_ffff_ffffn) >> 49n;
const lazySlot = (word: bigint): bigint => ((word * 0x9e37_79b1n) & 0xffff_ffffn) >> 17n;

export const HOSTILE_INPUTS: Record<string, () => Buffer> = {
  'one byte': () => filled(() => 97),
  'period 2': () => filled((i) => 97 + (i & 1)),
  'period 3': () => filled((i) => 97 + (i % 3)),
  'period 259': () => filled((i) => ((i % 259) * 7) & 255),
  'runs of 1 to 300': () => {
    const random = randomSource(3);
    let left = 0;
    let byte = 0;
    return filled(() => {
      if (left-- === 0) {
        left = random(300);
        byte = random(256);
      }
      return byte;
    });
  },
  'two symbols at random': () => symbols(2, 5),
  'four symbols at random': () => symbols(4, 6),
  'sixteen symbols at random': () => symbols(16, 7),
  sorted: () => Buffer.from(symbols(256, 8)).sort(),
  'sorted numbers': () => Buffer.from(Array.from({ length: 40_000 }, (_, i) => 1_000_000 + i * 3).join('\n')),
  'de Bruijn of order 16': () => deBruijn(2, 16),
  'de Bruijn, 8 symbols of order 6': () => deBruijn(8, 6),
  'near matches of 40': () => nearMatches(40),
  'near matches of 300': () => nearMatches(300),
  'near matches of 5000': () => nearMatches(5000),
  'four-byte hash collisions': () => colliding(4, lazySlot),
  'five-byte hash collisions': () => colliding(5, fastSlot),
};
