/** Deck, "WD SVA stall mode on D06": rows E1–E5 of warpdrive.md section 2.5. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeviceSnapshot, FaultSnapshot } from '../../shared/src/telemetry.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { runChild, runTogether, startChild } from './support/attach-children.ts';
import { type Api, insideOf, until, withService } from './support/attach-host.ts';

const BYTES = 64 * 1024;

describe('SVA stall mode', () => {
  it('E1 binds a process once, however many queues it has, and unbinds it with the last (SVA v2 life cycle)', async () => {
    await withService({}, async ({ host, path }, api) => {
      const before = insideOf(host).iommu.pasidsInUse;
      const child = startChild('linger', { path, state: 'idle', queues: 3 });
      const other = startChild('compress', { path, jobs: 1, bytes: 100, seed: 1 });
      await Promise.all([child.ready, other.ready]);
      assert.equal(insideOf(host).iommu.pasidsInUse, before + 2);
      const bound = await boundOf(api);
      assert.deepEqual(
        [child, other].map(({ pid }) =>
          bound.filter(({ owner }) => owner?.pid === pid).map(({ binds }) => binds),
        ),
        [[3], [1]],
      );
      await Promise.all([child.kill(), other.kill()]);
      await until(() => insideOf(host).iommu.pasidsInUse === before, 'the PASIDs are free');
    });
  });

  it('E2 shows the ZIP engine as the PCI function 19e5:a250, class "processing accelerators"', async () => {
    await withService({}, async (_attach, api) => {
      const function0 = 'bus/pci/devices/0000:75:00.0';
      assert.equal(await api.sysfs(`${function0}/vendor`), '0x19e5');
      assert.equal(await api.sysfs(`${function0}/device`), '0xa250');
      assert.equal(await api.sysfs(`${function0}/class`), '0x120000');
    });
  });

  it('E3 resolves the first touch of a page while stall is on, and fails the same request when it is off', async () => {
    const said: unknown[] = [];
    for (const faultModel of ['stall', 'none'] as const)
      await withService({ faultModel }, async ({ path }, api) => {
        const seen = await runChild('firstTouch', { path, bytes: BYTES, touches: false });
        const faults = await faultsOf(api);
        const iommu = await api.get('/v1/iommu', true);
        const answered = iommu['answered'] as FaultSnapshot[];
        said.push({
          outcome: seen.outcome,
          right: seen.right,
          hasResolved: answered.some(({ outcome, access }) => outcome === 'resolved' && access === 'write'),
          faults: faults.map(({ event, access, outcome }) => `${event} ${access} ${outcome}`),
        });
      });
    assert.deepEqual(said, [
      { outcome: 'ok', right: 1, hasResolved: true, faults: [] },
      { outcome: 'dma-error', right: 0, hasResolved: false, faults: ['F_TRANSLATION write aborted'] },
    ]);
  });

  it('E3 holds the transaction while the page is awaited, shows its age, and repeats it afterwards', async () => {
    await withService({}, async ({ host, path }, api) => {
      const { iommu } = insideOf(host);
      const child = startChild('firstTouch', { path, bytes: BYTES, touches: false });
      await child.ready;
      const letGo = iommu.holdPageRequests();
      child.go();
      await until(
        () => iommu.stalls().some(({ ageMs }) => ageMs >= 20),
        'a transaction is on hold for 20 ms',
      );
      const [stall] = (await api.get('/v1/iommu'))['stalls'] as {
        ageMs: number;
        access: string;
        pasid?: number;
      }[];
      assert.ok((stall?.ageMs ?? 0) >= 20);
      assert.deepEqual([stall?.access, stall && 'pasid' in stall], ['write', false]);
      letGo();
      assert.equal((await child.result).outcome, 'ok');
      assert.equal(iommu.stalls().length, 0);
    });
  });

  it('E4 resolves the page faults of three processes at once, each in its own memory', async () => {
    await withService({}, async ({ host, path }, api) => {
      const children = [1, 2, 3].map(() =>
        startChild('firstTouch', { path, bytes: BYTES, touches: false, jobs: 4 }),
      );
      const seen = await runTogether(children);
      assert.deepEqual(
        seen.map(({ right }) => right),
        [4, 4, 4],
      );
      const answered = (await api.get('/v1/iommu', true))['answered'] as FaultSnapshot[];
      assert.ok(answered.length > 0);
      assert.ok(answered.every(({ outcome }) => outcome === 'resolved'));
      assert.ok(new Set(answered.map(({ pasid }) => pasid)).size === 3, 'faults of three address spaces');
      assert.equal(host.view.faults().length, 0);
    });
  });

  for (const faultModel of ['none', 'stall', 'pri'] as const)
    it(`E5 makes fault recovery "${faultModel}" a property of the device`, async () => {
      await withService({ faultModel }, async ({ path }, api) => {
        const [device] = (await api.get('/v1/devices'))['devices'] as DeviceSnapshot[];
        assert.equal(device?.faultModel, faultModel);
        assert.equal(await api.sysfs('class/uacce/hisi_zip-0/flags'), faultModel === 'none' ? '0' : '1');
        const seen = await runChild('firstTouch', { path, bytes: BYTES, touches: false });
        assert.equal(seen.outcome, faultModel === 'none' ? 'dma-error' : 'ok');
        assert.ok(seen.afterwards, 'the queue works on');
      });
    });
});

async function boundOf(api: Api) {
  const { devices } = (await api.get('/v1/iommu', true)) as unknown as {
    devices: { bound: { binds: number; owner?: { pid: number } }[] }[];
  };
  return devices.flatMap(({ bound }) => bound);
}
const faultsOf = async (api: Api) => {
  const answer = await api.send('GET', '/v1/faults', { token: ADMIN_TOKEN });
  return answer.body['faults'] as FaultSnapshot[];
};
