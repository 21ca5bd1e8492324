import type { Iova, Pasid, PhysAddr, StreamId } from '../../../../shared/src/units.ts';

export type Access = 'read' | 'write';

/** A contiguous piece of physical memory. */
export interface Extent {
  address: PhysAddr;
  bytes: number;
}

/** All that a device sees of the IOMMU. */
export interface Translator {
  /**
   * Translates `[address, address + bytes)` for one stream and PASID, page by page; pages that the fault model can
   * bring in are brought in.
   * @returns physical extents in order, neighbours merged; undefined if the access is aborted (a fault was recorded)
   */
  translate(
    stream: StreamId,
    pasid: Pasid,
    address: Iova,
    bytes: number,
    access: Access,
  ): Extent[] | undefined;
}
