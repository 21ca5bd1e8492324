import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { goldenLayout } from '../../test/support/golden.ts';
import { QOS_MAX, QOS_MIN, QOS_STEP_MBIT, SHAPER_VFT, shaperRate } from './shaper.ts';

describe('SHAPER_VFT (Linux qm.c QM_SHAPER_*)', () => {
  goldenLayout(4, SHAPER_VFT, {
    cirB: [0, 0x0000_00ff],
    cirU: [0, 0x0000_0700],
    cirS: [0, 0x0000_7800],
    cbsB: [0, 0x0007_8000],
    cbsS: [0, 0x00f8_0000],
  });
});

describe('shaperRate (sources.md 5.12)', () => {
  it('is (b × 8000 × 2^u) / (768 × 2^s)', () => {
    assert.equal(shaperRate(150, 6, 0), 100_000);
    assert.equal(shaperRate(192, 0, 4), 125);
  });
  it('takes 1 to 1000 in steps of 100 Mbit/s', () =>
    assert.deepEqual([QOS_MIN, QOS_MAX, QOS_STEP_MBIT], [1, 1000, 100]));
});
