import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hex, isPowerOfTwo, PAGE_BYTES, PAGE_SHIFT } from './units.ts';

describe('hex', () => {
  it('pads to the digits that were asked for and never cuts', () => {
    assert.equal(hex(0x41, 2), '0x41');
    assert.equal(hex(0x300), '0x00000300');
    assert.equal(hex(0x7f0012345000, 12), '0x7f0012345000');
    assert.equal(hex(0x7f0012345000, 1), '0x7f0012345000');
  });
});

describe('isPowerOfTwo', () => {
  it('is true for 1, 2, 4 … 2^40 only', () => {
    for (const value of [1, 2, 4, 1024, 2 ** 40]) assert.equal(isPowerOfTwo(value), true, `${value}`);
    for (const value of [0, -2, 3, 1000, 1023, 2 ** 40 + 1])
      assert.equal(isPowerOfTwo(value), false, `${value}`);
  });
});

describe('page constants', () => {
  it('describe pages of 4 KiB', () => assert.deepEqual([PAGE_BYTES, PAGE_SHIFT], [4096, 12]));
});
