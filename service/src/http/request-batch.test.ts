import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RequestBatch } from './request-batch.ts';

/** A batch and what happened in it: `w` for work, `a` for an answer. */
function recorded() {
  const batch = new RequestBatch();
  const events: string[] = [];
  const add = (id: number, bytes: number | undefined) => {
    const work = () => {
      events.push(`w${id}`);
      return bytes;
    };
    batch.add({ work, answer: () => events.push(`a${id}`) }, bytes ?? 0);
  };
  return { events, add };
}

describe('RequestBatch', () => {
  it('works on the requests of two turns, then answers them in their order', async () => {
    const { events, add } = recorded();
    for (const id of [1, 2]) add(id, 2048);
    await nextTurn();
    assert.deepEqual(events, []);
    add(3, 2048);
    await nextTurn();
    assert.deepEqual(events, ['w1', 'w2', 'w3', 'a1', 'a2', 'a3']);
  });

  it('lets a request that is alone in its turn wait for no other', async () => {
    const { events, add } = recorded();
    for (const id of [1, 2]) {
      add(id, 2048);
      await nextTurn();
    }
    assert.deepEqual(events, ['w1', 'a1', 'w2', 'a2']);
  });

  it('waits for no more requests when there is enough work', async () => {
    const { events, add } = recorded();
    add(1, 32 * 1024);
    add(2, 32 * 1024);
    await nextTurn();
    assert.deepEqual(events, ['w1', 'w2', 'a1', 'a2']);
  });

  it('answers those that waited as soon as there was enough work, and each once', async () => {
    const { events, add } = recorded();
    add(1, 2048);
    add(2, 64 * 1024);
    add(3, 2048);
    await nextTurn();
    assert.deepEqual(events, ['w1', 'w2', 'a1', 'a2', 'w3', 'a3']);
  });

  it('leaves the answer to a request whose work is not done', async () => {
    const { events, add } = recorded();
    add(1, undefined);
    add(2, 2048);
    await nextTurn();
    await nextTurn();
    assert.deepEqual(events, ['w1', 'w2', 'a2']);
  });

  it('takes what is added while it works in the next turn', async () => {
    const batch = new RequestBatch();
    const events: string[] = [];
    const late = { work: () => events.push('late'), answer: () => {} };
    batch.add(
      {
        work: () => {
          batch.add(late, 1);
          return 1;
        },
        answer: () => events.push('first'),
      },
      1,
    );
    await nextTurn();
    assert.deepEqual(events, ['first']);
    await nextTurn();
    assert.deepEqual(events, ['first', 'late']);
  });
});
