import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PAGE_BYTES, physAddr } from '../../../shared/src/units.ts';
import { withCode } from '../../test/support/errors.ts';
import { PhysicalMemory } from './physical-memory.ts';

const MIB = 1024 * 1024;

describe('PhysicalMemory.allocate', () => {
  it('never hands out frame 0', () => {
    assert.notEqual(new PhysicalMemory(8 * MIB).allocate(1), 0);
  });
  it('rounds up to whole frames and counts them', () => {
    const memory = new PhysicalMemory(8 * MIB);
    memory.allocate(1);
    memory.allocate(PAGE_BYTES + 1);
    assert.equal(memory.allocatedBytes, 3 * PAGE_BYTES);
  });
  it('grows past its first size up to its limit and refuses one frame more', () => {
    const memory = new PhysicalMemory(8 * MIB);
    const all = 8 * MIB - PAGE_BYTES; // frame 0 is not for sale
    const address = memory.allocate(all);
    memory.view(address, all)[all - 1] = 7;
    assert.throws(() => memory.allocate(1), withCode('WD_E_NO_MEMORY'));
    assert.equal(memory.allocatedBytes, all);
    memory.release(address, all);
    assert.equal(memory.allocate(all), address);
  });
  it('gives zeroed frames after another owner wrote to them', () => {
    const memory = new PhysicalMemory(8 * MIB);
    const first = memory.allocate(3 * PAGE_BYTES);
    memory.view(first, 3 * PAGE_BYTES).fill(0xa5);
    memory.release(first, 3 * PAGE_BYTES);
    const second = memory.allocate(2 * PAGE_BYTES);
    assert.equal(second, first);
    assert.ok(memory.view(second, 2 * PAGE_BYTES).every((byte) => byte === 0));
  });
  it('never gives two owners the same frame and joins what comes back (model)', () => {
    const step = fc.record({
      isAllocate: fc.boolean(),
      pages: fc.integer({ min: 1, max: 40 }),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new PhysicalMemory(4 * MIB);
        const owned: { start: number; pages: number }[] = [];
        for (const { isAllocate, pages, pick } of steps) {
          if (isAllocate) {
            let start: number;
            try {
              start = memory.allocate(pages * PAGE_BYTES) / PAGE_BYTES;
            } catch (error) {
              assert.ok(withCode('WD_E_NO_MEMORY')(error));
              continue;
            }
            for (const other of owned)
              assert.ok(start + pages <= other.start || other.start + other.pages <= start);
            owned.push({ start, pages });
          } else if (owned.length > 0) {
            const [gone] = owned.splice(pick % owned.length, 1);
            memory.release(physAddr(gone!.start * PAGE_BYTES), gone!.pages * PAGE_BYTES);
          }
          const pagesOwned = owned.reduce((sum, run) => sum + run.pages, 0);
          assert.equal(memory.allocatedBytes, pagesOwned * PAGE_BYTES);
        }
        for (const { start, pages } of owned)
          memory.release(physAddr(start * PAGE_BYTES), pages * PAGE_BYTES);
        const high = Math.max(0, ...owned.map(({ start, pages }) => start + pages));
        if (high > 1) assert.equal(memory.allocate((high - 1) * PAGE_BYTES), PAGE_BYTES);
      }),
      { numRuns: 60 },
    );
  });
});

describe('PhysicalMemory.words', () => {
  it('sees the bytes of view, little-endian, also beyond the first growth', () => {
    const memory = new PhysicalMemory(16 * MIB);
    const address = memory.allocate(10 * MIB);
    const last = physAddr(address + 10 * MIB - 4);
    memory.view(last, 4).set([0x78, 0x56, 0x34, 0x12]);
    assert.equal(memory.words(last, 1)[0], 0x12345678);
  });
  it('keeps views valid over a growth', () => {
    const memory = new PhysicalMemory(16 * MIB);
    const address = memory.allocate(PAGE_BYTES);
    const early = memory.view(address, PAGE_BYTES);
    memory.allocate(12 * MIB);
    early[9] = 99;
    assert.equal(memory.view(address, PAGE_BYTES)[9], 99);
  });
});
