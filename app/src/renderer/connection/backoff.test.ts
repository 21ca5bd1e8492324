import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_DELAY_MS, MIN_DELAY_MS, reconnectDelayMs } from './backoff.ts';

describe('reconnectDelayMs', () => {
  it('doubles its ceiling from one second up to fifteen', () => {
    const ceilings = [0, 1, 2, 3, 4, 5, 50].map((attempt) => reconnectDelayMs(attempt, 1));
    assert.deepEqual(ceilings, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, MAX_DELAY_MS]);
  });
  it('never waits less than half a second', () => {
    for (const attempt of [0, 3, 1_000]) assert.equal(reconnectDelayMs(attempt, 0), MIN_DELAY_MS);
  });
});
