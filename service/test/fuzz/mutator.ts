/** Havoc, splices and dictionary words on bytes; the same for the same seed. */
import { randomFrom } from '../support/corpus.ts';

/** A whole number from 0 to `below` - 1. */
export type Random = (below: number) => number;

export function randomOf(seed: number): Random {
  const next = randomFrom(seed);
  return (below) => Math.floor(next() * below);
}

/** Numbers at which counters, lengths and signs turn over. */
const EDGES = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 100, 127, 128, 255, 256, 511, 1023, 1024, 4095, 4096];
const WIDE_EDGES = [
  0x7fff, 0x8000, 0xffff, 0x10000, 0x7f_ffff, 0x80_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

export interface Mutator {
  /** @param other an input to splice with */
  mutate(input: Uint8Array, other: Uint8Array): Uint8Array;
}

export function mutatorOf(
  random: Random,
  dictionary: readonly (string | Uint8Array)[],
  maxBytes: number,
): Mutator {
  const words = dictionary.map((word) => Buffer.from(word));
  const edge = (): number => {
    const all = random(3) === 0 ? WIDE_EDGES : EDGES;
    return all[random(all.length)] ?? 0;
  };
  const put = (bytes: Buffer, at: number, replaced: number, piece: Uint8Array): Buffer =>
    Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(Math.min(bytes.length, at + replaced))]);

  function change(bytes: Buffer, other: Uint8Array): Buffer {
    // what is in front is read first: half of the changes go there
    const at = random(random(2) === 0 ? Math.min(bytes.length + 1, 32) : bytes.length + 1);
    const length = 1 + random(random(4) === 0 ? 64 : 4);
    switch (random(11)) {
      case 0:
      case 1:
        return put(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << random(8))]));
      case 2:
        return put(bytes, at, 1, Buffer.from([random(256)]));
      case 3:
        return put(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) + random(33) - 16]));
      case 4: {
        const number = Buffer.alloc(8);
        number.writeUInt32LE(edge());
        const size = 1 << random(4);
        return put(
          bytes,
          at,
          size,
          random(2) === 0 ? number.subarray(0, size) : number.subarray(0, size).reverse(),
        );
      }
      case 5:
        return put(bytes, at, length, Buffer.alloc(0));
      case 6:
        return put(bytes, at, 0, Buffer.alloc(length, random(256)));
      case 7:
        return put(bytes, at, 0, bytes.subarray(random(bytes.length + 1)).subarray(0, length * 4));
      case 8: {
        const word = words[random(words.length)] ?? Buffer.of(random(256));
        return put(bytes, at, random(2) === 0 ? 0 : word.length, word);
      }
      case 9:
        return random(3) === 0
          ? bytes.subarray(0, at)
          : put(bytes, at, 0, bytes.subarray(at, at + length * 8));
      default:
        return Buffer.concat([bytes.subarray(0, at), other.subarray(random(other.length + 1))]);
    }
  }

  return {
    mutate(input, other) {
      let bytes: Buffer = Buffer.from(input);
      for (let changes = 1 + random(random(3) === 0 ? 12 : 3); changes > 0; changes--)
        bytes = change(bytes, other);
      return bytes.subarray(0, maxBytes);
    },
  };
}
