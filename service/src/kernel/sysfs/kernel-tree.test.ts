import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ProblemCode } from '../../../../shared/src/problem.ts';
import { WarpDriveError } from '../../../../shared/src/problem.ts';
import { withCode } from '../../../test/support/errors.ts';
import { BDF, kernelRig, PARENT_PATH, uuidOf } from '../../../test/support/kernel-rig.ts';

const TYPES = `/sys/class/mdev_bus/${BDF}/mdev_supported_types`;
const UACCE = '/sys/class/uacce/hisi_zip-0';

describe('the uacce class (sources.md 4.2)', () => {
  it('shows every attribute as Linux does', () => {
    const { kernel } = kernelRig({ queues: 8, reservedQueues: 2 });
    const { sysfs } = kernel;
    const values = {
      api: 'hisi_qm_v3\n',
      flags: '1\n',
      available_instances: '6\n',
      algorithms: 'zlib\ngzip\ndeflate\n',
      region_mmio_size: '8192\n',
      region_dus_size: '151552\n',
      isolate: '0\n',
      isolate_strategy: '0\n',
      'device/numa_node': '-1\n',
    };
    for (const [name, value] of Object.entries(values))
      assert.equal(sysfs.read(`${UACCE}/${name}`, false), value);
    assert.equal(sysfs.readlink(UACCE), `${PARENT_PATH}/uacce/hisi_zip-0`);
  });
  it('shows a device without page-fault recovery, and one without IOMMU', () => {
    const { kernel } = kernelRig({ faultModel: 'none' });
    assert.equal(kernel.sysfs.read(`${UACCE}/flags`, false), '0\n');
    assert.equal(kernel.sysfs.read(`${PARENT_PATH}/params/dma_flag`, false), '10\n'); // SVM_NO_FAULT | MULTI_PROC_MAP
    const off = kernelRig({ isIommuOff: true }).kernel.sysfs;
    assert.equal(off.read(`${UACCE}/api`, false), 'hisi_qm_v3_noiommu\n');
    assert.equal(off.read(`${PARENT_PATH}/params/dma_flag`, false), '16\n');
    assert.deepEqual(off.list('/sys/kernel/iommu_groups'), []);
  });
});

describe('the mdev tree (sources.md 3.1, 3.2)', () => {
  it('has create, name, device_api, available_instances, description and devices per type, with their modes', () => {
    const { sysfs } = kernelRig({ queues: 4 }).kernel;
    assert.deepEqual(
      sysfs.list(`${TYPES}/hisi_zip-on_open`).map(({ name, kind, mode }) => [name, kind, mode.toString(8)]),
      [
        ['create', 'file', '200'],
        ['name', 'file', '444'],
        ['device_api', 'file', '444'],
        ['available_instances', 'file', '444'],
        ['description', 'file', '444'],
        ['flags', 'file', '444'],
        ['devices', 'directory', '755'],
      ],
    );
    assert.ok(!sysfs.list(`${TYPES}/hisi_zip-zip`).some(({ name }) => name === 'description'));
    assert.equal(sysfs.read(`${TYPES}/hisi_zip-zip/available_instances`, false), '4\n');
    assert.equal(sysfs.read(`${PARENT_PATH}/params/iommu_type`, false), '1\n');
    assert.equal(sysfs.read(`${PARENT_PATH}/params/dma_flag`, false), '6\n'); // SVM | MULTI_PROC_MAP
  });
  it('makes an mdev that appears in all its places, and takes it away', () => {
    const { kernel, parent } = kernelRig({ queues: 4 });
    const { sysfs } = kernel;
    sysfs.write(`${TYPES}/hisi_zip-zip/create`, `${uuidOf(1)}\n`, true);
    assert.equal(sysfs.read(`${TYPES}/hisi_zip-zip/available_instances`, false), '3\n');
    assert.equal(sysfs.readlink(`/sys/bus/mdev/devices/${uuidOf(1)}`), `${PARENT_PATH}/${uuidOf(1)}`);
    assert.equal(
      sysfs.readlink(`/sys/bus/mdev/devices/${uuidOf(1)}/mdev_type`),
      `${PARENT_PATH}/mdev_supported_types/hisi_zip-zip`,
    );
    const group = parent.find(uuidOf(1)).iommuGroup;
    for (const path of [`${TYPES}/hisi_zip-zip/devices`, `/sys/kernel/iommu_groups/${group}/devices`])
      assert.deepEqual(
        sysfs.list(path).map(({ name }) => name),
        [uuidOf(1)],
      );
    assert.equal(sysfs.read(`/sys/bus/mdev/devices/${uuidOf(1)}/warpdrive/state`, false), 'created\n');
    sysfs.write(`/sys/bus/mdev/devices/${uuidOf(1)}/remove`, '1\n', true);
    assert.throws(() => sysfs.stat(`/sys/bus/mdev/devices/${uuidOf(1)}`), withCode('WD_E_ENOENT'));
    assert.equal(sysfs.read(`${TYPES}/hisi_zip-zip/available_instances`, false), '4\n');
  });
  it('answers illegal creates and removes with the errno of sources.md 3.5', () => {
    const { kernel } = kernelRig({ queues: 2 });
    const create = (text: string, isAdmin = true) =>
      kernel.sysfs.write(`${TYPES}/hisi_zip-zip/create`, text, isAdmin);
    const refused = (code: ProblemCode, text: string, isAdmin = true) =>
      assert.throws(() => create(text, isAdmin), withCode(code), text);
    refused('WD_E_EACCES', uuidOf(1), false); // C1: VFS refuses before the driver
    refused('WD_E_EINVAL', uuidOf(1).slice(1));
    refused('WD_E_EINVAL', `${uuidOf(1)}\n\n`);
    refused('WD_E_EINVAL', 'x'.repeat(36));
    create(uuidOf(1));
    refused('WD_E_EEXIST', uuidOf(1).toUpperCase());
    create(uuidOf(2));
    refused('WD_E_NO_QUEUE', uuidOf(3));
    const remove = (text: string, isAdmin = true) =>
      kernel.sysfs.write(`${PARENT_PATH}/${uuidOf(1)}/remove`, text, isAdmin);
    assert.throws(() => remove('1', false), withCode('WD_E_EACCES'));
    assert.throws(() => remove('yes'), withCode('WD_E_EINVAL'));
    remove('0\n');
    const user = kernel.attach({ mode: 'sva', owner: { pid: 1, name: 'user' } });
    const queue = user.openQueue({ operation: 'compress', priority: 0 });
    assert.throws(() => remove('1'), withCode('WD_E_EBUSY'));
    queue.close();
    remove('1');
  });
});

