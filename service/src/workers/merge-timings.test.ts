import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DurationCounts, StackTimings, StackView } from '../../../shared/src/telemetry.ts';
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
