import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FairTurns } from './fair-turns.ts';

describe('FairTurns', () => {
  it('lets timers and sockets in once enough was done, and asks nobody to wait before', async () => {
    const turns = new FairTurns(100);
    turns.did(99);
    assert.equal(turns.turn(), undefined);
    turns.did(1);
    let others = 0;
    setImmediate(() => others++);
    const [first, second] = [turns.turn(), turns.turn()];
    assert.equal(first, second, 'all wait for the same turn');
    await first;
    assert.equal(others, 1);
    assert.equal(turns.turn(), undefined);
  });
});
