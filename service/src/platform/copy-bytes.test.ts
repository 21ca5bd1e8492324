import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copyBytes, copyOf } from './copy-bytes.ts';

const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));
const counted = (target: Uint8Array): Uint8Array => {
  for (let i = 0; i < target.length; i++) target[i] = (i * 7 + 1) & 0xff;
  return target;
};

describe('copyBytes', () => {
  it('copies into and out of shared memory, at any place of a word, and nothing beside it', () => {
    for (const make of [shared, (bytes: number) => new Uint8Array(bytes)])
      for (let from = 0; from < 9; from++)
        for (let to = 0; to < 9; to++)
          for (const bytes of [0, 1, 7, 8, 100]) {
            const source = counted(make(120)).subarray(from, from + bytes);
            const target = (make === shared ? new Uint8Array(120) : shared(120)).fill(0xee);
            copyBytes(target, to, source);
            const wanted = Buffer.alloc(120, 0xee);
            for (const [i, byte] of source.entries()) wanted[to + i] = byte;
            assert.ok(wanted.equals(target), `${from} → ${to}, ${bytes}`);
          }
  });
  it('refuses what does not fit, and changes nothing', () => {
    const target = shared(10);
    assert.throws(() => copyBytes(target, 5, counted(new Uint8Array(6))), RangeError);
    assert.throws(() => copyBytes(target, -1, counted(new Uint8Array(6))), RangeError);
    assert.ok(target.every((byte) => byte === 0));
  });
});

describe('copyOf', () => {
  it('is ordinary memory', () => {
    const source = counted(shared(1000));
    const copy = copyOf(source.subarray(3, 900));
    assert.ok(copy.equals(source.subarray(3, 900)));
    assert.ok(copy.buffer instanceof ArrayBuffer);
  });
});
