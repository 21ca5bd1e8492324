import { kernelError } from '../errno.ts';
import { domainOf, policyOf } from '../mdev/mdev-type.ts';
import type { Mdev, MdevType, ParentDevice } from '../mdev/parent-device.ts';
import type { UacceNode } from '../uacce/uacce-node.ts';
import { attribute, directory, link, listing, type SysfsDirectory, trigger } from './node.ts';

/** A UUID has 36 characters; the shell's newline makes 37 (Linux drivers/vfio/mdev/mdev_sysfs.c create_store). */
const UUID_LENGTHS = [36, 37];

/** `<parent>/mdev_supported_types` (sources.md 3.1; `device_api` and `flags` as RFC v2 has them, 3.2). */
export function supportedTypes(parent: ParentDevice, uacce: UacceNode, parentPath: string): SysfsDirectory {
  const typeDirectory = (type: MdevType): SysfsDirectory =>
    directory({
      create: trigger((text) => {
        if (!UUID_LENGTHS.includes(text.length))
          throw kernelError('EINVAL', `${text.length} characters are not a UUID of 36`, { field: 'uuid' });
        parent.create(text.replace(/\n$/, ''), type.id);
      }),
      name: attribute(() => type.name),
      device_api: attribute(() => uacce.api),
      available_instances: attribute(() => parent.queuesFree),
      description: type.description === undefined ? undefined : attribute(() => type.description ?? ''),
      flags: attribute(() => uacce.flags),
      devices: listing(() =>
        parent
          .list()
          .filter((mdev) => mdev.type === type)
          .map((mdev) => [mdev.uuid, link(() => `${parentPath}/${mdev.uuid}`)]),
      ),
    });
  return listing(() => parent.types.map((type) => [type.id, typeDirectory(type)]));
}

/** `<parent>/<UUID>`: the mdev itself, with what we tell about it in a group of our own. */
export function mdevDirectory(parent: ParentDevice, mdev: Mdev, parentPath: string): SysfsDirectory {
  return directory({
    mdev_type: link(() => `${parentPath}/mdev_supported_types/${mdev.type.id}`),
    iommu_group: link(() => `/sys/kernel/iommu_groups/${mdev.iommuGroup}`),
    remove: trigger((text) => {
      if (!/^[+-]?(0x[0-9a-f]+|\d+)\n?$/i.test(text))
        throw kernelError('EINVAL', `"${text.trim()}" is not a number`, { field: 'text' });
      if (Number(text) !== 0) parent.remove(mdev.uuid);
    }),
    warpdrive: directory({
      state: attribute(() => mdev.state),
      queue: attribute(() => mdev.qpId),
      policy: attribute(() => policyOf(mdev.type)),
      domain: attribute(() => domainOf(mdev.type)),
      dma_pool_bytes: attribute(() => mdev.dmaPool?.bytes ?? 0),
      priority_class: attribute(() => mdev.priorityClass),
    }),
  });
}
