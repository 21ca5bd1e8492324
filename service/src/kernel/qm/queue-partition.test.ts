import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { partitionQueues } from './queue-partition.ts';

describe('partitionQueues', () => {
  it('gives equal windows after the physical function’s, and the remainder to the last', () => {
    assert.deepEqual(partitionQueues(7), [
      { base: 64, count: 137 },
      { base: 201, count: 137 },
      { base: 338, count: 137 },
      { base: 475, count: 137 },
      { base: 612, count: 137 },
      { base: 749, count: 137 },
      { base: 886, count: 138 },
    ]);
  });
  it('leaves no queue without a function and gives none to two', () => {
    for (let vfs = 1; vfs <= 64; vfs++) {
      const windows = partitionQueues(vfs);
      let next = 64;
      for (const { base, count } of windows) {
        assert.equal(base, next);
        assert.ok(count > 0);
        next += count;
      }
      assert.equal(next, 1024);
    }
  });
});
