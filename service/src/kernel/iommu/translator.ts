import type { Iova, Pasid, PhysAddr, StreamId } from '../../../../shared/src/units.ts';

export type Access = 'read' | 'write';

/** A contiguous piece of physical memory, or, with `pid`, of that host process's virtual memory. */
export interface Extent {
  address: PhysAddr;
  bytes: number;
  pid?: number;
}

/**
 * A transaction that the IOMMU holds while its page comes. `outcome` settles once: `retry` = translate again from the
 * start, `abort` = end the access as if it had been refused (the record exists). Never rejects.
 */
export interface Stall {
  readonly stag: number;
  readonly outcome: Promise<'retry' | 'abort'>;
  /** The requester gave up (its queue stopped): ends the stall as `abort`. Idempotent. */
  terminate(): void;
}

/** Physical extents in order, neighbours merged; a stall; or undefined: aborted, and a fault was recorded. */
export type Translation = Extent[] | Stall | undefined;

export const isStall = (translation: Translation): translation is Stall =>
  translation !== undefined && 'outcome' in translation;

/** All that a device sees of the IOMMU. */
export interface Translator {
  /**
   * Translates `[address, address + bytes)` for one stream and PASID, page by page; pages that the fault model can
   * bring in are brought in, at once.
   * @returns undefined if the access is aborted (a fault was recorded)
   */
  translate(
    stream: StreamId,
    pasid: Pasid,
    address: Iova,
    bytes: number,
    access: Access,
  ): Extent[] | undefined;
  /**
   * As `translate`, for accesses that can wait while their page comes.
   * @param qpId queue that the access is for; it changes nothing but the fault record
   */
  translateOrStall(
    stream: StreamId,
    pasid: Pasid,
    address: Iova,
    bytes: number,
    access: Access,
    qpId?: number,
  ): Translation;
  /**
   * The memory behind a translated address refused the access: a process's mapping that is gone or read-only, which
   * only the host kernel knows. Records the fault; the device ends the access as aborted.
   * @param address first byte that could not be reached
   * @param qpId as in translateOrStall
   */
  report(stream: StreamId, pasid: Pasid, address: Iova, access: Access, qpId?: number): void;
}
