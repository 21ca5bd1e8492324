import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { QueueMode } from '../../../../shared/src/telemetry.ts';
import { iova, MIB, PAGE_BYTES, pasid } from '../../../../shared/src/units.ts';
import { withCode } from '../../../test/support/errors.ts';
import { kernelRig, type RigOptions, STREAM, uuidOf } from '../../../test/support/kernel-rig.ts';
import { IommuGroup } from '../iommu/group.ts';
import type { Task } from '../task.ts';
import { UACCE } from '../uacce/numbers.ts';
import { SDMDEV_CMD_WAIT, VFIO } from './numbers.ts';
import type { VfioContainer } from './vfio-container.ts';
import { VfioDevice } from './vfio-device.ts';
import { VfioGroup } from './vfio-group.ts';

const TYPE1 = 1;
const NOIOMMU = 8;
/** Where the rig's processes have memory. */
const VADDR = 0x4000_0000;
const map = (address: number, size = PAGE_BYTES, vaddr = VADDR, flags = 3) => ({
  argsz: 32,
  flags,
  vaddr,
  iova: address,
  size,
});
const unmap = (address: number, size = PAGE_BYTES) => ({ argsz: 24, flags: 0, iova: address, size });

function withMdevs(options: RigOptions = {}) {
  const rig = kernelRig({ queues: 8, ...options });
  for (const n of [1, 2, 3]) rig.parent.create(uuidOf(n), 'hisi_zip-zip');
  const groupOf = (n: number) => rig.parent.find(uuidOf(n)).iommuGroup;
  /** libwd's order (sources.md 3.6) up to the device. */
  const openUp = (task: Task, n: number, container: VfioContainer = rig.kernel.vfio.openContainer(task)) => {
    const group = rig.kernel.vfio.openGroup(task, groupOf(n));
    group.ioctl(VFIO.GROUP_SET_CONTAINER, container);
    if (!container.hasIommu) container.ioctl(VFIO.SET_IOMMU, options.isIommuOff ? NOIOMMU : TYPE1);
    const device = group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(n));
    assert.ok(device instanceof VfioDevice);
    return { container, group, device };
  };
  return { ...rig, groupOf, openUp };
}

describe('VFIO ioctl numbers (sources.md 3.6)', () => {
  it('are those of the kernel header', () => {
    const { GET_API_VERSION, SET_IOMMU, GROUP_GET_DEVICE_FD, DEVICE_RESET, IOMMU_MAP_DMA, IOMMU_UNMAP_DMA } =
      VFIO;
    assert.deepEqual(
      [GET_API_VERSION, SET_IOMMU, GROUP_GET_DEVICE_FD, DEVICE_RESET, IOMMU_MAP_DMA, IOMMU_UNMAP_DMA],
      [0x3b64, 0x3b66, 0x3b6a, 0x3b6f, 0x3b71, 0x3b72],
    );
    assert.equal(SDMDEV_CMD_WAIT, 0x5701);
  });
});

