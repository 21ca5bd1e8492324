import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FairTurns } from './fair-turns.ts';

describe('FairTurns', () => {
  it('lets timers and sockets in once enough was done, and asks nobody to wait before', async () => {
    const turns = new FairTurns(100);
    assert.equal(turns.take(99), undefined);
    assert.equal(turns.take(1), undefined);
    let others = 0;
    setImmediate(() => others++);
    await turns.take(50);
    assert.equal(others, 1);
    assert.equal(turns.take(50), undefined);
  });

  it('lets as many in as a turn has room for, in order', async () => {
    const turns = new FairTurns(100);
    void turns.take(100);
    const order: number[] = [];
    for (let i = 0; i < 6; i++) void turns.take(50)?.then(() => order.push(i));
    await nextTurn();
    assert.deepEqual(order, [0, 1]);
    assert.notEqual(turns.take(1), undefined, 'who comes later does not overtake');
    await nextTurn();
    await nextTurn();
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  });

  it('counts what was given back as not done', () => {
    const turns = new FairTurns(100);
    void turns.take(100);
    turns.giveBack(60);
    assert.equal(turns.take(10), undefined);
  });
});
