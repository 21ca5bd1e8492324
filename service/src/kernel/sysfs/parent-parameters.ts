import type { Iommu } from '../iommu/iommu.ts';
import type { ParentDevice } from '../mdev/parent-device.ts';
import { VFIO_TYPE } from '../vfio/numbers.ts';
import { attribute, directory, type SysfsDirectory } from './node.ts';

/** DMA mode flags (RFC v2 drivers/vfio/sdmdev; sources.md 3.3). */
export const DMA_MODE = {
  singleProcessMap: 1,
  multiProcessMap: 2,
  sva: 4,
  svaWithoutFaults: 8,
  physical: 16,
} as const;

/** All modes that the parent offers now, as one set of flags. */
export function dmaFlags(parent: ParentDevice, iommu: Iommu, isIommuOff: boolean): number {
  if (isIommuOff) return DMA_MODE.physical;
  const sva = iommu.faultModelOf(parent.streamId) === 'none' ? DMA_MODE.svaWithoutFaults : DMA_MODE.sva;
  return sva | DMA_MODE.multiProcessMap;
}

/** `<parent>/params`: what libwd reads before it opens VFIO. */
export function parentParameters(parts: {
  parent: ParentDevice;
  iommu: Iommu;
  isIommuOff: boolean;
}): SysfsDirectory {
  const { parent, iommu, isIommuOff } = parts;
  return directory({
    iommu_type: attribute(() => (isIommuOff ? VFIO_TYPE.noiommu : VFIO_TYPE.type1)),
    dma_flag: attribute(() => dmaFlags(parent, iommu, isIommuOff)),
  });
}
