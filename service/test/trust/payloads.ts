import { jsonLines, mixed, noise } from '../support/corpus.ts';

export interface Expectation {
  name: string;
  bytes: Buffer;
}

const SIZES = [0, 1, 100, 2000, 20_000, 65_536, 300_000, 1_000_000, 2_000_000];

/** Payloads of every size and kind, small ones more often. Made once, because making them costs more than using them. */
export function payloadPool(seed: number, maxBytes: number) {
  const sizes = SIZES.filter((bytes) => bytes <= maxBytes);
  const makers = { json: jsonLines, noise, mixed };
  const all: Expectation[] = sizes.flatMap((size) =>
    Object.entries(makers).map(([name, make]) => ({
      name: `${size} bytes of ${name}`,
      bytes: make(size, seed),
    })),
  );
  return {
    take(below: (limit: number) => number): Expectation {
      const largest = 1 + below(all.length);
      return all[below(largest)] ?? { name: 'nothing', bytes: Buffer.alloc(0) };
    },
  };
}