describe('the VFIO handshake', () => {
  it('answers the same whether SVA is on or off', () => {
    const answers = (['sva', 'vfio'] as QueueMode[]).map((mode) => {
      const { kernel, groupOf, taskOf } = withMdevs();
      const task = taskOf({ mode });
      const container = kernel.vfio.openContainer(task);
      const group = kernel.vfio.openGroup(task, groupOf(1));
      const status = () => group.ioctl(VFIO.GROUP_GET_STATUS, { argsz: 8 });
      const said: unknown[] = [
        container.ioctl(VFIO.GET_API_VERSION),
        container.ioctl(VFIO.CHECK_EXTENSION, TYPE1),
        container.ioctl(VFIO.CHECK_EXTENSION, 3),
        container.ioctl(VFIO.CHECK_EXTENSION, NOIOMMU),
        container.ioctl(VFIO.CHECK_EXTENSION, 2),
        status(),
        group.ioctl(VFIO.GROUP_SET_CONTAINER, container),
        status(),
        container.ioctl(VFIO.SET_IOMMU, TYPE1),
        container.ioctl(VFIO.IOMMU_GET_INFO, { argsz: 16 }),
        container.ioctl(VFIO.IOMMU_MAP_DMA, map(0x10_0000)),
        container.ioctl(VFIO.IOMMU_UNMAP_DMA, unmap(0x10_0000)),
      ];
      const device = group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(1));
      assert.ok(device instanceof VfioDevice);
      said.push(
        device.ioctl(VFIO.DEVICE_GET_INFO, { argsz: 16 }),
        device.ioctl(VFIO.DEVICE_GET_REGION_INFO, { argsz: 32, index: 0 }),
        device.ioctl(VFIO.DEVICE_GET_REGION_INFO, { argsz: 32, index: 1 }),
        device.ioctl(VFIO.DEVICE_GET_IRQ_INFO, { argsz: 16, index: 0 }),
      );
      return said;
    });
    assert.deepEqual(answers[0], answers[1]);
    assert.deepEqual(answers[0]?.slice(0, 8), [
      0,
      1,
      1,
      0,
      0,
      { argsz: 8, flags: 1 },
      0,
      { argsz: 8, flags: 3 },
    ]);
    assert.deepEqual(answers[0]?.[14], { argsz: 32, flags: 7, index: 1, size: 151_552, offset: 2 ** 40 });
  });
  it('refuses unknown ioctls on every descriptor (ENOTTY), the never merged BIND among them', () => {
    const { openUp, taskOf } = withMdevs();
    const { container, group, device } = openUp(taskOf(), 1);
    for (const number of [0, 0x3b7a, 0x3b7b, 0x5702, -1, 2 ** 40])
      for (const file of [container, group, device])
        assert.throws(() => file.ioctl(number, {}), withCode('WD_E_ENOTTY'));
  });
  it('refuses the wrong order (EINVAL)', () => {
    const { kernel, groupOf, taskOf } = withMdevs();
    const task = taskOf();
    const container = kernel.vfio.openContainer(task);
    const group = kernel.vfio.openGroup(task, groupOf(1));
    const refused = (call: () => unknown) => assert.throws(call, withCode('WD_E_EINVAL'));
    refused(() => container.ioctl(VFIO.SET_IOMMU, TYPE1)); // no group
    refused(() => container.ioctl(VFIO.IOMMU_MAP_DMA, map(0)));
    refused(() => group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(1)));
    refused(() => group.ioctl(VFIO.GROUP_UNSET_CONTAINER));
    refused(() => group.ioctl(VFIO.GROUP_SET_CONTAINER, {}));
    group.ioctl(VFIO.GROUP_SET_CONTAINER, container);
    refused(() => group.ioctl(VFIO.GROUP_SET_CONTAINER, container));
    refused(() => group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(1))); // no IOMMU
    assert.throws(() => container.ioctl(VFIO.SET_IOMMU, NOIOMMU), withCode('WD_E_ENODEV'));
    container.ioctl(VFIO.SET_IOMMU, TYPE1);
    refused(() => container.ioctl(VFIO.SET_IOMMU, TYPE1));
  });
  it('refuses a second opener of a group (EBUSY), other names (ENODEV) and other groups (ENOENT)', () => {
    const { kernel, groupOf, openUp, taskOf } = withMdevs();
    const { group } = openUp(taskOf(), 1);
    assert.throws(() => kernel.vfio.openGroup(taskOf(), groupOf(1)), withCode('WD_E_EBUSY'));
    assert.throws(() => group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(1)), withCode('WD_E_EBUSY'));
    assert.throws(() => group.ioctl(VFIO.GROUP_GET_DEVICE_FD, uuidOf(2)), withCode('WD_E_ENODEV'));
    assert.throws(() => group.ioctl(VFIO.GROUP_GET_DEVICE_FD), withCode('WD_E_EFAULT'));
    assert.throws(() => group.ioctl(VFIO.GROUP_UNSET_CONTAINER), withCode('WD_E_EBUSY'));
    assert.throws(() => kernel.vfio.openGroup(taskOf(), 99), withCode('WD_E_ENOENT'));
  });
  it('attaches to the IOMMU group of the parent, once for several mdevs', () => {
    const { parent, openUp, taskOf } = withMdevs();
    const task = taskOf();
    const { container, group } = openUp(task, 1);
    openUp(task, 2, container);
    assert.deepEqual(container.attachedGroups, [parent.iommuGroup]);
    group.close();
    assert.deepEqual(container.attachedGroups, [parent.iommuGroup]);
    container.close();
    assert.deepEqual(container.attachedGroups, []);
  });
  it('refuses a group whose devices have different parents (ENODEV)', () => {
    const { kernel, parent, taskOf } = withMdevs();
    const members = [1, 2].map((n) => ({
      mdev: parent.find(uuidOf(n)),
      parentGroup: new IommuGroup(n, () => []),
    }));
    const group = new VfioGroup({
      id: 50,
      members,
      openDevice: () => assert.fail('opened'),
      onRelease: () => {},
    });
    const container = kernel.vfio.openContainer(taskOf());
    group.setContainer(container);
    assert.throws(() => container.ioctl(VFIO.SET_IOMMU, TYPE1), withCode('WD_E_ENODEV'));
    assert.deepEqual([container.hasIommu, container.attachedGroups], [false, []]);
  });
  it('refuses to attach one user twice to a group (EINVAL)', () => {
    const group = new IommuGroup(7, () => []);
    const user = {};
    group.attach(user);
    assert.throws(() => group.attach(user), withCode('WD_E_EINVAL'));
    group.detach(user);
    group.attach(user);
  });
  it('refuses without interrupt remapping (EPERM)', () => {
    const { openUp, taskOf } = withMdevs({ hasInterruptRemapping: false });
    assert.throws(() => openUp(taskOf(), 1), withCode('WD_E_EPERM'));
  });
  it('offers physical addresses without IOMMU to CAP_SYS_RAWIO alone (EPERM)', () => {
    const { openUp, taskOf } = withMdevs({ isIommuOff: true });
    assert.throws(() => openUp(taskOf(), 1), withCode('WD_E_EPERM'));
    const { device, container } = openUp(taskOf({ isAdmin: true }), 2);
    assert.equal(device.queue.pasid, 0);
    assert.throws(() => container.ioctl(VFIO.IOMMU_MAP_DMA, map(0)), withCode('WD_E_ENOTTY'));
  });
});

