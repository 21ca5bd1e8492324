import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AnswerBatch } from './answer-batch.ts';

describe('AnswerBatch', () => {
  it('sends the answers of a turn at its end, in their order', async () => {
    const batch = new AnswerBatch();
    const sent: number[] = [];
    for (const id of [1, 2, 3]) batch.add(() => sent.push(id), 2048);
    assert.equal(sent.length, 0);
    await nextTurn();
    assert.deepEqual(sent, [1, 2, 3]);
    batch.add(() => sent.push(4), 2048);
    await nextTurn();
    assert.deepEqual(sent, [1, 2, 3, 4]);
  });

  it('sends at once what made enough work, with all that waited, and each once', async () => {
    const batch = new AnswerBatch();
    const sent: number[] = [];
    batch.add(() => sent.push(1), 2048);
    batch.add(() => sent.push(2), 64 * 1024);
    assert.deepEqual(sent, [1, 2]);
    batch.add(() => sent.push(3), 2048);
    await nextTurn();
    assert.deepEqual(sent, [1, 2, 3]);
  });
});
