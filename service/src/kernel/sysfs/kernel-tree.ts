import type { Iommu } from '../iommu/iommu.ts';
import type { IsolationStrategy } from '../uacce/isolation.ts';
import type { UacceNode } from '../uacce/uacce-node.ts';
import { type DebugfsParts, debugfs } from './debugfs.ts';
import { mdevDirectory, supportedTypes } from './mdev-attributes.ts';
import { attribute, directory, link, listing, type SysfsNode } from './node.ts';
import { parentParameters } from './parent-parameters.ts';
import { Sysfs } from './sysfs.ts';
import { uacceDirectory } from './uacce-attributes.ts';

export interface KernelTreeParts extends DebugfsParts {
  iommu: Iommu;
  uacce: UacceNode;
  isolation: IsolationStrategy;
  isIommuOff: boolean;
  numaNode: number;
}

/** PCI identity of the ZIP physical function (Linux drivers/crypto/hisilicon/zip/zip_main.c). */
const PCI_IDS = { vendor: '0x19e5', device: '0xa250', class: '0x120000' };

/**
 * The model's /sys with the paths of Linux (sources.md 3.1, 3.2, 4.1, 4.2): attribute names of RFC v2 for the
 * WarpDrive parts, of mainline for the rest. Everything is read from the model when it is looked at.
 */
export function kernelTree(parts: KernelTreeParts): Sysfs {
  const { parent, uacce, isIommuOff, numaNode } = parts;
  const pciRoot = `pci${parent.bdf.slice(0, parent.bdf.lastIndexOf(':'))}`;
  const parentPath = `/sys/devices/${pciRoot}/${parent.bdf}`;
  const toParent = link(() => parentPath);
  const mdevs = (): [string, SysfsNode][] =>
    parent.list().map((mdev) => [mdev.uuid, link(() => `${parentPath}/${mdev.uuid}`)]);

  const parentDirectory = listing(() => [
    ['vendor', attribute(() => PCI_IDS.vendor)],
    ['device', attribute(() => PCI_IDS.device)],
    ['class', attribute(() => PCI_IDS.class)],
    ['numa_node', attribute(() => numaNode)],
    ...(isIommuOff
      ? []
      : [['iommu_group', link(() => `/sys/kernel/iommu_groups/${parent.iommuGroup}`)] as const]),
    ['mdev_supported_types', supportedTypes(parent, uacce, parentPath)],
    ['params', parentParameters(parts)],
    ['uacce', directory({ [uacce.name]: uacceDirectory(parts, parentPath) })],
    ...parent.list().map((mdev) => [mdev.uuid, mdevDirectory(parent, mdev, parentPath)] as const),
  ]);

  return new Sysfs(
    directory({
      bus: directory({
        mdev: directory({ devices: listing(mdevs) }),
        pci: directory({ devices: directory({ [parent.bdf]: toParent }) }),
      }),
      class: directory({
        mdev_bus: directory({ [parent.bdf]: toParent }),
        sdmdev: directory({ [parent.bdf]: toParent }),
        uacce: directory({ [uacce.name]: link(() => `${parentPath}/uacce/${uacce.name}`) }),
      }),
      devices: directory({ [pciRoot]: directory({ [parent.bdf]: parentDirectory }) }),
      kernel: directory({
        debug: directory({ hisi_zip: debugfs(parts) }),
        iommu_groups: listing(() => [
          ...(isIommuOff ? [] : [[String(parent.iommuGroup), group([[parent.bdf, toParent]])] as const]),
          ...parent
            .list()
            .map((mdev): [string, SysfsNode] => [
              String(mdev.iommuGroup),
              group([[mdev.uuid, link(() => `${parentPath}/${mdev.uuid}`)]]),
            ]),
        ]),
      }),
    }),
  );
}

const group = (devices: [string, SysfsNode][]): SysfsNode => directory({ devices: listing(() => devices) });
