import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MonitorStore } from './monitor-store.ts';
import { faultOf, queueOf, sampleOf, snapshotOf, statusOf } from './test-data.ts';
import type { Point } from './time-ring.ts';

const curveOf = (store: MonitorStore, untilMs: number) => {
  const target: Point[] = Array.from({ length: 100 }, () => ({ x: 0, y: 0 }));
  return target.slice(0, store.history.window('inBytesPerSec', 0, untilMs, target)).map(({ y }) => y);
};

describe('MonitorStore', () => {
  it('reads the first snapshot with its rates still unknown', () => {
    const store = new MonitorStore();
    store.apply(snapshotOf({ queues: [queueOf()] }));
    assert.equal(store.reading?.queues.length, 1);
    assert.ok(Number.isNaN(store.reading?.rates.inBytesPerSec));
  });

  it('turns samples into rates and history', () => {
    const store = new MonitorStore();
    store.apply(snapshotOf());
    store.apply(sampleOf(10_250, { bytesIn: 1_000 }));
    store.apply(sampleOf(10_500, { bytesIn: 2_000 }));
    assert.equal(store.reading?.rates.inBytesPerSec, 4_000);
    assert.deepEqual(curveOf(store, 20_000), [Number.NaN, 4_000, 4_000]);
  });

  it('does not join the curve over the time without a connection', () => {
    const store = new MonitorStore();
    store.apply(snapshotOf());
    store.apply(sampleOf(10_250, { bytesIn: 100 }));
    store.apply(snapshotOf({ status: statusOf({ atMs: 15_000 }) }));
    store.apply(sampleOf(15_250, { bytesIn: 100 }));
    assert.deepEqual(curveOf(store, 20_000).map(Number.isNaN), [true, false, true, true, false]);
  });

  it('starts the fault log again when the service is another process', () => {
    const store = new MonitorStore();
    store.apply(snapshotOf({ faults: [faultOf(1), faultOf(2)] }));
    store.apply(snapshotOf({ faults: [faultOf(1), faultOf(2), faultOf(3)] }));
    assert.equal(store.faults.length, 3);
    store.apply(snapshotOf({ status: statusOf({ pid: 8 }), faults: [faultOf(1)] }));
    assert.equal(store.faults.length, 1);
    assert.equal(store.faults.missed, 0);
  });

  it('shows no rate over the restart of a service', () => {
    const store = new MonitorStore();
    store.apply(snapshotOf());
    store.apply(sampleOf(10_250, { bytesIn: 9_000_000 }));
    store.apply(snapshotOf({ status: statusOf({ pid: 8, startedAtMs: 11_000, atMs: 11_100 }) }));
    assert.ok(Number.isNaN(store.reading?.rates.inBytesPerSec));
    store.apply(sampleOf(11_350, { bytesIn: 250 }));
    assert.equal(store.reading?.rates.inBytesPerSec, 1_000);
  });

  it('follows mdevs until they are removed', () => {
    const store = new MonitorStore();
    const mdev = { uuid: 'u', type: 'zip', parent: 'hisi_zip-0', qpId: 1, createdAtMs: 0 } as const;
    store.apply({ type: 'mdev', mdev: { ...mdev, state: 'active' } });
    assert.equal(store.mdevs.get('u')?.state, 'active');
    store.apply({ type: 'mdev', mdev: { ...mdev, state: 'removed' } });
    assert.equal(store.mdevs.size, 0);
  });
});