describe('Sysfs', () => {
  it('follows links and .. as a kernel does, and never leaves the tree', () => {
    const { sysfs } = kernelRig().kernel;
    assert.equal(sysfs.read('class/uacce/hisi_zip-0/../../numa_node', false), '-1\n');
    assert.equal(sysfs.read('/sys/../../../sys/class/uacce/hisi_zip-0/api', false), 'hisi_qm_v3\n');
    for (const path of [
      '/etc/passwd',
      '/sys/../etc/passwd',
      '/proc/self/mem',
      '/sys/class/uacce/hisi_zip-0\0',
    ])
      assert.throws(() => sysfs.read(path, true), withCode('WD_E_ENOENT'), path);
  });
  it('names the errno of every wrong use', () => {
    const { sysfs } = kernelRig().kernel;
    assert.throws(() => sysfs.read('/sys/class', true), withCode('WD_E_EISDIR'));
    assert.throws(() => sysfs.write('/sys/class', 'x', true), withCode('WD_E_EISDIR'));
    assert.throws(() => sysfs.list(`${UACCE}/api`), withCode('WD_E_ENOTDIR'));
    assert.throws(() => sysfs.read(`${UACCE}/api/x`, true), withCode('WD_E_ENOTDIR'));
    assert.throws(() => sysfs.read(`${TYPES}/hisi_zip-zip/create`, true), withCode('WD_E_EACCES'));
    assert.throws(() => sysfs.write(`${UACCE}/api`, 'x', true), withCode('WD_E_EACCES'));
    assert.throws(() => sysfs.write(`${UACCE}/isolate_strategy`, '1', false), withCode('WD_E_EACCES'));
    assert.throws(
      () => sysfs.write(`${UACCE}/isolate_strategy`, '1'.repeat(4096), true),
      withCode('WD_E_EINVAL'),
    );
    assert.throws(() => sysfs.readlink('/sys/class'), withCode('WD_E_EINVAL'));
    assert.throws(() => sysfs.list('x'.repeat(4097)), withCode('WD_E_ENAMETOOLONG'));
  });
  it('answers any path with a value or an error of the catalogue, naming its errno', () => {
    const { sysfs } = kernelRig().kernel;
    const name = fc.oneof(
      fc.constantFrom(
        'sys',
        'class',
        'uacce',
        'hisi_zip-0',
        'device',
        '..',
        '.',
        '',
        'api',
        'devices',
        BDF,
        'kernel',
      ),
      fc.string({ maxLength: 5 }),
      fc.constantFrom('__proto__', 'constructor', 'toString'),
    );
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (names) => {
        for (const use of [
          () => sysfs.read(names.join('/'), true),
          () => sysfs.list(names.join('/')),
          () => sysfs.readlink(names.join('/')),
          () => sysfs.stat(names.join('/')),
        ])
          try {
            use();
          } catch (error) {
            assert.ok(error instanceof WarpDriveError && typeof error.details['errno'] === 'string');
          }
      }),
      { numRuns: 300 },
    );
  });
  it('shows no PASID anywhere', () => {
    const { kernel, taskOf } = kernelRig();
    kernel.uacce.open(taskOf());
    const visit = (path: string): void => {
      for (const { name, kind, mode } of kernel.sysfs.list(path)) {
        assert.doesNotMatch(name, /pasid|ssid/i);
        if (kind === 'directory') visit(`${path}/${name}`);
        else if (kind === 'file' && mode !== 0o200)
          assert.doesNotMatch(kernel.sysfs.read(`${path}/${name}`, true), /pasid|ssid/i);
      }
    };
    visit('/sys');
  });
});
