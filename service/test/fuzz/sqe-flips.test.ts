/** Every single bit of the addresses and lengths of good SQEs and scatter lists, flipped: what random mutation meets only by chance. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIRST_BYTE, sqe } from './sqe.ts';

/** 32-bit words of the SQE: input and output length, then source, destination and context address. */
const WORDS = [4, 14, 18, 19, 20, 21, 22, 23];
/** Of a list: its counts, then address and length of both entries. */
const LIST_BYTES = [
  8,
  9,
  10,
  11,
  12,
  13,
  ...range(64, 76),
  ...range(80, 84),
  ...range(96, 108),
  ...range(112, 116),
];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

describe('an SQE with one bit of an address or a length flipped', () => {
  it('ends with a status or a fault, writes nothing but what it names, and the queue works on', async () => {
    const target = await sqe.open();
    const statuses = new Map<string, number>();
    let runs = 0;
    try {
      for (const seed of sqe.seeds()) {
        const isScattered = ((seed[FIRST_BYTE.sqe + 9 * 4 + 1] ?? 0) & 1) === 1;
        const bytes = WORDS.flatMap((word) =>
          range(FIRST_BYTE.sqe + word * 4, FIRST_BYTE.sqe + word * 4 + 4),
        );
        if (isScattered)
          for (const list of [FIRST_BYTE.listIn, FIRST_BYTE.listOut])
            bytes.push(...LIST_BYTES.map((byte) => list + byte));
        for (const byte of bytes)
          for (let bit = 0; bit < 8; bit++) {
            const flipped = Uint8Array.from(seed);
            flipped[byte] = (flipped[byte] ?? 0) ^ (1 << bit);
            const status = await target.run(flipped);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            runs++;
          }
        await target.settle?.();
      }
    } finally {
      await target.close();
    }
    assert.ok(runs > 2000);
    // an address bit more leads out of what is mapped; one of a length may not matter
    assert.ok((statuses.get('0x41') ?? 0) > runs / 3, JSON.stringify([...statuses]));
    assert.ok((statuses.get('0x0') ?? 0) > 0);
  });
});
