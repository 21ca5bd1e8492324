import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RateMeter } from './rates.ts';
import { deviceOf, queueOf, totalsOf } from './test-data.ts';

const at = (atMs: number, bytesIn = 0, queues = [queueOf()], devices = [deviceOf()]) => ({
  atMs,
  totals: totalsOf({ bytesIn }),
  queues,
  devices,
});

describe('RateMeter', () => {
  it('knows no rate from one reading', () => {
    const meter = new RateMeter();
    meter.push(at(1_000, 5));
    assert.ok(Number.isNaN(meter.rates().inBytesPerSec));
    assert.ok(Number.isNaN(meter.queueRows()[0]!.opsPerSec));
  });

  it('knows no rate from two readings of nearly the same moment', () => {
    const meter = new RateMeter();
    meter.push(at(1_000, 0));
    meter.push(at(1_010, 1_000_000));
    assert.ok(Number.isNaN(meter.rates().inBytesPerSec));
  });

  it('is the mean of the last second', () => {
    const meter = new RateMeter();
    for (let i = 0; i <= 12; i++) meter.push(at(i * 250, i < 8 ? 0 : (i - 8) * 1_000));
    assert.equal(meter.rates().inBytesPerSec, 4_000);
    meter.push(at(13 * 250, 4_000));
    assert.equal(meter.rates().inBytesPerSec, 3_000);
  });

  it('counts a queue that opened since the last reading from zero', () => {
    const meter = new RateMeter();
    meter.push(at(0, 0, []));
    meter.push(at(250, 0, []));
    meter.push(at(500, 0, [queueOf({ operations: 10, bytesIn: 1_000, bytesOut: 250 })]));
    const [row] = meter.queueRows();
    assert.equal(row!.opsPerSec, 40);
    assert.equal(meter.rates().ratio, 4);
  });

  it('adds what the engine does for attached processes, and tells it apart', () => {
    const meter = new RateMeter();
    const queues = (n: number) => [
      queueOf({ id: 'own', owner: { pid: 7, name: 'warpdrive' }, bytesIn: n * 900, bytesOut: n * 90 }),
      queueOf({ id: 'attached', owner: { pid: 42, name: 'shipper' }, bytesIn: n * 300, bytesOut: n * 100 }),
    ];
    const ownPids = [7];
    meter.push({ ...at(0, 0, queues(0)), ownPids });
    meter.push({ ...at(1_000, 1_000, queues(1)), ownPids });
    const { inBytesPerSec, outBytesPerSec, attachedInBytesPerSec, attachedOutBytesPerSec } = meter.rates();
    assert.deepEqual([inBytesPerSec, attachedInBytesPerSec], [1_300, 300]);
    assert.deepEqual([outBytesPerSec, attachedOutBytesPerSec], [100, 100]);
  });

  it('makes one ratio of both directions: original over compressed bytes', () => {
    const meter = new RateMeter();
    const queues = (n: number) => [
      queueOf({ id: 'c', bytesIn: n * 300, bytesOut: n * 100 }),
      queueOf({ id: 'd', operation: 'decompress', bytesIn: n * 100, bytesOut: n * 500 }),
    ];
    meter.push(at(0, 0, queues(0)));
    meter.push(at(1_000, 0, queues(1)));
    assert.equal(meter.rates().ratio, 4);
  });

  it('has no ratio and no latency while nothing is completed', () => {
    const meter = new RateMeter();
    const idle = [queueOf({ operations: 5, latencyUs: { p50: 100, p99: 200 } })];
    meter.push(at(0, 0, idle));
    meter.push(at(1_000, 0, idle));
    const { ratio, p50Us, p99Us } = meter.rates();
    assert.deepEqual([ratio, p50Us, p99Us].map(Number.isNaN), [true, true, true]);
  });

  it('shows the latency of the slowest queue at work', () => {
    const meter = new RateMeter();
    const queues = (operations: number) => [
      queueOf({ id: 'a', operations, latencyUs: { p50: 10, p99: 20 } }),
      queueOf({ id: 'b', operations, latencyUs: { p50: 15, p99: 90 } }),
      queueOf({ id: 'idle', latencyUs: { p50: 500, p99: 900 } }),
    ];
    meter.push(at(0, 0, queues(0)));
    meter.push(at(1_000, 0, queues(9)));
    assert.equal(meter.rates().p99Us, 90);
    assert.equal(meter.rates().p50Us, 15);
  });

  it('takes an engine core as busy for its share of the time, never above one', () => {
    const meter = new RateMeter();
    meter.push(at(0, 0, [], [deviceOf(0)]));
    meter.push(at(1_000, 0, [], [deviceOf(250e6, 50)]));
    assert.equal(meter.rates().busyRatio, 0.25);
    assert.equal(meter.deviceRows()[0]!.cores[0]!.jobsPerSec, 50);
    meter.push(at(2_000, 0, [], [deviceOf(9e9)]));
    assert.equal(meter.rates().busyRatio, 1);
  });

  it('never shows a negative rate for a counter that went back', () => {
    const meter = new RateMeter();
    meter.push(at(0, 500));
    meter.push(at(1_000, 100));
    assert.equal(meter.rates().inBytesPerSec, 0);
  });
});
