import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuzzInflate } from './fuzz-inflate.ts';

describe('fuzzInflate', () => {
  // Over 200 ms on purpose: the long run of 10 million is `npm run fuzz:inflate -- --executions 10000000`.
  it('finds no stream on which the wasm core and node:zlib disagree', () => {
    const { disagreements, verdicts } = fuzzInflate(15_000, 20_250_101);
    assert.deepEqual(disagreements, []);
    for (const verdict of ['ok', 'truncated', 'corrupt'] as const)
      assert.ok(verdicts[verdict] > 500, verdict);
  });
});
