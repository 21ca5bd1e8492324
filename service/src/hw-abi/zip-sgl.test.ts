import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as sgl from './zip-sgl.ts';

/** Typed from reference/sources.md 5.14 and 6.8. */
describe('scatter lists (sources.md 5.14)', () => {
  it('have heads of 64 bytes at multiples of 64', () =>
    assert.deepEqual([sgl.SGL_HEAD_BYTES, sgl.SGL_ALIGNMENT], [64, 64]));
  it('have the fields of a head where hisi_sgl has them', () =>
    assert.deepEqual(
      { ...sgl.SGL_HEAD },
      { next: 0, entriesInChain: 8, entries: 10, capacity: 12, nextVirtual: 48, dataBytes: 56 },
    ));
  it('have entries of 32 bytes', () => {
    assert.equal(sgl.SGE_BYTES, 32);
    assert.deepEqual({ ...sgl.SGE }, { buffer: 0, pageControl: 8, length: 16, virtual: 24 });
  });
  it('have at most 255 entries of at most 8 MiB in 256 heads, offsets of 24 bits', () =>
    assert.deepEqual(
      [sgl.MAX_SGES, sgl.MAX_SGE_BYTES, sgl.MAX_SGLS, sgl.MAX_SGE_DATA_OFFSET],
      [255, 8388608, 256, 0xffffff],
    ));
});
