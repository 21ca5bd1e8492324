import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { slopeOf } from './slope.ts';

describe('slopeOf', () => {
  it('is the slope of a line, whatever spikes lie on it', () => {
    const line = Array.from({ length: 50 }, (_, x) => ({ x, y: 3 * x + 7 }));
    assert.equal(slopeOf(line), 3);
    const spiked = line.map((point) => (point.x % 10 === 4 ? { ...point, y: 5000 } : point));
    assert.ok(Math.abs(slopeOf(spiked) - 3) < 0.2);
  });

  it('is 0 where nothing is known or nothing changes', () => {
    assert.equal(slopeOf([]), 0);
    assert.equal(slopeOf([{ x: 1, y: 5 }]), 0);
    assert.equal(
      slopeOf([
        { x: 1, y: 5 },
        { x: 2, y: 5 },
        { x: 3, y: 5 },
      ]),
      0,
    );
  });

  it('takes the middle of the two middle slopes when their number is even', () => {
    assert.equal(
      slopeOf([
        { x: 0, y: 0 },
        { x: 1, y: 1 },
        { x: 2, y: 4 },
        { x: 3, y: 9 },
      ]),
      3,
    );
  });
});
