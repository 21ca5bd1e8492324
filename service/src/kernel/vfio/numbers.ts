/**
 * VFIO ioctl numbers, `_IO(';', 100 + n)` (Linux include/uapi/linux/vfio.h; sources.md 3.6).
 */
const number = (n: number): number => 0x3b64 + n;

export const VFIO = {
  GET_API_VERSION: number(0),
  CHECK_EXTENSION: number(1),
  SET_IOMMU: number(2),
  GROUP_GET_STATUS: number(3),
  GROUP_SET_CONTAINER: number(4),
  GROUP_UNSET_CONTAINER: number(5),
  GROUP_GET_DEVICE_FD: number(6),
  DEVICE_GET_INFO: number(7),
  DEVICE_GET_REGION_INFO: number(8),
  DEVICE_GET_IRQ_INFO: number(9),
  DEVICE_SET_IRQS: number(10),
  DEVICE_RESET: number(11),
  IOMMU_GET_INFO: number(12),
  IOMMU_MAP_DMA: number(13),
  IOMMU_UNMAP_DMA: number(14),
} as const;

export const VFIO_API_VERSION = 0;
export const VFIO_TYPE = { type1: 1, type1v2: 3, noiommu: 8 } as const;
export const GROUP_STATUS = { viable: 1, containerSet: 2 } as const;
export const DMA_FLAG = { read: 1, write: 2 } as const;
export const DEVICE_FLAG_RESET = 1;
export const REGION_FLAG = { read: 1, write: 2, mmap: 4 } as const;
export const IRQ_FLAG_EVENTFD = 1;
/** Bytes of the structures that ioctls take (argsz). */
export const ARGSZ = {
  groupStatus: 8,
  deviceInfo: 16,
  regionInfo: 32,
  irqInfo: 16,
  iommuInfo: 16,
  map: 32,
  unmap: 24,
};
/** RFC v2's wait for a queue event, `_IO('W', 1)` (drivers/vfio/sdmdev). */
export const SDMDEV_CMD_WAIT = 0x5701;
/** Region index → file offset (vfio-pci: VFIO_PCI_OFFSET_SHIFT). */
export const REGION_OFFSET_STEP = 2 ** 40;