describe('MAP_DMA and UNMAP_DMA', () => {
  it('fill a table of the process’s own: one IOVA, two processes, different memory; one unmap touches one', () => {
    const { iommu, openUp, taskOf } = withMdevs();
    const [a, b] = [1, 2].map((n) => openUp(taskOf({ mode: 'vfio', pid: n }), n)) as [
      ReturnType<typeof openUp>,
      ReturnType<typeof openUp>,
    ];
    a.container.ioctl(VFIO.IOMMU_MAP_DMA, map(0x10_0000, PAGE_BYTES, VADDR));
    b.container.ioctl(VFIO.IOMMU_MAP_DMA, map(0x10_0000, PAGE_BYTES, VADDR + MIB));
    const reach = ({ device }: typeof a) =>
      iommu.translate(STREAM, device.queue.pasid, iova(0x10_0000), 8, 'write')?.[0]?.address;
    assert.deepEqual([reach(a), reach(b)], [0, MIB]);
    assert.deepEqual(a.container.ioctl(VFIO.IOMMU_UNMAP_DMA, unmap(0x10_0000)), unmap(0x10_0000));
    assert.deepEqual([reach(a), reach(b)], [undefined, MIB]);
    assert.equal(iommu.faultModelOf(STREAM), 'stall'); // and still no page comes in: they are pinned
  });
  it('have no effect on what a device reaches under SVA', () => {
    const { iommu, openUp, taskOf } = withMdevs();
    const task = taskOf({ mode: 'sva' });
    const { container, device } = openUp(task, 1);
    container.ioctl(VFIO.IOMMU_MAP_DMA, map(0x10_0000));
    assert.equal(iommu.translate(STREAM, device.queue.pasid, iova(0x10_0000), 8, 'read'), undefined);
  });
  it('refuse bad arguments with type1’s errno', () => {
    const { openUp, taskOf } = withMdevs();
    const { container } = openUp(taskOf({ mode: 'vfio', memlockBytes: 4 * PAGE_BYTES }), 1);
    const mapped = (argument: unknown) => container.ioctl(VFIO.IOMMU_MAP_DMA, argument);
    for (const bad of [
      { ...map(0), argsz: 31 },
      { ...map(0), flags: 7 },
      map(0, PAGE_BYTES, VADDR, 0),
      map(1),
      map(0, PAGE_BYTES, VADDR + 1),
      map(0, 0),
      map(0, 100),
      map(2 ** 48 - PAGE_BYTES, 2 * PAGE_BYTES),
      { ...map(0), size: -PAGE_BYTES },
      { ...map(0), iova: '0' },
      { argsz: 32 },
    ])
      assert.throws(() => mapped(bad), withCode('WD_E_EINVAL'), JSON.stringify(bad));
    assert.throws(() => mapped(undefined), withCode('WD_E_EFAULT'));
    assert.throws(() => mapped(map(0, PAGE_BYTES, 0x1000)), withCode('WD_E_EFAULT'));
    mapped(map(0, 4 * PAGE_BYTES));
    assert.throws(() => mapped(map(MIB)), withCode('WD_E_NO_MEMORY', /RLIMIT_MEMLOCK/));
    container.ioctl(VFIO.IOMMU_UNMAP_DMA, unmap(0, 4 * PAGE_BYTES));
    mapped(map(0, 2 * PAGE_BYTES));
    assert.throws(() => mapped(map(PAGE_BYTES)), withCode('WD_E_EEXIST'));
    assert.throws(() => container.ioctl(VFIO.IOMMU_UNMAP_DMA, unmap(0)), withCode('WD_E_EINVAL', /cut/));
    assert.deepEqual(container.ioctl(VFIO.IOMMU_UNMAP_DMA, unmap(MIB)), { ...unmap(MIB), size: 0 });
    assert.equal(container.pinnedBytes, 2 * PAGE_BYTES);
  });
  it('refuse for a process that has exited (ESRCH)', () => {
    const { openUp, taskOf } = withMdevs();
    const task = taskOf();
    const { container } = openUp(task, 1);
    task.exit();
    assert.throws(() => container.mapDma(VADDR, iova(0), PAGE_BYTES, 3), withCode('WD_E_ESRCH'));
  });
  it('go to the parent’s domain when the mdev inherits it', () => {
    const { iommu, openUp, taskOf } = withMdevs({ domain: 'inherit' });
    const { container, device } = openUp(taskOf({ mode: 'vfio' }), 1);
    container.ioctl(VFIO.IOMMU_MAP_DMA, map(0x10_0000));
    assert.equal(device.queue.pasid, 0);
    assert.ok(iommu.translate(STREAM, pasid(0), iova(0x10_0000), 8, 'write'));
    container.close();
    assert.equal(iommu.translate(STREAM, pasid(0), iova(0x10_0000), 8, 'write'), undefined);
  });
  it('pin pages and map nothing for the IOMMU when the domain is the vendor driver’s affair', () => {
    const { iommu, openUp, taskOf } = withMdevs({ domain: 'external' });
    const { container } = openUp(taskOf({ mode: 'vfio' }), 1);
    container.ioctl(VFIO.IOMMU_MAP_DMA, map(0x10_0000));
    assert.equal(container.pinnedBytes, PAGE_BYTES);
    assert.equal(iommu.translate(STREAM, pasid(0), iova(0x10_0000), 8, 'write'), undefined);
  });
});

