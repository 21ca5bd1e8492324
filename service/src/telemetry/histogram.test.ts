import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DurationBuckets } from '../platform/duration-buckets.ts';
import { DurationHistogram, exposed } from './histogram.ts';

describe('DurationHistogram', () => {
  it('counts an observation in the first bucket that holds it, bounds included', () => {
    const histogram = new DurationHistogram();
    for (const seconds of [0.000_1, 0.000_11, 3, 1000]) histogram.observe(seconds);
    const { buckets, sum, count } = histogram.read();
    const at = (le: string) => buckets.find((bucket) => bucket.le === le)?.count;
    assert.deepEqual(
      [at('0.0001'), at('0.00025'), at('2.5'), at('5'), at('60'), at('+Inf')],
      [1, 2, 2, 3, 3, 4],
    );
    assert.equal(count, 4);
    assert.ok(Math.abs(sum - 1003.00021) < 1e-9);
  });
});

describe('exposed', () => {
  it('accumulates the stack’s buckets of powers of two, in seconds', () => {
    const stack = new DurationBuckets();
    for (const us of [0.25, 3, 4, 1e9]) stack.observe(us);
    const { buckets, sum, count } = exposed(stack.read());
    const at = (le: string) => buckets.find((bucket) => bucket.le === le)?.count;
    assert.deepEqual(
      [at('2.5e-7'), at('0.000002'), at('0.000004'), at('0.001024'), at('+Inf')],
      [1, 1, 3, 3, 4],
    );
    assert.deepEqual([count, Math.round(sum)], [4, 1000]);
  });
});
