import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IommuSnapshot, StackView } from '../../../shared/src/telemetry.ts';
import type { DurationCounts, StackTimings } from '../../../shared/src/timings.ts';
import { MergedView } from './merged-view.ts';
import type { WorkerReport } from './messages.ts';

const durations = (...counts: number[]): DurationCounts => ({ counts, sumUs: counts.length });

const timings = (device: string, ...counts: number[]): StackTimings => ({
  sqes: [{ device, durations: durations(...counts) }],
  pageRequests: [{ domainKind: 'sva', durations: durations(...counts) }],
  translations: [],
});

/** As much of a report as the timings need. */
const report = (of: StackTimings) =>
  ({
    devices: [],
    mdevs: [],
    queues: [],
    jobSlots: [],
    pageRequests: [],
    timings: of,
  }) as unknown as WorkerReport;

function mergedView(): MergedView {
  const pf = { faults: () => [], onFault: () => () => {}, timings: () => timings('pf', 1, 0) };
  return new MergedView({
    pf: pf as unknown as StackView,
    admin: undefined,
    workers: () => [],
    watch: () => {},
  });
}

describe('timings of several functions', () => {
  it('stand apart by device and are added by domain', () => {
    const view = mergedView();
    view.reported(1, report(timings('vf1', 2, 3)));
    assert.deepEqual(view.timings(), {
      sqes: [
        { device: 'pf', durations: { counts: [1, 0], sumUs: 2 } },
        { device: 'vf1', durations: { counts: [2, 3], sumUs: 2 } },
      ],
      pageRequests: [{ domainKind: 'sva', durations: { counts: [3, 3], sumUs: 4 } }],
      translations: [],
    });
  });

  it('stay when a process is gone, and its successor counts on', () => {
    const view = mergedView();
    const vf1 = () => view.timings().sqes.find(({ device }) => device === 'vf1')?.durations.counts;
    for (const total of [10, 20, 30]) {
      view.reported(1, report(timings('vf1', 4, 6)));
      assert.equal(
        vf1()?.reduce((sum, count) => sum + count),
        total,
      );
      view.gone(1);
      assert.equal(
        vf1()?.reduce((sum, count) => sum + count),
        total,
      );
    }
  });
});

describe('figures of the IOMMU with several functions', () => {
  const iommu = (hits: number, success: number): IommuSnapshot => ({
    groups: [{ id: 1, devices: ['vf1'] }],
    devices: [],
    iotlb: { entries: 3, hits, misses: 1, invalidations: 0 },
    pageRequests: { success, invalid: 0, failure: 0 },
    stalls: [],
    pasids: { inUse: 2, limit: 16 },
    events: { recorded: 1, lost: 0 },
  });

  it('count on when a process is gone, and what lived with it is left out', () => {
    const view = mergedView();
    const read = () => {
      const { iotlb, pageRequests, pasids, events, groups } = view.iommu(false);
      return [iotlb.hits, pageRequests.success, events.recorded, iotlb.entries, pasids.inUse, groups.length];
    };
    for (const run of [1, 2, 3]) {
      view.reported(1, { ...report(timings('vf1', 1)), iommu: iommu(10, 4) });
      assert.deepEqual(read(), [10 * run, 4 * run, run, 3, 2, 1]);
      view.gone(1);
      assert.deepEqual(read(), [10 * run, 4 * run, run, 0, 0, 0]);
    }
  });
});
