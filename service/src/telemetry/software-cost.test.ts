import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SoftwareCostSampler } from './software-cost.ts';

describe('SoftwareCostSampler', () => {
  it('measures one piece between two readings and none before anyone reads', () => {
    let us = 0;
    const sampler = new SoftwareCostSampler(() => (us += 500));
    const piece = Buffer.alloc(40_000, 'abc');
    sampler.offer(piece, 1);
    assert.equal(us, 0);
    assert.equal(sampler.read(0), undefined);
    sampler.offer(Buffer.alloc(100), 1);
    assert.equal(us, 0, 'too small to tell a speed');
    for (let i = 0; i < 5; i++) sampler.offer(piece, 1);
    assert.equal(us, 1000);
    assert.deepEqual(sampler.read(77), {
      bytesPerSec: Math.round((32_768 * 1e6) / 500),
      compressedBytes: 77,
      samples: 1,
      sampleBytes: 32_768,
    });
    sampler.stop();
    sampler.offer(piece, 1);
    assert.equal(us, 1000);
  });

  it('keeps the last pieces only', () => {
    let us = 0;
    const sampler = new SoftwareCostSampler(() => (us += 10));
    for (let i = 0; i < 100; i++) {
      sampler.read(0);
      sampler.offer(Buffer.alloc(1000), 6);
    }
    assert.equal(sampler.read(0)?.samples, 16);
  });
});
