import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { age, count, dataSize, duration, durationPair, figure, multipleWords, percent } from './format.ts';

describe('figures', () => {
  it('keep three digits and group thousands', () => {
    assert.deepEqual([0, 0.004, 0.42, 4.2, 9.996, 42, 99.96, 420, 4_200].map(figure), [
      '0',
      '<0.01',
      '0.42',
      '4.20',
      '10.0',
      '42.0',
      '100',
      '420',
      '4,200',
    ]);
  });
  it('are a dash, never a zero, while they are unknown', () => {
    assert.deepEqual(
      [figure, count, percent, duration, dataSize].map((write) => write(Number.NaN)),
      ['–', '–', '–', '–', '–'],
    );
    assert.equal(durationPair(Number.NaN, 5).text, '–');
  });
  it('carry the unit that keeps them short', () => {
    assert.deepEqual([0, 999, 8_192, 1.5e9].map(dataSize), ['0 B', '999 B', '8.19 kB', '1.50 GB']);
    assert.deepEqual([4.2, 340, 1_234, 2.5e6].map(duration), ['4.2 µs', '340 µs', '1.23 ms', '2.50 s']);
    assert.deepEqual(durationPair(120, 340), { text: '120 / 340', unit: 'µs' });
    assert.deepEqual(durationPair(120, 3_400), { text: '0.12 / 3.40', unit: 'ms' });
    assert.deepEqual(durationPair(22_900, 2_256_000), { text: '0.02 / 2.26', unit: 's' });
    assert.deepEqual([999_999, 3_150_000].map(count), ['999,999', '3.15 M']);
    assert.deepEqual([12.34, 1, 0.047].map(multipleWords), ['12.3 ×', '1.0 ×', '0.05 ×']);
  });
  it('write ages as people say them', () => {
    assert.deepEqual([-5, 400, 12_700, 180_000, 7_500_000].map(age), [
      '0.0 s',
      '0.4 s',
      '12 s',
      '3 min',
      '2 h 05 min',
    ]);
  });
});
