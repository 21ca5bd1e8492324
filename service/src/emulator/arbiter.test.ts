import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceRig, type RigQueue } from '../../test/support/device-rig.ts';

/**
 * One core that takes one job at a time and is never idle: each queue has an SQE waiting at all times.
 * @returns bytes served per queue
 */
function serveSaturated(
  priorities: readonly number[],
  jobBytes: (turn: number) => number,
  turns: number,
): number[] {
  const rig = new DeviceRig({ heldCores: 1, capacity: 1 });
  const source = rig.place(new Uint8Array(256 * 1024));
  const queues = priorities.map((priority, qpId) => rig.startQueue(qpId, { priority }));
  let count = 0;
  const feed = (queue: RigQueue): void => {
    queue.submit({ source, bytes: jobBytes(count++), destination: source });
  };
  for (let i = 0; i < 8; i++) queues.forEach(feed);
  const seen = queues.map(() => 0);
  for (let turn = 0; turn < turns; turn++) {
    rig.cores[0]!.finish();
    queues.forEach((queue, qpId) => {
      const { operations } = rig.device.statistics(qpId)!;
      if (operations > seen[qpId]!) {
        seen[qpId] = operations;
        queue.ringCq(operations % 1024, false);
        feed(queue);
      }
    });
  }
  return queues.map((_, qpId) => rig.device.statistics(qpId)!.bytesIn);
}

const assertShares = (served: readonly number[], weights: readonly number[]): void => {
  const total = served.reduce((sum, bytes) => sum + bytes, 0);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  served.forEach((bytes, i) => {
    const expected = (total * weights[i]!) / weightSum;
    assert.ok(
      Math.abs(bytes - expected) <= expected * 0.1,
      `queue ${i}: ${bytes} of ${total}, due ${Math.round(expected)}`,
    );
  });
};

describe('arbitration of a saturated core', () => {
  it('gives queues of priority 0, 1 and 3 bytes as 1 : 2 : 4', () => {
    assertShares(
      serveSaturated([0, 1, 3], () => 64 * 1024, 2000),
      [1, 2, 4],
    );
  });
  it('counts bytes and not jobs', () => {
    assertShares(
      serveSaturated([0, 1, 3], (turn) => ((turn * 7919) % 60_000) + 100, 4000),
      [1, 2, 4],
    );
  });
  it('shares equally among equals, whatever the size of their jobs', () => {
    const rig = new DeviceRig({ heldCores: 1, capacity: 1 });
    const source = rig.place(new Uint8Array(256 * 1024));
    const [large, small] = [rig.startQueue(0), rig.startQueue(1)];
    const feed = (): void => {
      while (rig.device.statistics(0)!.inFlight < 64)
        large.submit({ source, bytes: 128 * 1024, destination: source });
      while (rig.device.statistics(1)!.inFlight < 64)
        small.submit({ source, bytes: 4096, destination: source });
    };
    for (let turn = 0; turn < 3000; turn++) {
      feed();
      rig.cores[0]!.finish();
      for (const queue of [large, small])
        queue.ringCq(rig.device.statistics(queue.qpId)!.operations % 1024, false);
    }
    assertShares([rig.device.statistics(0)!.bytesIn, rig.device.statistics(1)!.bytesIn], [1, 1]);
  });
  it('gives the highest priority 16 times the lowest’s bytes', () => {
    assertShares(
      serveSaturated([0, 15], () => 32 * 1024, 3000),
      [1, 16],
    );
  });
  it('gives everything to the only queue that asks', () => {
    const [served] = serveSaturated([0], () => 1000, 50);
    assert.equal(served, 50_000);
  });
  it('serves a job larger than a round’s quantum', () => {
    const rig = new DeviceRig({ heldCores: 1, capacity: 1 });
    const queue = rig.startQueue(0);
    const source = rig.place(new Uint8Array(1), 4 * 1024 * 1024);
    queue.submit({ source, bytes: 4 * 1024 * 1024, destination: source });
    assert.equal(rig.cores[0]!.held.length, 1);
  });
  it('lets a small queue go past one that waits for a core of its own', () => {
    const rig = new DeviceRig({ heldCores: 2, capacity: 1 });
    const queues = [rig.startQueue(0), rig.startQueue(1)] as const;
    const source = rig.place(new Uint8Array(4096));
    for (const queue of queues) queue.submit({ source, bytes: 100, destination: source });
    assert.deepEqual(
      rig.cores.map(({ held }) => held.length),
      [1, 1],
    );
  });
});
