import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from './byte-queue.ts';

describe('ByteQueue', () => {
  it('behaves as one long array under any push, peek and drop', () => {
    const command = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ bytes })),
      fc.nat(30).map((drop) => ({ drop })),
      fc.nat(30).map((peek) => ({ peek })),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 50 }), (commands) => {
        const queue = new ByteQueue();
        let model: number[] = [];
        for (const step of commands) {
          if ('bytes' in step) {
            queue.push(step.bytes);
            model.push(...step.bytes);
          } else if ('drop' in step) {
            const bytes = Math.min(step.drop, model.length);
            queue.drop(bytes);
            model = model.slice(bytes);
          } else assert.deepEqual([...queue.peek(step.peek)], model.slice(0, step.peek));
          assert.equal(queue.length, model.length);
        }
        assert.deepEqual([...queue.peek(2000)], model);
      }),
    );
  });
  it('copies what fits and says how much', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2));
    queue.push(Uint8Array.of(3));
    const target = new Uint8Array(5);
    assert.equal(queue.peekInto(target), 3);
    assert.deepEqual([...target], [1, 2, 3, 0, 0]);
  });
  it('is empty after clear, also in the middle of a chunk', () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3));
    queue.drop(1);
    queue.clear();
    queue.push(Uint8Array.of(9));
    assert.deepEqual([...queue.peek(5)], [9]);
  });
});
