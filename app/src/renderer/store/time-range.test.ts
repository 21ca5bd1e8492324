import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimeRange } from './time-range.ts';

describe('TimeRange', () => {
  it('follows the present over its span and stops at the shortest and the longest', () => {
    const range = new TimeRange();
    assert.deepEqual(range.window(100_000), { fromMs: 40_000, toMs: 100_000, isZoomed: false });
    for (let i = 0; i < 9; i++) range.step(1);
    assert.equal(range.spanMs, 3_600_000);
    for (let i = 0; i < 9; i++) range.step(-1);
    assert.equal(range.spanMs, 30_000);
  });
  it('stays where it was zoomed to, whichever way it was dragged, until it is reset', () => {
    const range = new TimeRange();
    range.zoomTo(9_000, 4_000);
    assert.deepEqual(range.window(1e6), { fromMs: 4_000, toMs: 9_000, isZoomed: true });
    range.zoomTo(5_000, 5_010);
    const { fromMs, toMs } = range.window(0);
    assert.equal(toMs - fromMs, 2_000);
    range.reset();
    assert.equal(range.window(1e6).isZoomed, false);
  });
});
