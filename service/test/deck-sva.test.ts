/** Deck, "Enhancements of JPB's SVA proposal": rows D1–D5 of warpdrive.md section 2.4. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressSpace } from '../src/kernel/iommu/address-space.ts';
import { IommuGroup } from '../src/kernel/iommu/group.ts';
import { VFIO, VFIO_TYPE } from '../src/kernel/vfio/numbers.ts';
import { VfioDevice } from '../src/kernel/vfio/vfio-device.ts';
import { VfioGroup } from '../src/kernel/vfio/vfio-group.ts';
import { runChild, runTogether, startChild } from './support/attach-children.ts';
import { insideOf, until, withHost, withService } from './support/attach-host.ts';
import { withCode } from './support/errors.ts';

const UUIDS = [1, 2].map((n) => `83b8f4f2-509f-382f-3c1e-e6bfe0fa200${n}`);
const BIND = 0x3b7a; // JPB's, never merged
const IOVA = 0x2000_0000;

const user = (mode: 'sva' | 'vfio') => ({
  owner: { pid: process.pid, name: 'stock VFIO user' },
  mode,
  isAdmin: false,
  mm: new AddressSpace('sva'),
  resolve: () => undefined,
});

describe('enhancements of SVA', () => {
  it('D1 keeps the PASID from user space: every answer of the attach protocol has only its documented fields', async () => {
    await withHost({}, async ({ path }) => {
      const { answers } = await runChild('transcript', { path });
      const payloads = answers.map(({ payload }) => Buffer.from(payload, 'hex'));
      assert.deepEqual(
        answers.map(({ errno }) => errno),
        [0, 0, 0, 0],
      );
      const [hello, attach, open, close] = payloads;
      assert.deepEqual([hello?.length, attach?.length, close?.length], [8, 0, 0]);
      assert.equal(hello?.readUInt32LE(4), process.pid);
      // queue number, hardware, MMIO bytes, DUS bytes, path: docs/attach.md
      assert.deepEqual(
        [open?.readUInt16LE(2), open?.readUInt32LE(4), open?.readUInt32LE(8)],
        [3, 8192, 151_552],
      );
      assert.equal(open?.length, 14 + (open?.readUInt16LE(12) ?? 0));
    });
  });

  it("D2 attaches the container to the IOMMU group of the mdev's parent, once for several mdevs", async () => {
    await withHost({}, async ({ host }) => {
      const task = host.kernel.createTask(user('vfio'));
      const container = host.kernel.vfio.openContainer(task);
      const groups = UUIDS.map((uuid) => {
        const { iommuGroup = -1 } = host.kernel.createMdev({ uuid, type: 'hisi_zip-zip' }, true);
        const group = host.kernel.vfio.openGroup(task, iommuGroup);
        group.ioctl(VFIO.GROUP_SET_CONTAINER, container);
        return group;
      });
      container.ioctl(VFIO.SET_IOMMU, VFIO_TYPE.type1);
      assert.deepEqual(container.attachedGroups, [insideOf(host).parent.iommuGroup]);
      assert.throws(() => groups[0]?.ioctl(VFIO.GROUP_SET_CONTAINER, container), withCode('WD_E_EINVAL'));
      groups[0]?.ioctl(VFIO.GROUP_UNSET_CONTAINER);
      assert.equal(container.attachedGroups.length, 1);
      groups[1]?.ioctl(VFIO.GROUP_UNSET_CONTAINER);
      assert.equal(container.attachedGroups.length, 0);
      task.exit();
    });
  });

  it('D2 refuses a group whose mdevs have different parents (ENODEV), and to attach a group twice (EINVAL)', async () => {
    await withHost({}, async ({ host }) => {
      const mdevs = UUIDS.map((uuid) => {
        host.kernel.createMdev({ uuid, type: 'hisi_zip-zip' }, true);
        return insideOf(host).parent.find(uuid);
      });
      const parents = [0, 1].map((id) => new IommuGroup(100 + id, () => []));
      const members = mdevs.flatMap((mdev, i) => {
        const parentGroup = parents[i];
        return parentGroup ? [{ mdev, parentGroup }] : [];
      });
      const mixed = new VfioGroup({
        id: 99,
        members,
        openDevice: () => assert.fail('no device opens'),
        onRelease: () => {},
      });
      const task = host.kernel.createTask(user('vfio'));
      const container = host.kernel.vfio.openContainer(task);
      mixed.ioctl(VFIO.GROUP_SET_CONTAINER, container);
      assert.throws(() => container.ioctl(VFIO.SET_IOMMU, VFIO_TYPE.type1), withCode('WD_E_ENODEV'));
      const [parent] = parents;
      parent?.attach(container);
      assert.throws(() => parent?.attach(container), withCode('WD_E_EINVAL'));
      mixed.close();
      task.exit();
    });
  });

  it("D3 gives each process a private I/O page table: one's unmap does not touch the other's map of the same IOVA", async () => {
    await withHost({}, async ({ path }) => {
      const [a, b] = [true, false].map((unmaps, i) =>
        startChild('privateMap', { path, iova: IOVA, unmaps, seed: i }),
      );
      assert.ok(a && b);
      await Promise.all([a.ready, b.ready]);
      a.go();
      assert.deepEqual(await a.result, {
        before: 'ok',
        after: 'dma-error',
        unmapped: 3 * 4096,
        isRight: false,
        isUntouched: true,
      });
      b.go();
      assert.deepEqual(await b.result, {
        before: 'ok',
        after: 'ok',
        unmapped: 0,
        isRight: true,
        isUntouched: false,
      });
    });
  });

  it('D4 lets unrelated processes come in any order and leave in any order', async () => {
    await withHost({}, async ({ host, path }) => {
      const before = host.view.queues().length;
      const job = { path, jobs: 20, bytes: 3000 };
      const first = startChild('linger', { path, state: 'idle' });
      await first.ready;
      const second = startChild('compress', { ...job, seed: 1 });
      await second.ready;
      await first.kill(); // the oldest goes first
      const third = startChild('compress', { ...job, seed: 2, mode: 'vfio' });
      await third.ready;
      assert.deepEqual(
        (await runTogether([third])).map(({ right }) => right),
        [20],
      ); // the youngest goes next
      assert.deepEqual(
        (await runTogether([second])).map(({ right }) => right),
        [20],
      );
      await until(() => host.view.queues().length === before, 'all queues are back');
    });
  });

  it('D5 answers the stock VFIO calls the same whether SVA is on or off, and BIND with ENOTTY', async () => {
    const said = await Promise.all(
      (['stall', 'none'] as const).map(async (faultModel) => {
        const answers: unknown[] = [];
        await withService({ faultModel }, async ({ host }) => {
          const [uuid = ''] = UUIDS;
          const { iommuGroup = -1 } = host.kernel.createMdev({ uuid, type: 'hisi_zip-zip' }, true);
          for (const mode of ['sva', 'vfio'] as const)
            answers.push(handshake(host, user(mode), iommuGroup, uuid));
        });
        return answers;
      }),
    );
    const [first, ...others] = said.flat();
    for (const other of others) assert.deepEqual(other, first);
  });
});

type Kernel = Parameters<Parameters<typeof withHost>[1]>[0]['host'];

/** What a stock user of VFIO calls, in libwd's order. @returns all answers */
function handshake(
  { kernel }: Kernel,
  options: ReturnType<typeof user>,
  groupId: number,
  uuid: string,
): unknown[] {
  const task = kernel.createTask(options);
  const container = kernel.vfio.openContainer(task);
  const group = kernel.vfio.openGroup(task, groupId);
  const said: unknown[] = [
    container.ioctl(VFIO.GET_API_VERSION),
    container.ioctl(VFIO.CHECK_EXTENSION, VFIO_TYPE.type1),
    group.ioctl(VFIO.GROUP_GET_STATUS, { argsz: 8 }),
    group.ioctl(VFIO.GROUP_SET_CONTAINER, container),
    container.ioctl(VFIO.SET_IOMMU, VFIO_TYPE.type1),
    container.ioctl(VFIO.IOMMU_GET_INFO, { argsz: 16 }),
  ];
  const device = group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuid);
  assert.ok(device instanceof VfioDevice);
  said.push(
    device.ioctl(VFIO.DEVICE_GET_INFO, { argsz: 16 }),
    device.ioctl(VFIO.DEVICE_GET_REGION_INFO, { argsz: 32, index: 1 }),
    device.ioctl(VFIO.DEVICE_GET_IRQ_INFO, { argsz: 16, index: 0 }),
  );
  for (const file of [container, group, device])
    assert.throws(() => file.ioctl(BIND, {}), withCode('WD_E_ENOTTY'));
  task.exit();
  return said;
}
