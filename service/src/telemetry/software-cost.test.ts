import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SoftwareCostSampler, softwareCost } from './software-cost.ts';

describe('SoftwareCostSampler', () => {
  it('measures one piece between two readings and none before anyone reads', () => {
    let us = 0;
    const sampler = new SoftwareCostSampler(() => (us += 500));
    const piece = Buffer.alloc(40_000, 'abc');
    sampler.offer(piece, 1);
    assert.equal(us, 0);
    assert.equal(sampler.next().count, 0);
    sampler.offer(Buffer.alloc(100), 1);
    assert.equal(us, 0, 'too small to tell a speed');
    for (let i = 0; i < 5; i++) sampler.offer(piece, 1);
    assert.equal(us, 1000);
    assert.deepEqual(sampler.next(), { count: 1, bytes: 32_768, us: 500 });
    sampler.stop();
    sampler.offer(piece, 1);
    assert.equal(us, 1000);
  });

  it('keeps the last pieces only', () => {
    let us = 0;
    const sampler = new SoftwareCostSampler(() => (us += 10));
    for (let i = 0; i < 100; i++) {
      sampler.next();
      sampler.offer(Buffer.alloc(1000), 6);
    }
    assert.equal(sampler.next().count, 16);
  });
});

describe('softwareCost', () => {
  it('is not known before the first sample, then the mean of all processes’ samples by their bytes', () => {
    assert.equal(softwareCost([{ count: 0, bytes: 0, us: 0 }], 77), undefined);
    const samples = [
      { count: 1, bytes: 1000, us: 100 },
      { count: 0, bytes: 0, us: 0 },
      { count: 3, bytes: 3000, us: 100 },
    ];
    assert.deepEqual(softwareCost(samples, 77), {
      bytesPerSec: 20e6,
      compressedBytes: 77,
      samples: 4,
      sampleBytes: 1000,
    });
  });
});
