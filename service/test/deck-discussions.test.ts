/** Deck, open discussions, challenges and plans: rows G1–I3 of warpdrive.md section 2.8 (H1 also in attach-faults). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeviceSnapshot, MdevSnapshot, QueueSnapshot } from '../../shared/src/telemetry.ts';
import { AddressSpace } from '../src/kernel/iommu/address-space.ts';
import { UACCE, UACCE_REGION_OFFSET } from '../src/kernel/uacce/numbers.ts';
import { VFIO, VFIO_TYPE } from '../src/kernel/vfio/numbers.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { runChild, runTogether, startChild } from './support/attach-children.ts';
import { type Api, insideOf, until, withHost, withService } from './support/attach-host.ts';
import { withCode } from './support/errors.ts';
import { kernelRig, uuidOf } from './support/kernel-rig.ts';

const token = ADMIN_TOKEN;

describe('open discussions', () => {
  it('G1 serves both front ends, UACCE and VFIO, from one pool of queues of one driver', async () => {
    await withService({}, async ({ host, path }, api) => {
      const free = insideOf(host).parent.queuesFree;
      const children = (['sva', 'vfio'] as const).map((mode) =>
        startChild('compress', { path, mode, jobs: 50, bytes: 4000, seed: 1 }),
      );
      await Promise.all(children.map(({ ready }) => ready));
      assert.equal(insideOf(host).parent.queuesFree, free - 2);
      const [byUacce, byVfio] = children.map(({ pid }) => pid);
      const queues = await queuesOf(api);
      assert.equal(queues.find(({ owner }) => owner.pid === byUacce)?.mdev, '');
      assert.match(queues.find(({ owner }) => owner.pid === byVfio)?.mdev ?? '', /^[0-9a-f-]{36}$/);
      assert.deepEqual(
        (await runTogether(children)).map(({ right }) => right),
        [50, 50],
      );
      await until(() => insideOf(host).parent.queuesFree === free, 'the queues are back');
    });
  });

  for (const domain of ['private', 'inherit', 'external'] as const)
    it(`G2 H3 knows the IOMMU domain of an mdev: ${domain}`, () => {
      const { kernel, iommu } = kernelRig({ domain });
      kernel.createMdev({ uuid: uuidOf(1), type: 'hisi_zip-zip' }, true);
      const [mdev] = kernel.mdevs();
      assert.equal(mdev?.domain, domain);
      assert.equal(
        kernel.sysfs.read(`/sys/bus/mdev/devices/${uuidOf(1)}/warpdrive/domain`, false),
        `${domain}\n`,
      );
      const task = kernel.createTask({
        owner: { pid: 1, name: 'user' },
        mode: 'vfio',
        isAdmin: false,
        mm: new AddressSpace('sva'),
        resolve: () => undefined,
      });
      const container = kernel.vfio.openContainer(task);
      const group = kernel.vfio.openGroup(task, mdev?.iommuGroup ?? -1);
      group.ioctl(VFIO.GROUP_SET_CONTAINER, container);
      container.ioctl(VFIO.SET_IOMMU, VFIO_TYPE.type1);
      group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(1));
      // an auxiliary domain is found by a PASID on the parent; the others have none
      assert.equal(iommu.pasidsInUse, domain === 'private' ? 1 : 0);
      task.exit();
      assert.equal(iommu.pasidsInUse, 0);
    });

  it('G3 assigns the queue at create or at open, by policy, and shows queues that idle', async () => {
    await withService({}, async ({ host }, api) => {
      const free = async () => Number(await api.sysfs('class/uacce/hisi_zip-0/available_instances'));
      const before = await free();
      for (const [uuid, type] of [
        [uuidOf(1), 'hisi_zip-zip'],
        [uuidOf(2), 'hisi_zip-zip_on_open'],
      ])
        assert.equal((await api.send('POST', '/v1/mdevs', { body: { uuid, type }, token })).status, 201);
      assert.equal(await free(), before - 1, 'on-open took none');
      const mdevs = (await api.get('/v1/mdevs'))['mdevs'] as MdevSnapshot[];
      const idle = mdevs.filter(({ state, qpId }) => state === 'created' && qpId >= 0);
      assert.deepEqual(
        idle.map(({ uuid, policy }) => [uuid, policy]),
        [[uuidOf(1), 'on-create']],
      );
      const late = mdevs.find(({ uuid }) => uuid === uuidOf(2));
      assert.deepEqual([late?.policy, late?.qpId], ['on-open', -1]);

      const task = host.kernel.createTask({
        owner: { pid: process.pid, name: 'user' },
        mode: 'vfio',
        isAdmin: false,
        mm: new AddressSpace('sva'),
        resolve: () => undefined,
      });
      const container = host.kernel.vfio.openContainer(task);
      const group = host.kernel.vfio.openGroup(task, late?.iommuGroup ?? -1);
      group.ioctl(VFIO.GROUP_SET_CONTAINER, container);
      container.ioctl(VFIO.SET_IOMMU, VFIO_TYPE.type1);
      group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(2));
      assert.equal(await free(), before - 2, 'at open');
      task.exit();
      assert.equal(await free(), before - 1, 'and back at close');
    });
  });

  it('G4 H2 keeps queues for the native driver, shows both kinds of user, and gives the rest away', async () => {
    await withService({ mode: 'native', queues: 3, nativeQueues: 8 }, async ({ host, path }, api) => {
      const [device] = (await api.get('/v1/devices'))['devices'] as DeviceSnapshot[];
      assert.deepEqual([device?.queuesReserved, device?.queuesNative], [8, 3]);
      const { taken, error } = await runChild('takeAll', { path });
      assert.deepEqual([taken, error], [(device?.queuesTotal ?? 0) - 8, 'WD_E_NO_QUEUE EBUSY']);
      await until(() => host.view.queues().length === 3, 'the queues are back');
      const child = startChild('compress', { path, jobs: 10, bytes: 4000, seed: 1 });
      await child.ready;
      assert.deepEqual((await queuesOf(api)).map(({ mode }) => mode).sort(), [
        'native',
        'native',
        'native',
        'sva',
      ]);
      child.go();
      assert.equal((await child.result).right, 10);
    });
  });
});

describe('challenges and plans', () => {
  it('H1 takes a device out after as many hardware errors as the strategy allows, and back after a reload', async () => {
    await withService({}, async ({ host, path }, api) => {
      const uacce = 'class/uacce/hisi_zip-0';
      const strategy = `/v1/sysfs/${uacce}/isolate_strategy`;
      for (const text of ['65536', 'often', '-1'])
        assert.equal((await api.send('PUT', strategy, { text, token })).body['errno'], 'EINVAL');
      assert.equal((await api.send('PUT', strategy, { text: '2\n', token })).status, 204);
      assert.deepEqual([host.kernel.hardwareError(), await api.sysfs(`${uacce}/isolate`)], [false, '0']);
      assert.deepEqual([host.kernel.hardwareError(), await api.sysfs(`${uacce}/isolate`)], [true, '1']);
      const job = { path, jobs: 1, bytes: 100, seed: 1 };
      await assert.rejects(runChild('compress', job), withCode('WD_E_EPERM'));
      assert.equal((await api.send('PUT', strategy, { text: '9', token })).body['errno'], 'EPERM');
      host.kernel.reloadDriver();
      assert.equal((await runChild('compress', job)).right, 1);
    });
  });

  it('I1 has the character device that RFC v3 became: open, START_Q, regions, PUT_Q', async () => {
    await withHost({}, async ({ host }) => {
      const task = host.kernel.createTask({
        owner: { pid: process.pid, name: 'uacce user' },
        mode: 'sva',
        isAdmin: false,
        mm: new AddressSpace('sva'),
        resolve: () => undefined,
      });
      const file = host.kernel.uacce.open(task);
      assert.deepEqual(Object.keys(file.ioctl(UACCE.QM_SET_QP_CTX, { id: 0, qc_type: 1 })), [
        'id',
        'qc_type',
      ]);
      assert.throws(() => file.ioctl(UACCE.QM_SET_QP_CTX, { id: 0, qc_type: 2 }), withCode('WD_E_EINVAL'));
      file.mmap(UACCE_REGION_OFFSET.dus, 151_552);
      assert.throws(() => file.mmap(UACCE_REGION_OFFSET.dus, 151_552), withCode('WD_E_EEXIST'));
      assert.throws(() => file.mmap(12_345, 4096), withCode('WD_E_EINVAL'));
      file.mmap(UACCE_REGION_OFFSET.mmio, 8192);
      assert.equal(file.ioctl(UACCE.START_Q), 0);
      assert.throws(() => file.ioctl(UACCE.START_Q), withCode('WD_E_EINVAL'));
      assert.throws(() => file.ioctl(0x5799), withCode('WD_E_EINVAL'));
      assert.equal(file.ioctl(UACCE.PUT_Q), 0);
      assert.throws(() => file.ioctl(UACCE.START_Q), withCode('WD_E_ENXIO'));
      task.exit();
    });
  });

  it('I2 binds an address space for any front end by the same call: no VFIO is needed for SVA', async () => {
    await withHost({}, async ({ host, path }) => {
      const mdevs = host.view.mdevs().length;
      const child = startChild('compress', { path, mode: 'sva', jobs: 20, bytes: 4000, seed: 1 });
      await child.ready;
      assert.equal(host.view.mdevs().length, mdevs, 'no mdev was made for it');
      child.go();
      assert.equal((await child.result).right, 20);
    });
  });

  it('I3 ships the user-space library: a process drives its queue by the package alone', async () => {
    await withHost({}, async ({ path }) => {
      const { outcome, isRight } = await runChild('gzipByPackageName', { path });
      assert.deepEqual([outcome, isRight], ['ok', true]);
    });
  });
});

const queuesOf = async (api: Api) => (await api.get('/v1/queues'))['queues'] as QueueSnapshot[];
