import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Point, TimeRing } from './time-ring.ts';

const points = (count: number): Point[] => Array.from({ length: count }, () => ({ x: -1, y: -1 }));

function ringOf(values: number[], capacity = 8) {
  const ring = new TimeRing(['v'], capacity);
  values.forEach((v, index) => {
    ring.push(index * 10, { v });
  });
  return ring;
}

describe('TimeRing', () => {
  it('forgets the oldest reading when it is full', () => {
    const ring = ringOf([0, 1, 2, 3, 4, 5], 4);
    const target = points(8);
    assert.equal(ring.length, 4);
    assert.equal(ring.window('v', -100, 100, target), 4);
    assert.deepEqual(target.slice(0, 4), [
      { x: 20, y: 2 },
      { x: 30, y: 3 },
      { x: 40, y: 4 },
      { x: 50, y: 5 },
    ]);
  });

  it('lets the curve enter at the left edge with one reading from before it', () => {
    const target = points(8);
    const used = ringOf([0, 1, 2, 3, 4]).window('v', 25, 35, target);
    assert.deepEqual(
      target.slice(0, used).map(({ x }) => x),
      [20, 30],
    );
  });

  it('leaves out a reading that is not newer than the last', () => {
    const ring = ringOf([1, 2]);
    ring.push(10, { v: 99 });
    ring.push(5, { v: 99 });
    assert.equal(ring.length, 2);
  });

  it('keeps every spike when it thins readings out', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i === 617 ? 50 : i === 203 ? -7 : 1));
    const target = points(64);
    const used = ringOf(values, 1_000).window('v', 0, 10_000, target);
    const seen = target.slice(0, used).map(({ y }) => y);
    assert.ok(used <= 64);
    assert.equal(Math.max(...seen), 50);
    assert.equal(Math.min(...seen), -7);
    assert.ok(target.slice(1, used).every(({ x }, i) => x > target[i]!.x));
  });

  it('keeps a gap as a gap when it thins readings out', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i === 50 ? Number.NaN : 1));
    const target = points(20);
    const used = ringOf(values, 100).window('v', 0, 1_000, target);
    assert.ok(target.slice(0, used).some(({ y }) => Number.isNaN(y)));
  });

  it('finds the value at a moment, and none where the last one is too old', () => {
    const ring = ringOf([4, 5, 6]);
    assert.equal(ring.valueAt('v', 14, 10), 5);
    assert.ok(Number.isNaN(ring.valueAt('v', 500, 10)));
    assert.ok(Number.isNaN(ring.valueAt('v', -1, 10)));
  });
});
