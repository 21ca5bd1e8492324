import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { FairTurns } from './fair-turns.ts';

/** Turns of 1 ms, and work that takes as long as it says. */
function turnsOf1Ms() {
  const clock = new FakeClock();
  const turns = new FairTurns(clock, 1000);
  const order: string[] = [];
  const run = (name: string, ms: number) =>
    turns.run(() => {
      clock.advance(ms);
      order.push(name);
    });
  return { turns, order, run };
}

describe('FairTurns.run', () => {
  it('works at once while the turn has time left', () => {
    const { turns, order, run } = turnsOf1Ms();
    assert.equal(
      turns.run(() => 5),
      5,
    );
    assert.equal(run('a', 0.9), undefined);
    assert.equal(run('b', 5), undefined, 'a piece that was begun is ended');
    assert.deepEqual(order, ['a', 'b']);
  });

  it('lets sockets and timers in once the time of a turn is spent', async () => {
    const { order, run } = turnsOf1Ms();
    void run('a', 1);
    setImmediate(() => order.push('another'));
    await run('b', 1);
    await run('c', 1);
    assert.deepEqual(order, ['a', 'b', 'another', 'c']);
  });

  it('lets as many in as a turn has time for, in order, and nobody overtakes', async () => {
    const { order, run } = turnsOf1Ms();
    void run('first', 1);
    for (let i = 0; i < 5; i++) void run(`${i}`, 0.5);
    await nextTurn();
    assert.deepEqual(order, ['first', '0', '1']);
    void run('late', 0.1);
    await nextTurn();
    await nextTurn();
    assert.deepEqual(order, ['first', '0', '1', '2', '3', '4', 'late']);
  });

  it('gives streams that always have more to do a piece each in turn', async () => {
    const { order, run } = turnsOf1Ms();
    const stream = async (name: string, pieces: number) => {
      for (let i = 0; i < pieces; i++) await run(name, 1);
    };
    await Promise.all([stream('bomb', 4), stream('long', 4), stream('short', 1)]);
    assert.deepEqual(order.slice(0, 3).toSorted(), ['bomb', 'long', 'short']);
    assert.deepEqual(order.slice(3, 5).toSorted(), ['bomb', 'long']);
  });

  it('does a piece in every turn, however long each is', async () => {
    const { order, run } = turnsOf1Ms();
    for (let i = 0; i < 3; i++) void run(`${i}`, 50);
    for (let turn = 1; turn <= 3; turn++) {
      assert.equal(order.length, turn);
      await nextTurn();
    }
  });

  it('begins with a whole turn after one without bulk work', async () => {
    const { order, run } = turnsOf1Ms();
    void run('a', 1);
    await nextTurn();
    await nextTurn();
    assert.equal(run('b', 1), undefined);
    assert.deepEqual(order, ['a', 'b']);
  });

  it('hands on what the work throws, at once or late, and goes on', async () => {
    const { turns, order, run } = turnsOf1Ms();
    const fail = () => turns.run(() => assert.fail('broken'));
    assert.throws(fail, /broken/);
    void run('a', 1);
    const late = assert.rejects(async () => fail(), /broken/);
    const after = run('b', 1);
    await Promise.all([late, after]);
    assert.deepEqual(order, ['a', 'b']);
  });
});
