/** Deck, "Updating on WD": rows C1, C2, C4, C5 of warpdrive.md section 2.3; C3 is attach-kills.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MdevSnapshot } from '../../shared/src/telemetry.ts';
import { SQE_OUT_WORDS } from '../src/hw-abi/zip-sqe.ts';
import { run } from './cli-process.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { runChild, startChild } from './support/attach-children.ts';
import { type Api, insideOf, until, withService } from './support/attach-host.ts';
import { withCode } from './support/errors.ts';

const TYPES = 'devices/pci0000:75/0000:75:00.0/mdev_supported_types';
const UUID = '83b8f4f2-509f-382f-3c1e-e6bfe0fa1002';
const token = ADMIN_TOKEN;

describe('updates on WarpDrive', () => {
  it('C1 lets only root create an mdev: EACCES before the driver is asked', async () => {
    await withService({}, async ({ host }, api) => {
      const mdevs = host.view.mdevs().length;
      const body = { uuid: UUID, type: 'hisi_zip-zip' };
      const create = `/v1/sysfs/${TYPES}/hisi_zip-zip/create`;
      for (const stranger of [undefined, 'another-token']) {
        const posted = await api.send('POST', '/v1/mdevs', { body, token: stranger });
        const written = await api.send('PUT', create, { text: UUID, token: stranger });
        for (const { status, body: problem } of [posted, written])
          assert.deepEqual([status >= 400 && status < 500, problem['errno']], [true, 'EACCES']);
      }
      assert.throws(() => host.kernel.createMdev(body, false), withCode('WD_E_EACCES'));
      assert.throws(
        () => host.kernel.sysfs.write(`/sys/${TYPES}/hisi_zip-zip/create`, UUID, false),
        withCode('WD_E_EACCES'),
      );
      const byCommand = await run([
        'mdev',
        'create',
        'hisi_zip-zip',
        '--url',
        api.url,
        '--admin-token',
        'another-token',
      ]);
      assert.ok(byCommand.code !== 0 && byCommand.stderr.includes('EACCES'), byCommand.stderr);
      assert.equal(host.view.mdevs().length, mdevs);
      assert.equal((await api.send('PUT', create, { text: `${UUID}\n`, token })).status, 204);
      assert.equal(host.view.mdevs().length, mdevs + 1);
      const again = await api.send('POST', '/v1/mdevs', { body, token });
      assert.deepEqual([again.body['code'], again.body['errno']], ['WD_E_EEXIST', 'EEXIST']);
      for (const uuid of ['', 'x', `${UUID}0`, 'zzzzzzzz-509f-382f-3c1e-e6bfe0fa1002']) {
        const wrong = await api.send('POST', '/v1/mdevs', { body: { ...body, uuid }, token });
        assert.equal(wrong.body['errno'], 'EINVAL', `uuid "${uuid}"`);
      }
      const type = await api.send('POST', '/v1/mdevs', { body: { type: 'hisi_zip-none' }, token });
      assert.equal(type.body['errno'], 'EINVAL');
    });
  });

  it('C2 refuses to remove an mdev while a process uses it (EBUSY) and takes no memory from it', async () => {
    await withService({}, async ({ path }, api) => {
      const child = startChild('compress', { path, mode: 'vfio', jobs: 50, bytes: 4000, seed: 1 });
      await child.ready;
      const used = (await mdevsOf(api)).find(({ timeLine }) => timeLine?.at(-1)?.state === 'active');
      const queue = await queueOf(api, child.pid);
      assert.equal(queue?.mdev === '', false);
      const uuid = queue?.mdev ?? used?.uuid ?? '';
      const refused = await api.send('DELETE', `/v1/mdevs/${uuid}`, { token });
      assert.deepEqual([refused.status, refused.body['errno']], [409, 'EBUSY']);
      const written = await api.send('PUT', `/v1/sysfs/bus/mdev/devices/${uuid}/remove`, {
        text: '1',
        token,
      });
      assert.equal(written.body['errno'], 'EBUSY');
      child.go();
      assert.equal((await child.result).right, 50);
    });
  });

  it('C2 removes an mdev after its process ended', async () => {
    await withService({}, async ({ host, path }, api) => {
      host.kernel.createMdev({ uuid: UUID, type: 'hisi_zip-zip' }, true);
      const child = startChild('linger', { path, mode: 'vfio', state: 'mapped' });
      await child.ready;
      assert.equal((await queueOf(api, child.pid))?.mdev, UUID);
      assert.equal((await api.send('DELETE', `/v1/mdevs/${UUID}`, { token })).body['errno'], 'EBUSY');
      await child.kill();
      await until(
        () => host.view.mdevs().find(({ uuid }) => uuid === UUID)?.state === 'created',
        'the mdev is idle',
      );
      assert.equal((await api.send('DELETE', `/v1/mdevs/${UUID}`, { token })).status, 204);
      assert.equal((await api.send('DELETE', `/v1/mdevs/${UUID}`, { token })).body['errno'], 'ENODEV');
    });
  });

  it('C4 sets the PASID in the kernel: no reply names one and no request takes one', async () => {
    await withService({}, async ({ path }, api) => {
      const child = startChild('linger', { path, state: 'idle' });
      await child.ready;
      const routes = ['status', 'devices', 'mdevs', 'queues', 'faults', 'iommu'].map((name) => `/v1/${name}`);
      for (const route of routes)
        assert.doesNotMatch(JSON.stringify(await api.get(route)), /"pasid"|ssid/i, `${route} to the public`);
      assert.match(JSON.stringify(await api.get('/v1/iommu', true)), /"pasid"/, 'the administrator sees it');
      const body = { type: 'hisi_zip-zip', pasid: 1 };
      assert.equal((await api.send('POST', '/v1/mdevs', { body, token })).body['errno'], 'EINVAL');
      await child.kill();
    });
  });

  it('C4 lets a process write all of its shared region without reaching another PASID', async () => {
    await withService({}, async ({ path }) => {
      const { sqe } = await runChild('transcript', { path });
      const changed = sqe.after.flatMap((word, index) => (word === sqe.before[index] ? [] : [index]));
      assert.ok(
        changed.every((index) => (SQE_OUT_WORDS as readonly number[]).includes(index)),
        `words ${changed}`,
      );
    });
  });

  it('C5 assigns the queue at create: available_instances drops then, and not at open', async () => {
    await withService({}, async ({ host, path }, api) => {
      const free = async () => Number(await api.sysfs(`${TYPES}/hisi_zip-zip/available_instances`));
      const before = await free();
      host.kernel.createMdev({ uuid: UUID, type: 'hisi_zip-zip' }, true);
      assert.equal(await free(), before - 1);
      const child = startChild('linger', { path, mode: 'vfio', state: 'idle' });
      await child.ready;
      assert.equal((await queueOf(api, child.pid))?.mdev, UUID);
      assert.equal(await free(), before - 1);
      await child.kill();
      await until(
        () => host.view.mdevs().find(({ uuid }) => uuid === UUID)?.state === 'created',
        'the mdev is idle',
      );
      assert.equal(await free(), before - 1, 'the mdev keeps its queue');
    });
  });

  it('C5 refuses the mdev after the last queue with the errno of the allocator', async () => {
    await withService({}, async ({ host }, api) => {
      const free = insideOf(host).parent.queuesFree;
      for (let i = 0; i < free; i++) host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
      const refused = await api.send('POST', '/v1/mdevs', { body: { type: 'hisi_zip-zip' }, token });
      assert.deepEqual([refused.body['code'], refused.body['errno']], ['WD_E_NO_QUEUE', 'EBUSY']);
      assert.equal(await api.sysfs(`${TYPES}/hisi_zip-zip/available_instances`), '0');
    });
  });
});

const mdevsOf = async (api: Api) => (await api.get('/v1/mdevs'))['mdevs'] as MdevSnapshot[];
async function queueOf(api: Api, pid: number) {
  const queues = (await api.get('/v1/queues'))['queues'] as { mdev: string; owner: { pid: number } }[];
  return queues.find(({ owner }) => owner.pid === pid);
}
