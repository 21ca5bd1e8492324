import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { iova, PAGE_BYTES, pasid, physAddr, streamId } from '../../../../shared/src/units.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { AddressSpace, type SpaceKind } from './address-space.ts';
import { type FaultModel, Iommu } from './iommu.ts';

const STREAM = streamId(0x7500);
const OTHER_STREAM = streamId(0xb500);
const READ_WRITE = { read: true, write: true };

function boundSpace(kind: SpaceKind = 'private', faultModel: FaultModel = 'stall') {
  const iommu = new Iommu(new FakeClock(), faultModel);
  const space = new AddressSpace(kind);
  const id = iommu.bind(STREAM, space);
  const translate = (address: number, bytes: number, access: 'read' | 'write' = 'read') =>
    iommu.translate(STREAM, id, iova(address), bytes, access);
  return { iommu, space, id, translate };
}

describe('Iommu.translate', () => {
  it('records F_TRANSLATION with stream, PASID, address and access for an unmapped page', () => {
    const { iommu, id, translate } = boundSpace();
    assert.equal(translate(0x1234_5678, 4, 'write'), undefined);
    assert.deepEqual(iommu.faults(), [
      {
        seq: 1,
        atMs: 1_700_000_000_000,
        event: 'F_TRANSLATION',
        streamId: 0x7500,
        pasid: id,
        iova: 0x1234_5678,
        access: 'write',
        domainKind: 'dma',
      },
    ]);
  });
  it('names the first byte that is not mapped, when the range starts on a mapped page', () => {
    const { iommu, space, translate } = boundSpace();
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    assert.equal(translate(0x1800, PAGE_BYTES), undefined);
    assert.equal(iommu.faults()[0]?.iova, 0x2000);
  });
  it('records F_PERMISSION for a write to a page mapped for reading, and the reverse', () => {
    const { iommu, space, translate } = boundSpace();
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, { read: true, write: false });
    space.map(iova(0x2000), physAddr(0x9000), PAGE_BYTES, { read: false, write: true });
    assert.ok(translate(0x1000, 8, 'read'));
    assert.ok(translate(0x2000, 8, 'write'));
    assert.equal(translate(0x1000, 8, 'write'), undefined);
    assert.equal(translate(0x2000, 8, 'read'), undefined);
    assert.deepEqual(
      iommu.faults().map(({ event, iova: at, access }) => [event, at, access]),
      [
        ['F_PERMISSION', 0x1000, 'write'],
        ['F_PERMISSION', 0x2000, 'read'],
      ],
    );
  });
  it('records C_BAD_SUBSTREAMID for a PASID that nothing is bound to', () => {
    const { iommu } = boundSpace();
    assert.equal(iommu.translate(STREAM, pasid(999), iova(0x1000), 8, 'read'), undefined);
    assert.deepEqual([iommu.faults()[0]?.event, iommu.faults()[0]?.pasid], ['C_BAD_SUBSTREAMID', 999]);
  });
  it('records C_BAD_SUBSTREAMID when another device uses the PASID', () => {
    const { iommu, space, id } = boundSpace();
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    assert.equal(iommu.translate(OTHER_STREAM, id, iova(0x1000), 8, 'read'), undefined);
    assert.equal(iommu.faults()[0]?.event, 'C_BAD_SUBSTREAMID');
  });
  it('resolves the same address in two spaces to different memory', () => {
    const { iommu, space, id } = boundSpace();
    const second = new AddressSpace('private');
    const secondId = iommu.bind(STREAM, second);
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    second.map(iova(0x1000), physAddr(0x20000), PAGE_BYTES, READ_WRITE);
    assert.deepEqual(iommu.translate(STREAM, id, iova(0x1010), 4, 'read'), [{ address: 0x8010, bytes: 4 }]);
    assert.deepEqual(iommu.translate(STREAM, secondId, iova(0x1010), 4, 'read'), [
      { address: 0x20010, bytes: 4 },
    ]);
    second.unmap(iova(0x1000), PAGE_BYTES);
    assert.equal(iommu.translate(STREAM, secondId, iova(0x1010), 4, 'read'), undefined);
    assert.ok(iommu.translate(STREAM, id, iova(0x1010), 4, 'read'));
  });
  it('faults from the unbind on', () => {
    const { iommu, space, id, translate } = boundSpace();
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    assert.ok(translate(0x1000, 8));
    iommu.unbind(id);
    assert.equal(translate(0x1000, 8), undefined);
    assert.equal(iommu.faults()[0]?.event, 'C_BAD_SUBSTREAMID');
    assert.equal(iommu.pasidsInUse, 0);
  });
  it('sends traffic without PASID to the space attached to its stream', () => {
    const { iommu } = boundSpace();
    const kernel = new AddressSpace('kernel');
    kernel.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    assert.equal(iommu.translate(STREAM, pasid(0), iova(0x1000), 8, 'read'), undefined);
    iommu.attach(STREAM, kernel);
    assert.deepEqual(iommu.translate(STREAM, pasid(0), iova(0x1000), 8, 'read'), [
      { address: 0x8000, bytes: 8 },
    ]);
    assert.equal(iommu.translate(OTHER_STREAM, pasid(0), iova(0x1000), 8, 'read'), undefined);
  });
  it('brings a known page in under stall and counts it, once', () => {
    const { iommu, space, translate } = boundSpace('sva', 'stall');
    space.map(iova(0x1000), physAddr(0x8000), 2 * PAGE_BYTES, READ_WRITE, false);
    assert.deepEqual(translate(0x1000, 2 * PAGE_BYTES), [{ address: 0x8000, bytes: 2 * PAGE_BYTES }]);
    assert.ok(translate(0x1000, 8));
    assert.equal(iommu.resolvedPageRequests, 2);
    assert.equal(iommu.faultCount, 0);
  });
  it('aborts the access to a page that is not present when the fault model is none', () => {
    const { iommu, space, translate } = boundSpace('sva', 'none');
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE, false);
    assert.equal(translate(0x1000, 8), undefined);
    assert.equal(iommu.faults()[0]?.event, 'F_TRANSLATION');
    assert.equal(iommu.resolvedPageRequests, 0);
  });
  it('brings no page into a private table, because its pages are pinned when they are mapped', () => {
    const { space, translate } = boundSpace('private', 'stall');
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE, false);
    assert.equal(translate(0x1000, 8), undefined);
  });
  it('aborts a page-in that the mapping does not permit', () => {
    const { iommu, space, translate } = boundSpace('sva', 'stall');
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, { read: true, write: false }, false);
    assert.equal(translate(0x1000, 8, 'write'), undefined);
    assert.equal(iommu.faults()[0]?.event, 'F_PERMISSION');
  });
  it('records F_TRANSLATION beyond the 48-bit input range, and for no number at all', () => {
    const { iommu, space, translate } = boundSpace();
    space.map(iova(2 ** 48 - PAGE_BYTES), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    assert.ok(translate(2 ** 48 - 8, 8));
    for (const address of [2 ** 48 - 7, 2 ** 48, 2 ** 53, 2 ** 64, Number.NaN])
      assert.equal(translate(address, 8), undefined);
    assert.ok(iommu.faults().every(({ event }) => event === 'F_TRANSLATION'));
    assert.equal(iommu.faultCount, 5);
  });
  it('merges neighbouring pages and splits at page borders only, in any mapping', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(12), { minLength: 1, maxLength: 12 }),
        fc.nat(12 * PAGE_BYTES),
        fc.nat(12 * PAGE_BYTES),
        (frames, start, length) => {
          const { space, translate } = boundSpace();
          for (const [index, frame] of frames.entries())
            space.map(iova((index + 1) * PAGE_BYTES), physAddr(frame * PAGE_BYTES), PAGE_BYTES, READ_WRITE);
          const offset = start % (frames.length * PAGE_BYTES);
          const bytes = 1 + (length % (frames.length * PAGE_BYTES - offset));
          const byteByByte = Array.from({ length: bytes }, (_, i) => {
            const at = offset + i;
            return frames[Math.floor(at / PAGE_BYTES)]! * PAGE_BYTES + (at % PAGE_BYTES);
          });
          const extents = translate(PAGE_BYTES + offset, bytes) ?? [];
          const flat = extents.flatMap((extent) =>
            Array.from({ length: extent.bytes }, (_, i) => extent.address + i),
          );
          assert.deepEqual(flat, byteByByte);
          for (let i = 1; i < extents.length; i++)
            assert.notEqual(extents[i]!.address, extents[i - 1]!.address + extents[i - 1]!.bytes);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('Iommu.faults', () => {
  it('keeps the last thousand, numbered from 1, and leaves out what the caller has', () => {
    const { iommu, translate } = boundSpace();
    for (let i = 0; i < 1001; i++) translate(0x1000 * i, 1);
    assert.equal(iommu.faults().length, 1000);
    assert.equal(iommu.faults()[0]?.seq, 2);
    assert.deepEqual(
      iommu.faults(999).map(({ seq }) => seq),
      [1000, 1001],
    );
  });
});

describe('Iommu.onFault', () => {
  it('calls back for each record until unsubscribed', () => {
    const { iommu, translate } = boundSpace();
    const seen: number[] = [];
    const unsubscribe = iommu.onFault(({ seq }) => seen.push(seq));
    translate(1, 1);
    translate(2, 1);
    unsubscribe();
    translate(3, 1);
    assert.deepEqual(seen, [1, 2]);
  });
});

describe('Iommu.bind', () => {
  it('gives one space the same PASID again and keeps it until the last unbind', () => {
    const { iommu, space, id, translate } = boundSpace();
    space.map(iova(0x1000), physAddr(0x8000), PAGE_BYTES, READ_WRITE);
    assert.equal(iommu.bind(STREAM, space), id);
    assert.equal(iommu.bind(OTHER_STREAM, space), id);
    assert.equal(iommu.boundTo(STREAM)[0]?.binds.get(STREAM), 2);
    iommu.unbind(id, STREAM);
    assert.ok(translate(0x1000, 8));
    iommu.unbind(id, STREAM);
    assert.equal(translate(0x1000, 8), undefined);
    assert.ok(iommu.translate(OTHER_STREAM, id, iova(0x1000), 8, 'read'));
    iommu.unbind(id, OTHER_STREAM);
    assert.equal(iommu.pasidsInUse, 0);
  });
  it('gives each space a PASID of its own, never 0', () => {
    const { iommu, id } = boundSpace();
    const other = iommu.bind(STREAM, new AddressSpace('sva'));
    assert.notEqual(other, id);
    assert.ok(id > 0 && other > 0);
  });
  it('gives only PASIDs that the 16 bits of a queue context hold, however many came before', () => {
    const iommu = new Iommu(new FakeClock(), 'stall');
    const space = new AddressSpace('private');
    for (let i = 0; i < 70_000; i++) {
      const id = iommu.bind(STREAM, space);
      assert.ok(id > 0 && id <= 0xffff, `PASID ${id}`); // sources.md 5.5: the SQC holds the low 16 bits
      iommu.unbind(id);
    }
  });
  it('passes over PASIDs that are still bound when it starts again from 1', () => {
    const { iommu, id } = boundSpace();
    const space = new AddressSpace('private');
    const seen = new Set<number>();
    for (let i = 0; i < 65_534; i++) {
      const next = iommu.bind(STREAM, space);
      assert.notEqual(next, id);
      seen.add(next);
      if (i < 65_533) iommu.unbind(next);
    }
    assert.ok(!seen.has(id));
  });
});
