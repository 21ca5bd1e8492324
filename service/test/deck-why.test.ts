/** Deck, "Why WarpDrive" and its status: rows B1–B4 of warpdrive.md section 2.2. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeviceSnapshot, FaultSnapshot, QueueSnapshot } from '../../shared/src/telemetry.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { runChild, runTogether, startChild } from './support/attach-children.ts';
import { type Api, withHost, withService } from './support/attach-host.ts';

describe('why WarpDrive', () => {
  for (const mode of ['sva', 'vfio', 'noiommu'] as const)
    it(`B1 lets an observer tell the overhead in mode ${mode}: wall time minus the device's busy time`, async (t) => {
      await withService({ mode: mode === 'noiommu' ? mode : 'sva' }, async ({ path }, api) => {
        const before = await busyNs(api);
        const startedNs = process.hrtime.bigint();
        const jobs = 100;
        const token = ADMIN_TOKEN;
        const { right } = await runChild('compress', { path, mode, token, jobs, bytes: 60_000, seed: 1 });
        const wallNs = Number(process.hrtime.bigint() - startedNs);
        assert.equal(right, jobs);
        const deviceNs = (await busyNs(api)) - before;
        assert.ok(deviceNs > 0 && deviceNs < wallNs, `busy ${deviceNs} ns of ${wallNs} ns`);
        t.diagnostic(
          `${mode}: device busy ${(deviceNs / 1e6).toFixed(1)} ms of ${(wallNs / 1e6).toFixed(1)} ms`,
        );
      });
    });

  it('B2 serves three processes on one device at once, each with a queue of its own', async () => {
    await withService({}, async ({ path }, api) => {
      const children = [1, 2, 3].map((seed) =>
        startChild('compress', { path, jobs: 100, bytes: 8000, seed }),
      );
      await Promise.all(children.map(({ ready }) => ready));
      const queues = (await queuesOf(api)).filter(({ owner }) =>
        children.some(({ pid }) => pid === owner.pid),
      );
      assert.equal(new Set(queues.map(({ qpId }) => qpId)).size, 3);
      assert.equal(new Set(queues.map(({ device }) => device)).size, 1);
      const seen = await runTogether(children);
      assert.deepEqual(
        seen.map(({ right }) => right),
        [100, 100, 100],
      );
    });
  });

  for (const mode of ['sva', 'vfio'] as const)
    it(`B3 turns DMA to an address that a ${mode} process does not have into a fault and an error of that job alone`, async () => {
      await withService({}, async ({ path }, api) => {
        const neighbour = startChild('compress', { path, jobs: 200, bytes: 4000, seed: 5 });
        const stray = startChild('strayAddress', { path, mode });
        await Promise.all([neighbour.ready, stray.ready]);
        neighbour.go();
        stray.go();
        const seen = await stray.result;
        assert.deepEqual(seen.outcomes, ['dma-error', 'dma-error', 'ok']);
        assert.deepEqual(seen.statuses.slice(0, 2), [0x41, 0x41]);
        assert.equal((await neighbour.result).right, 200);
        const faults = (await faultsOf(api)).filter(({ outcome }) => outcome === 'aborted');
        assert.deepEqual(
          faults.map(({ iova, access, event }) => [Number(iova), access, event]),
          [
            [seen.stray, 'read', 'F_TRANSLATION'],
            [seen.stray, 'write', 'F_TRANSLATION'],
          ],
        );
        assert.ok(
          faults.every(({ kernelLine, advice }) => kernelLine.includes('F_TRANSLATION') && advice !== ''),
        );
      });
    });

  it('B3 names the queue of a fault, and tells memory that may not be written from memory that is not there', async () => {
    await withService({}, async ({ path }, api) => {
      const child = startChild('readOnlyMemory', { path });
      child.go();
      const seen = await child.result;
      assert.deepEqual(seen.outcomes, ['ok', 'dma-error', 'dma-error', 'dma-error', 'ok']);
      const [first, second] = seen.queues.map((qpId) => `hisi_zip-0/${qpId}`);
      assert.deepEqual(
        (await faultsOf(api)).map((fault) => [
          fault.event,
          fault.access,
          Number(fault.iova),
          fault.queue,
          fault.owner?.pid,
        ]),
        [
          ['F_PERMISSION', 'write', seen.readOnly, first, child.pid],
          ['F_PERMISSION', 'write', seen.readOnly, second, child.pid],
          ['F_TRANSLATION', 'write', seen.absent, second, child.pid],
        ],
      );
    });
  });

  it('B4 has the mode without fault recovery: memory that is not resident fails, memory that was touched works', async () => {
    await withHost({ faultModel: 'none' }, async ({ path }) => {
      const job = { path, bytes: 16_000 };
      const absent = await runChild('firstTouch', { ...job, touches: false });
      assert.deepEqual(absent, { outcome: 'dma-error', right: 0, afterwards: true });
      const resident = await runChild('firstTouch', { ...job, touches: true });
      assert.deepEqual(resident, { outcome: 'ok', right: 1, afterwards: true });
    });
  });
});

async function busyNs(api: Api): Promise<number> {
  const devices = (await api.get('/v1/devices'))['devices'] as DeviceSnapshot[];
  return devices.flatMap(({ cores }) => cores).reduce((sum, core) => sum + core.busyNs, 0);
}

const queuesOf = async (api: Api) => (await api.get('/v1/queues'))['queues'] as QueueSnapshot[];
const faultsOf = async (api: Api) => (await api.get('/v1/faults'))['faults'] as FaultSnapshot[];
