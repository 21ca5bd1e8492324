import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultModel } from '../../../../shared/src/telemetry.ts';
import { iova, PAGE_BYTES, physAddr, streamId } from '../../../../shared/src/units.ts';
import { withCode } from '../../../test/support/errors.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { AddressSpace } from './address-space.ts';
import { eventWords, kernelLine, priWords } from './fault-record.ts';
import { Iommu } from './iommu.ts';
import { isStall, type Stall } from './translator.ts';

const STREAM = streamId(0x7500);
const ADDRESS = 0x1000;

function demandPaged(model: FaultModel = 'stall', stallLimit?: number) {
  const clock = new FakeClock();
  const iommu = new Iommu(clock, 'none', stallLimit === undefined ? {} : { stallLimit });
  iommu.setFaultModel(STREAM, model);
  const space = new AddressSpace('sva');
  space.map(iova(ADDRESS), physAddr(0x8000), 4 * PAGE_BYTES, { read: true, write: true }, false);
  const id = iommu.bind(STREAM, space);
  const access = (address = ADDRESS, bytes = 8) =>
    iommu.translateOrStall(STREAM, id, iova(address), bytes, 'read');
  const stalled = (address?: number): Stall => {
    const answer = access(address);
    assert.ok(isStall(answer));
    return answer;
  };
  return { clock, iommu, space, id, access, stalled };
}

describe('page requests', () => {
  it('are answered at once and counted, page by page', () => {
    for (const model of ['stall', 'pri'] as const) {
      const { iommu, access } = demandPaged(model);
      assert.deepEqual(access(ADDRESS, 2 * PAGE_BYTES), [{ address: 0x8000, bytes: 2 * PAGE_BYTES }]);
      assert.deepEqual(iommu.pageRequestCounts, { success: 2, invalid: 0, failure: 0 });
      assert.deepEqual(
        iommu.resolvedRequests().map(({ outcome, response, iova: at }) => [outcome, response, at]),
        [
          ['resolved', 'success', ADDRESS],
          ['resolved', 'success', ADDRESS + PAGE_BYTES],
        ],
      );
      assert.equal(iommu.faultCount, 0);
    }
  });
  it('are timed from the request to the answer, those that waited too', () => {
    const { clock, iommu, access, stalled } = demandPaged('stall');
    const release = iommu.holdPageRequests();
    stalled();
    clock.advance(3);
    release();
    access(ADDRESS + PAGE_BYTES);
    const [{ domainKind, durations } = assert.fail('no durations')] = iommu.timings().pageRequests;
    assert.equal(domainKind, 'sva');
    assert.equal(durations.sumUs, 3000);
    assert.equal(
      durations.counts.reduce((sum, count) => sum + count),
      iommu.pageRequestCounts.success,
    );
  });
  it('become aborted accesses when stall is toggled off, and resolved ones when it is back', () => {
    const { iommu, access } = demandPaged('stall');
    iommu.setFaultModel(STREAM, 'none');
    assert.equal(access(), undefined);
    const [record] = iommu.faults();
    assert.equal(record?.event, 'F_TRANSLATION');
    assert.equal(record?.stag, undefined);
    iommu.setFaultModel(STREAM, 'stall');
    assert.ok(access());
    assert.equal(iommu.faultCount, 1);
  });
  it('of an address without mapping are answered invalid, with the stall bit and tag in the record', () => {
    const { iommu, access } = demandPaged('stall');
    assert.equal(access(0x9000_0000), undefined);
    const record = iommu.faults()[0]!;
    assert.deepEqual(iommu.pageRequestCounts, { success: 0, invalid: 1, failure: 0 });
    assert.equal(eventWords(record)[1] & 0x8000_ffffn, 0x8000_0000n | BigInt(record.stag!));
    assert.match(kernelLine(record, '0000:75:00.0', true), / stall stag: 0x[1-9a-f]/);
  });
  it('under pri carry a group id and no stall bit', () => {
    const { iommu, access, id } = demandPaged('pri');
    access(0x9000_0010);
    const record = iommu.faults()[0]!;
    assert.equal(eventWords(record)[1] & 0x8000_0000n, 0n);
    const [first, second] = priWords(record);
    assert.equal(first, 0x7500n | (BigInt(id) << 32n) | (1n << 60n) | (1n << 62n) | (1n << 63n)); // 8.7: read, last, SSV
    assert.equal(second, 0x9000_0000n | BigInt(record.stag!));
  });
});

describe('held page requests', () => {
  it('show the stalled transaction with its age until it is answered success, then retry', async () => {
    const { clock, iommu, access, stalled } = demandPaged();
    iommu.holdPageRequests();
    const stall = stalled();
    clock.advance(250);
    const [held] = iommu.stalls();
    assert.deepEqual([held?.stag, held?.ageMs, held?.record.outcome], [stall.stag, 250, 'stalled']);
    assert.equal(iommu.faults()[0]?.outcome, 'stalled');
    assert.equal(iommu.respond(stall.stag, 'success'), 'success');
    assert.equal(await stall.outcome, 'retry');
    assert.ok(Array.isArray(access()));
    assert.deepEqual(iommu.stalls(), []);
    assert.equal(iommu.faults()[0]?.outcome, 'resolved');
  });
  it('abort on invalid and on failure, and on success when nothing is mapped there', async () => {
    const { iommu, stalled } = demandPaged();
    iommu.holdPageRequests();
    for (const [response, given] of [
      ['invalid', 'invalid'],
      ['failure', 'failure'],
      ['success', 'invalid'],
    ] as const) {
      const stall = stalled(0x9000_0000);
      assert.equal(iommu.respond(stall.stag, response), given);
      assert.equal(await stall.outcome, 'abort');
    }
    assert.deepEqual(
      iommu.faults().map(({ outcome }) => outcome),
      ['aborted', 'aborted', 'aborted'],
    );
  });
  it('go on when they are let go, each as its own mapping decides', async () => {
    const { iommu, stalled } = demandPaged();
    const release = iommu.holdPageRequests();
    const [good, bad] = [stalled(), stalled(0x9000_0000)];
    release();
    release();
    assert.deepEqual(await Promise.all([good.outcome, bad.outcome]), ['retry', 'abort']);
  });
  it('end as abort when the requester gives up, and when the address space is unbound', async () => {
    const { iommu, id, stalled } = demandPaged();
    iommu.holdPageRequests();
    const [first, second] = [stalled(), stalled(ADDRESS + PAGE_BYTES)];
    first.terminate();
    first.terminate();
    assert.equal(await first.outcome, 'abort');
    iommu.unbind(id);
    assert.equal(await second.outcome, 'abort');
    assert.deepEqual(iommu.stalls(), []);
    assert.throws(() => iommu.respond(first.stag, 'success'), withCode('WD_E_EINVAL'));
  });
  it('are limited: one more than the limit fails at once', () => {
    const { iommu, stalled, access } = demandPaged('stall', 2);
    iommu.holdPageRequests();
    stalled();
    stalled(ADDRESS + PAGE_BYTES);
    assert.equal(access(ADDRESS + 2 * PAGE_BYTES), undefined);
    assert.equal(iommu.pageRequestCounts.failure, 1);
  });
  it('do not hold requesters that cannot wait', () => {
    const { iommu, id } = demandPaged();
    iommu.holdPageRequests();
    assert.ok(iommu.translate(STREAM, id, iova(ADDRESS), 8, 'read'));
  });
});
