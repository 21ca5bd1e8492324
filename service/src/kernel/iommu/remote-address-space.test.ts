import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultModel } from '../../../../shared/src/telemetry.ts';
import { iova, PAGE_BYTES, physAddr, streamId } from '../../../../shared/src/units.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { AddressSpace } from './address-space.ts';
import { Iommu } from './iommu.ts';
import { RemoteAddressSpace } from './remote-address-space.ts';
import { processTarget } from './space.ts';

const STREAM = streamId(0x7500);
const PID = 4711;
const BUFFER = 0x7f12_3456_7000;

function remote(model: FaultModel, residentPages: number[] = [], readOnlyPages: number[] = []) {
  const asked: [number, number][] = [];
  const gone = { is: false };
  const iommu = new Iommu(new FakeClock(), model);
  const space = new RemoteAddressSpace({
    pid: PID,
    isGone: () => gone.is,
    forbids: (address, access) =>
      access === 'write' && readOnlyPages.includes((address - BUFFER) / PAGE_BYTES),
    residentPages(address, pages) {
      asked.push([address, pages]);
      return Uint8Array.from({ length: pages }, (_, i) =>
        residentPages.includes((address - BUFFER) / PAGE_BYTES + i) ? 1 : 0,
      );
    },
  });
  const id = iommu.bind(STREAM, space);
  const access = (offset: number, bytes: number, kind: 'read' | 'write' = 'read') =>
    iommu.translate(STREAM, id, iova(BUFFER + offset), bytes, kind);
  return { iommu, id, access, asked, gone };
}

describe('RemoteAddressSpace', () => {
  it('gives the process’s own addresses with its pid, as one extent, after one question to the host kernel', () => {
    const { access, asked, iommu } = remote('stall', [0, 1, 2]);
    const expected = [{ address: BUFFER + 100, bytes: 2 * PAGE_BYTES, pid: PID }];
    assert.deepEqual(access(100, 2 * PAGE_BYTES), expected);
    assert.deepEqual(access(100, 2 * PAGE_BYTES), expected);
    assert.deepEqual(asked, [[BUFFER, 3]]);
    assert.equal(iommu.resolvedPageRequests, 0);
  });
  it('counts a page request for each page that is not resident, under stall and pri', () => {
    for (const model of ['stall', 'pri'] as const) {
      const { access, iommu } = remote(model, [1]);
      assert.ok(access(0, 3 * PAGE_BYTES));
      assert.equal(iommu.resolvedPageRequests, 2);
      assert.equal(iommu.faultCount, 0);
    }
  });
  it('refuses a page that is not resident when the fault model is none', () => {
    const { access, iommu } = remote('none', [0]);
    assert.ok(access(0, PAGE_BYTES));
    assert.equal(access(0, PAGE_BYTES + 1), undefined);
    assert.deepEqual(
      [iommu.faults()[0]?.event, iommu.faults()[0]?.iova],
      ['F_TRANSLATION', BUFFER + PAGE_BYTES],
    );
  });
  it('refuses addresses that no user process has', () => {
    const { iommu, id } = remote('stall');
    for (const address of [0, 8, 2 ** 47, 2 ** 48 - 8])
      assert.equal(iommu.translate(STREAM, id, iova(address), 8, 'read'), undefined);
    assert.equal(iommu.pageRequestCounts.invalid, 4);
  });
});

describe('Iommu.report', () => {
  it('records F_PERMISSION where the process has mapped memory that does not permit the access, resident or not', () => {
    const { iommu, id } = remote('stall', [0], [0, 2]);
    for (const [page, access] of [
      [0, 'write'],
      [2, 'write'],
      [0, 'read'],
      [1, 'write'],
    ] as const)
      iommu.report(STREAM, id, iova(BUFFER + page * PAGE_BYTES), access, 7);
    assert.deepEqual(
      iommu.faults().map(({ event, iova: at, access, qpId }) => [event, at, access, qpId]),
      [
        ['F_PERMISSION', BUFFER, 'write', 7],
        ['F_PERMISSION', BUFFER + 2 * PAGE_BYTES, 'write', 7],
        ['F_TRANSLATION', BUFFER, 'read', 7],
        ['F_TRANSLATION', BUFFER + PAGE_BYTES, 'write', 7],
      ],
    );
  });
  it('makes the next access ask the host kernel again', () => {
    const { iommu, id, access, asked } = remote('stall', [0]);
    access(0, 8);
    iommu.report(STREAM, id, iova(BUFFER), 'read');
    asked.length = 0;
    access(0, 8);
    assert.ok(asked.length > 0);
  });
});

describe('a real process that ended or executes another program', () => {
  it('is reached no more, by cached translations neither', () => {
    const { iommu, access, gone } = remote('stall', [0]);
    assert.ok(access(0, 16));
    gone.is = true;
    assert.equal(access(0, 16), undefined);
    assert.equal(iommu.faults().at(-1)?.event, 'F_TRANSLATION');
  });
});

describe('a private table of a real process', () => {
  it('translates to the process’s addresses, and to shared memory where that is mapped', () => {
    const iommu = new Iommu(new FakeClock(), 'stall');
    const table = new AddressSpace('private', 0x1000_0000, { pid: PID });
    const id = iommu.bind(STREAM, table);
    const rights = { read: true, write: true };
    table.map(iova(0x4000), processTarget(BUFFER), PAGE_BYTES, rights);
    table.map(iova(0x5000), physAddr(2 ** 40), PAGE_BYTES, rights);
    assert.deepEqual(iommu.translate(STREAM, id, iova(0x4800), PAGE_BYTES, 'write'), [
      { address: BUFFER + 0x800, bytes: 0x800, pid: PID },
      { address: 2 ** 40, bytes: 0x800 },
    ]);
  });
});
