import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { addressField, field, getAddress, getField, setAddress, setField } from './field.ts';

const anyField = fc
  .tuple(fc.nat(7), fc.integer({ min: 0, max: 31 }), fc.integer({ min: 1, max: 32 }))
  .map(([dword, shift, bits]) => field(dword, shift, Math.min(bits, 32 - shift), 'in', 'property'));
const anyWords = fc.uint32Array({ minLength: 24, maxLength: 24 });
const anyWord = fc.integer({ min: 0, max: 0xffff_ffff });

/** The descriptor as one big integer, so that the expectation knows nothing of words and signs. */
const asInteger = (words: Uint32Array): bigint =>
  words.reduce((sum, word, index) => sum | (BigInt(word) << BigInt(32 * index)), 0n);

describe('setField', () => {
  it('replaces the field’s own bits and leaves every other bit of the descriptor alone', () => {
    fc.assert(
      fc.property(anyWords, fc.nat(16), anyField, anyWord, (words, base, f, value) => {
        const position = BigInt(32 * (base + f.dword) + f.shift);
        const mask = ((1n << BigInt(f.bits)) - 1n) << position;
        const expected = (asInteger(words) & ~mask) | ((BigInt(value) << position) & mask);
        setField(words, base, f, value);
        assert.equal(asInteger(words), expected);
      }),
    );
  });
});

describe('getField', () => {
  it('gives back what setField wrote, unsigned, with excess high bits cut off', () => {
    fc.assert(
      fc.property(anyWords, fc.nat(16), anyField, anyWord, (words, base, f, value) => {
        setField(words, base, f, value);
        assert.equal(BigInt(getField(words, base, f)), BigInt(value) & ((1n << BigInt(f.bits)) - 1n));
      }),
    );
  });
  it('reads bit 31 as a positive number', () => {
    assert.equal(getField(Uint32Array.of(0xffff_ffff), 0, field(0, 0, 32, 'in', '')), 4294967295);
    assert.equal(getField(Uint32Array.of(0x8000_0000), 0, field(0, 31, 1, 'in', '')), 1);
  });
});

describe('setAddress', () => {
  it('keeps every address up to 2^53 − 1 exactly, low word first', () => {
    fc.assert(
      fc.property(anyWords, fc.maxSafeNat(), (words, address) => {
        const before = words.slice();
        setAddress(words, 4, addressField(3, 'in', ''), address);
        assert.equal(getAddress(words, 4, addressField(3, 'in', '')), address);
        assert.equal(BigInt(words[7]!) | (BigInt(words[8]!) << 32n), BigInt(address));
        words[7] = before[7]!;
        words[8] = before[8]!;
        assert.deepEqual(words, before);
      }),
    );
  });
  it('keeps the borders of the word and of the double', () => {
    for (const address of [0, 1, 0xffff_ffff, 0x1_0000_0000, 2 ** 48 - 1, 2 ** 48, 2 ** 53 - 1, 2 ** 53]) {
      const words = new Uint32Array(2);
      setAddress(words, 0, addressField(0, 'in', ''), address);
      assert.equal(getAddress(words, 0, addressField(0, 'in', '')), address);
    }
  });
});
