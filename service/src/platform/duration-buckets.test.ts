import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bucketBoundS, DurationBuckets } from './duration-buckets.ts';

describe('DurationBuckets', () => {
  it('counts a duration in the first bucket whose bound is not below it', () => {
    const durations = fc.oneof(
      fc.double({ min: 0, max: 1e10, noNaN: true }),
      fc.integer({ min: -3, max: 40 }).map((power) => 2 ** power),
    );
    fc.assert(
      fc.property(durations, (us) => {
        const buckets = new DurationBuckets();
        buckets.observe(us);
        const { counts, sumUs } = buckets.read();
        const at = counts.indexOf(1);
        assert.ok(us / 1e6 <= bucketBoundS(at), `${us} µs is in bucket ${at}`);
        assert.ok(at === 0 || us / 1e6 > bucketBoundS(at - 1), `${us} µs is in bucket ${at}`);
        assert.equal(sumUs, us);
      }),
    );
  });

  it('ends with a bucket for everything', () => {
    const { counts } = new DurationBuckets().read();
    assert.equal(bucketBoundS(counts.length - 1), Infinity);
    assert.equal(bucketBoundS(counts.length - 2), 2 ** 24 / 1e6);
  });
});