describe('VfioDevice', () => {
  it('starts its queue when the doorbell page is mapped, with direction and priority set before', () => {
    const { parent, openUp, taskOf } = withMdevs();
    const { device } = openUp(taskOf(), 1);
    assert.equal(parent.find(uuidOf(1)).state, 'bound');
    device.ioctl(UACCE.QM_SET_QP_CTX, { id: 0, qc_type: 1 });
    device.mmap(2 ** 40, 151_552);
    assert.equal(device.queue.state, 'init');
    device.mmap(0, 2 * PAGE_BYTES);
    assert.deepEqual([device.queue.state, parent.find(uuidOf(1)).state], ['started', 'active']);
    assert.throws(() => device.mmap(0, 2 * PAGE_BYTES), withCode('WD_E_EEXIST'));
    assert.throws(() => device.mmap(2 ** 41, PAGE_BYTES), withCode('WD_E_EINVAL'));
    assert.throws(() => device.mmap(5, PAGE_BYTES), withCode('WD_E_EINVAL'));
    assert.throws(() => device.ioctl(SDMDEV_CMD_WAIT), withCode('WD_E_EAGAIN'));
  });
  it('makes the mdev idle again at close and keeps it', () => {
    const { parent, iommu, openUp, taskOf } = withMdevs();
    const task = taskOf();
    const { device, group } = openUp(task, 1);
    assert.throws(() => parent.remove(uuidOf(1)), withCode('WD_E_EBUSY'));
    device.close();
    assert.equal(iommu.pasidsInUse, 0);
    assert.throws(() => parent.remove(uuidOf(1)), withCode('WD_E_EBUSY')); // its group is open
    group.close();
    assert.deepEqual([parent.find(uuidOf(1)).state, parent.queuesFree], ['created', 5]);
    parent.remove(uuidOf(1));
    assert.throws(() => device.ioctl(VFIO.DEVICE_GET_INFO, { argsz: 16 }), withCode('WD_E_ENODEV'));
  });
  it('is closed with everything else when the process dies', () => {
    const { parent, iommu, memory, openUp, taskOf } = withMdevs();
    const before = memory.allocatedBytes;
    const task = taskOf({ mode: 'vfio' });
    const { container } = openUp(task, 1);
    openUp(task, 2, container).device.mmap(0, 2 * PAGE_BYTES);
    container.ioctl(VFIO.IOMMU_MAP_DMA, map(0));
    task.exit();
    assert.deepEqual([iommu.pasidsInUse, memory.allocatedBytes, container.pinnedBytes], [0, before, 0]);
    assert.ok(parent.list().every(({ state, isHeld }) => state === 'created' && !isHeld));
  });
});
