import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { iova, PAGE_BYTES, physAddr } from '../../../../shared/src/units.ts';
import { withCode } from '../../../test/support/errors.ts';
import { AddressSpace } from './address-space.ts';

const page = (number: number) => iova(number * PAGE_BYTES);
const READ_WRITE = { read: true, write: true };

interface ModelPage {
  frame: number;
  read: boolean;
  write: boolean;
  isPresent: boolean;
}

/** Around a leaf's border (512 pages) and the last page of the 48-bit range. */
const anyPage = fc.oneof(
  fc.nat(40),
  fc.integer({ min: 500, max: 530 }),
  fc.integer({ min: 2 ** 36 - 20, max: 2 ** 36 - 1 }),
);

describe('AddressSpace', () => {
  it('behaves as a plain map from page to frame under any map, unmap, page-in and lookup', () => {
    const command = fc.record({
      kind: fc.constantFrom('map', 'unmap', 'present', 'lookup'),
      at: anyPage,
      pages: fc.integer({ min: 1, max: 24 }),
      frame: fc.nat(1000),
      read: fc.boolean(),
      write: fc.boolean(),
      populate: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const space = new AddressSpace('sva');
        const model = new Map<number, ModelPage>();
        for (const { kind, at, pages, frame, read, write, populate } of commands) {
          const range = Array.from({ length: pages }, (_, i) => at + i);
          const isBeyond = at + pages > 2 ** 36;
          switch (kind) {
            case 'map': {
              const map = (): void =>
                space.map(
                  page(at),
                  physAddr(frame * PAGE_BYTES),
                  pages * PAGE_BYTES,
                  { read, write },
                  populate,
                );
              if (isBeyond) assert.throws(map, withCode('WD_E_EINVAL'));
              else if (range.some((number) => model.has(number))) assert.throws(map, withCode('WD_E_EEXIST'));
              else {
                map();
                range.forEach((number, i) => {
                  model.set(number, { frame: frame + i, read, write, isPresent: populate });
                });
              }
              break;
            }
            case 'unmap':
              if (isBeyond)
                assert.throws(() => space.unmap(page(at), pages * PAGE_BYTES), withCode('WD_E_EINVAL'));
              else {
                const gone = range.filter((number) => model.delete(number)).length;
                assert.equal(space.unmap(page(at), pages * PAGE_BYTES), gone * PAGE_BYTES);
              }
              break;
            case 'present': {
              const known = model.get(at);
              assert.equal(space.makePresent(at), known !== undefined);
              if (known) known.isPresent = true;
              break;
            }
          }
          for (const number of [at, at + 1, at + pages])
            for (const access of ['read', 'write'] as const) {
              const known = model.get(number);
              const expected = !known?.isPresent
                ? 'absent'
                : known[access]
                  ? known.frame * PAGE_BYTES
                  : 'forbidden';
              assert.equal(space.lookup(number, access), expected);
            }
          assert.equal(space.mappedBytes, model.size * PAGE_BYTES);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('AddressSpace.map', () => {
  it('leaves a range alone of which one page is mapped already', () => {
    const space = new AddressSpace('private');
    space.map(page(5), physAddr(0x5000), PAGE_BYTES, READ_WRITE);
    assert.throws(
      () => space.map(page(3), physAddr(0x10000), 4 * PAGE_BYTES, READ_WRITE),
      withCode('WD_E_EEXIST', /0x000000005000/),
    );
    assert.equal(space.lookup(3, 'read'), 'absent');
    assert.equal(space.mappedBytes, PAGE_BYTES);
  });
  it('refuses what is not whole pages below 2^48', () => {
    const space = new AddressSpace('private');
    const cases: [number, number][] = [
      [1, PAGE_BYTES],
      [0.5, PAGE_BYTES],
      [0, 0],
      [0, 1],
      [0, -PAGE_BYTES],
      [-PAGE_BYTES, PAGE_BYTES],
      [2 ** 48, PAGE_BYTES],
      [2 ** 48 - PAGE_BYTES, 2 * PAGE_BYTES],
      [Number.NaN, PAGE_BYTES],
    ];
    for (const [address, bytes] of cases) {
      assert.throws(() => space.map(iova(address), physAddr(0), bytes, READ_WRITE), withCode('WD_E_EINVAL'));
      assert.throws(() => space.unmap(iova(address), bytes), withCode('WD_E_EINVAL'));
    }
    space.map(iova(2 ** 48 - PAGE_BYTES), physAddr(0), PAGE_BYTES, READ_WRITE);
    assert.equal(space.lookup(2 ** 36 - 1, 'read'), 0);
  });
});

describe('AddressSpace.reserve', () => {
  it('gives ranges that never touch: an unmapped page lies behind each', () => {
    const space = new AddressSpace('private', 0x1000_0000);
    const ranges = [1, PAGE_BYTES, PAGE_BYTES + 1].map((bytes) => space.reserve(bytes));
    assert.deepEqual(ranges, [0x1000_0000, 0x1000_2000, 0x1000_4000]);
    assert.equal(space.reserve(1), 0x1000_7000);
  });
});

describe('an identity space', () => {
  it('looks every page up as itself', () => {
    const space = new AddressSpace('identity');
    assert.equal(space.lookup(77, 'write'), 77 * PAGE_BYTES);
  });
});
