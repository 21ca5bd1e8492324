import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { iova, PAGE_BYTES, type Pasid, physAddr, streamId } from '../../../../shared/src/units.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { AddressSpace } from './address-space.ts';
import { Iommu } from './iommu.ts';
import { IOTLB_MISS, Iotlb } from './iotlb.ts';

describe('Iotlb', () => {
  it('answers what it was filled with, for the access that was filled', () => {
    const tlb = new Iotlb(16);
    tlb.fill(1, 5, physAddr(0x9000), 'read');
    assert.equal(tlb.lookup(1, 5, 'read'), 0x9000);
    assert.equal(tlb.lookup(1, 5, 'write'), IOTLB_MISS);
    tlb.fill(1, 5, physAddr(0x9000), 'write');
    assert.equal(tlb.lookup(1, 5, 'read'), 0x9000);
    assert.equal(tlb.lookup(2, 5, 'read'), IOTLB_MISS);
    assert.deepEqual([tlb.hits, tlb.misses], [2, 2]);
  });
  it('forgets an address space or a range, and nothing else', () => {
    const tlb = new Iotlb(64);
    for (const asid of [0, 1]) for (const page of [7, 8]) tlb.fill(asid, page, physAddr(0x1000), 'read');
    tlb.invalidatePages(0, 8, 1);
    assert.equal(tlb.lookup(0, 8, 'read'), IOTLB_MISS);
    assert.equal(tlb.lookup(0, 7, 'read'), 0x1000);
    tlb.invalidateAll(0);
    assert.equal(tlb.lookup(0, 7, 'read'), IOTLB_MISS);
    assert.equal(tlb.lookup(1, 8, 'read'), 0x1000);
    tlb.invalidatePages(1, 0, 1000);
    assert.equal(tlb.lookup(1, 8, 'read'), IOTLB_MISS);
    assert.equal(tlb.invalidations, 3);
  });
});

const STREAM = streamId(0x7500);
const SPACES = 4;
const PAGES = 6;

type Step =
  | { kind: 'map'; space: number; page: number; frame: number; read: boolean; write: boolean }
  | { kind: 'unmap'; space: number; page: number }
  | { kind: 'bind' | 'unbind'; space: number }
  | { kind: 'access'; space: number; page: number; write: boolean };

const space = fc.nat(SPACES - 1);
const page = fc.nat(PAGES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('map' as const),
    space,
    page,
    frame: fc.integer({ min: 1, max: 99 }),
    read: fc.boolean(),
    write: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('unmap' as const), space, page }),
  fc.record({ kind: fc.constantFrom('bind' as const, 'unbind' as const), space }),
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('access' as const), space, page, write: fc.boolean() }),
  },
);

describe('Iommu with a translation cache', () => {
  it('agrees with a plain model of four spaces, whatever is mapped, unmapped, bound and accessed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.constantFrom(2, 8, 256), (steps, iotlbEntries) => {
        const iommu = new Iommu(new FakeClock(), 'stall', { iotlbEntries });
        const spaces = Array.from({ length: SPACES }, () => new AddressSpace('private'));
        const plain = spaces.map(() => new Map<number, { frame: number; read: boolean; write: boolean }>());
        const bound: { id: Pasid; binds: number }[] = spaces.map(() => ({ id: 0 as Pasid, binds: 0 }));
        for (const action of steps) {
          const real = spaces[action.space]!;
          const model = plain[action.space]!;
          const binding = bound[action.space]!;
          switch (action.kind) {
            case 'map': {
              const at = iova(action.page * PAGE_BYTES);
              const map = () => real.map(at, physAddr(action.frame * PAGE_BYTES), PAGE_BYTES, action);
              if (model.has(action.page)) assert.throws(map, { code: 'WD_E_EEXIST' });
              else {
                map();
                model.set(action.page, action);
              }
              break;
            }
            case 'unmap':
              assert.equal(
                real.unmap(iova(action.page * PAGE_BYTES), PAGE_BYTES),
                model.delete(action.page) ? PAGE_BYTES : 0,
              );
              break;
            case 'bind': {
              const id = iommu.bind(STREAM, real);
              if (binding.binds > 0) assert.equal(id, binding.id);
              binding.id = id;
              binding.binds++;
              break;
            }
            case 'unbind':
              iommu.unbind(binding.id, STREAM);
              binding.binds = Math.max(0, binding.binds - 1);
              break;
            case 'access': {
              if (binding.id === 0) break;
              const entry = binding.binds > 0 ? model.get(action.page) : undefined;
              const isAllowed = entry !== undefined && (action.write ? entry.write : entry.read);
              const access = action.write ? 'write' : 'read';
              const faults = iommu.faultCount;
              const extents = iommu.translate(
                STREAM,
                binding.id,
                iova(action.page * PAGE_BYTES + 8),
                16,
                access,
              );
              assert.deepEqual(
                extents,
                isAllowed ? [{ address: entry.frame * PAGE_BYTES + 8, bytes: 16 }] : undefined,
              );
              assert.equal(iommu.faultCount - faults, isAllowed ? 0 : 1);
              break;
            }
          }
        }
        assert.equal(iommu.pasidsInUse, bound.filter(({ binds }) => binds > 0).length);
        assert.deepEqual(
          spaces.map(({ mappedBytes }) => mappedBytes),
          plain.map(({ size }) => size * PAGE_BYTES),
        );
      }),
      { numRuns: 200 },
    );
  });
  it('misses once a page, then hits', () => {
    const iommu = new Iommu(new FakeClock(), 'stall');
    const space = new AddressSpace('private');
    const id = iommu.bind(STREAM, space);
    space.map(iova(0x1000), physAddr(0x8000), 4 * PAGE_BYTES, { read: true, write: true });
    for (let i = 0; i < 3; i++) iommu.translate(STREAM, id, iova(0x1000), 4 * PAGE_BYTES, 'read');
    assert.deepEqual([iommu.iotlb.misses, iommu.iotlb.hits], [4, 8]);
  });
});
