import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeviceRig } from '../../../test/support/device-rig.ts';

/** b 154, u 0, s 4, cbs 1 << 9: 100.26 Mbit/s (sources.md 5.12), what the driver writes for `alg_qos` 1. */
const QOS_1 = 154 | (4 << 11) | (1 << 15) | (9 << 19);
const BYTES_PER_MS = (154 * 8000 * 1_000_000) / (768 * 16) / 8 / 1000;
/** b 150, u 6: 100 Gbit/s, every function's default. */
const QOS_1000 = 150 | (6 << 8) | (1 << 15) | (19 << 19);

function shapedRig(entry: number) {
  const rig = new DeviceRig({ core: 'zlib' });
  const queues = [rig.startQueue(0), rig.startQueue(1, { operation: 'decompress' })] as const;
  const shape = (low: number): void => {
    const { device } = rig;
    for (const [offset, value] of [
      [0x10_0058, 0],
      [0x10_005c, 2],
      [0x10_0060, 0],
      [0x10_0064, low],
      [0x10_0068, 0],
      [0x10_0054, 1],
    ] as const)
      device.write32(offset, value);
  };
  shape(entry);
  return { rig, queues, shape };
}

describe('Shaper', () => {
  for (const bytes of [2048, 64 * 1024, 1024 * 1024])
    it(`holds the rate of the function with jobs of ${bytes} bytes, whatever queue they come from`, () => {
      const { rig, queues } = shapedRig(QOS_1);
      const source = rig.place(Buffer.alloc(bytes));
      const destination = rig.place(Buffer.alloc(0x20_0000));
      const seconds = 3;
      const jobs = Math.min(1900, Math.ceil((BYTES_PER_MS * 1000 * seconds) / bytes) + 20);
      for (let i = 0; i < jobs; i++) {
        const queue = queues[i % 2]!;
        queue.submit({ source, bytes, destination, room: 0x20_0000, request: 1 });
      }
      const done = (): number =>
        [0, 1].reduce((sum, qpId) => sum + rig.device.statistics(qpId)!.operations, 0);
      const first = done();
      let at = 0;
      for (; at < seconds * 1000 && done() < jobs; at++) rig.clock.advance(1);
      const due = (BYTES_PER_MS * at) / bytes;
      const tolerance = 2 + BYTES_PER_MS / bytes; // the clock goes by whole milliseconds
      assert.ok(
        Math.abs(done() - first - due) <= tolerance,
        `${done() - first} jobs in ${at} ms, due ${due}`,
      );
    });
  it('lets a burst go, then makes the next job wait until the debt is paid', () => {
    const { rig, queues } = shapedRig(QOS_1);
    const [queue] = queues;
    const source = rig.place(Buffer.alloc(0x10_0000));
    const job = { source, bytes: 0x10_0000, destination: source, room: 0x10_0000, request: 1 };
    queue.submit(job);
    queue.submit(job);
    const done = (): number => rig.device.statistics(0)!.operations;
    assert.equal(done(), 1);
    const debtMs = Math.floor((0x10_0000 - BYTES_PER_MS * 10) / BYTES_PER_MS);
    rig.clock.advance(debtMs - 1);
    assert.equal(done(), 1);
    rig.clock.advance(3);
    assert.equal(done(), 2);
  });
  it('does not limit at 1000, nor after the limit is taken away', () => {
    const { rig, queues, shape } = shapedRig(QOS_1);
    shape(QOS_1000);
    const source = rig.place(Buffer.alloc(0x10_0000));
    for (let i = 0; i < 20; i++)
      queues[0].submit({ source, bytes: 0x10_0000, destination: source, room: 0x10_0000, request: 1 });
    assert.equal(rig.device.statistics(0)!.operations, 20);
    assert.equal(rig.clock.pendingTimers, 0);
  });
});
