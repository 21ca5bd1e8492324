import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CalmScale, niceCeiling } from './nice-scale.ts';

describe('niceCeiling', () => {
  it('rounds up to 1, 2, 2.5 or 5 times a power of ten', () => {
    assert.deepEqual(
      [0, 0.3, 1, 1.1, 2.2, 4, 7, 99, 101].map(niceCeiling),
      [1, 0.5, 1, 2, 2.5, 5, 10, 100, 200],
    );
  });
});

describe('CalmScale', () => {
  it('grows at once and shrinks only when most of it is empty', () => {
    const scale = new CalmScale(1);
    assert.equal(scale.fit(90), 100);
    assert.equal(scale.fit(45), 100);
    assert.equal(scale.fit(39), 50);
    assert.equal(scale.fit(0), 1);
  });
});
