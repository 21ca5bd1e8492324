import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDuration, parseSize, sizeText } from './units.ts';

describe('parseSize', () => {
  it('reads bytes, decimal and binary units', () => {
    const cases: [string, number][] = [
      ['65536', 65536],
      ['64KiB', 65536],
      ['64kib', 65536],
      ['1.5 MiB', 1572864],
      ['2GB', 2e9],
      ['2GiB', 2 ** 31],
      ['0', 0],
    ];
    for (const [text, bytes] of cases) assert.equal(parseSize(text), bytes, text);
  });
  it('refuses what is no size', () => {
    for (const text of ['', '-1', '64Kib/s', 'many', '1e3', '99999999TiB'])
      assert.equal(parseSize(text), undefined, text);
  });
});

describe('sizeText', () => {
  it('takes the largest unit that loses nothing', () => {
    for (const text of ['1KiB', '64KiB', '1MiB', '1536KiB', '2GiB', '65537', '0'])
      assert.equal(sizeText(parseSize(text) ?? -1), text);
  });
});

describe('parseDuration', () => {
  it('gives milliseconds; a bare number counts seconds', () => {
    const cases: [string, number][] = [
      ['30s', 30_000],
      ['250ms', 250],
      ['5m', 300_000],
      ['1h', 3_600_000],
      ['1.5', 1500],
    ];
    for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
  });
  it('refuses what is no time', () => {
    for (const text of ['', 'soon', '3 days']) assert.equal(parseDuration(text), undefined, text);
  });
});
