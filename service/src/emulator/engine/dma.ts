import type { Access, Extent } from '../../kernel/iommu/translator.ts';
import { readProcess, type TransferResult, writeProcess } from '../../platform/libc.ts';
import type { MemoryRange } from '../deflate/core.ts';

/** Pieces of the shared memory that belong to one engine core. */
export interface CoreRanges {
  /** HISTORY_BYTES right before `source`, for the history of stateful compress jobs. */
  readonly history: MemoryRange;
  /** Where scattered or foreign source pages are brought together. */
  readonly source: MemoryRange;
  /** Where output is made that goes to scattered or foreign pages. */
  readonly destination: MemoryRange;
  /** Inflate context of stateless jobs and of streams whose context is in another process. */
  readonly context: MemoryRange;
  /** The data path's own tables. */
  readonly scratch: MemoryRange;
}

/** An access that the host refused after the IOMMU had let it pass: the page went away, or never was. */
export class DmaFault extends Error {
  override readonly name = 'DmaFault';
  constructor(
    /** Bytes from the start of the buffer. */
    readonly offset: number,
    readonly access: Access,
  ) {
    super(`DMA ${access} failed at offset ${offset}`);
  }
}

export const totalBytes = (extents: readonly Extent[]): number =>
  extents.reduce((sum, { bytes }) => sum + bytes, 0);

function check(result: TransferResult, offset: number, access: Access): void {
  if (!result.ok) throw new DmaFault(offset + result.moved, access);
}

/** Where a job may find or leave `extents`: in place when they are one piece of RAM, else in `staging`. */
function rangeOf(extents: readonly Extent[], staging: MemoryRange): MemoryRange | undefined {
  const [first] = extents;
  if (!first) return { offset: staging.offset, bytes: 0 };
  if (extents.length === 1 && first.pid === undefined) return { offset: first.address, bytes: first.bytes };
  const bytes = totalBytes(extents);
  return bytes > staging.bytes ? undefined : { offset: staging.offset, bytes };
}

const isStaged = (range: MemoryRange, staging: MemoryRange): boolean => range.offset === staging.offset;

/** An engine core's memory access: RAM in place, scattered pages and other processes' memory through staging. */
export class Dma {
  constructor(private readonly whole: Uint8Array) {}

  /**
   * One range that holds the bytes of `extents`; undefined when staging is too small.
   * @throws DmaFault
   */
  read(extents: readonly Extent[], staging: MemoryRange): MemoryRange | undefined {
    const range = rangeOf(extents, staging);
    if (!range || !isStaged(range, staging)) return range;
    let at = range.offset;
    for (const extent of extents) {
      if (extent.pid === undefined) this.whole.copyWithin(at, extent.address, extent.address + extent.bytes);
      else
        check(
          readProcess(extent.pid, extent.address, this.whole.subarray(at, at + extent.bytes)),
          at - range.offset,
          'read',
        );
      at += extent.bytes;
    }
    return range;
  }

  /** Where output for `extents` may be made; undefined when staging is too small. */
  place(extents: readonly Extent[], staging: MemoryRange): MemoryRange | undefined {
    return rangeOf(extents, staging);
  }

  /**
   * Moves the first `bytes` of `range` to their extents; nothing to do when they were made in place.
   * @throws DmaFault
   */
  write(range: MemoryRange, staging: MemoryRange, extents: readonly Extent[], bytes: number): void {
    if (!isStaged(range, staging)) return;
    let left = bytes;
    let at = range.offset;
    for (const extent of extents) {
      const piece = Math.min(left, extent.bytes);
      if (extent.pid === undefined) this.whole.copyWithin(extent.address, at, at + piece);
      else
        check(
          writeProcess(extent.pid, extent.address, this.whole.subarray(at, at + piece)),
          at - range.offset,
          'write',
        );
      at += piece;
      left -= piece;
      if (left === 0) return;
    }
  }
}
