import type { Extent } from '../../kernel/iommu/translator.ts';
import type { MemoryRange } from '../deflate/core.ts';

/** Pieces of the shared memory that belong to one engine core. */
export interface CoreRanges {
  /** Where scattered source pages are brought together. */
  readonly source: MemoryRange;
  /** Where output is made that goes to scattered pages. */
  readonly destination: MemoryRange;
  /** Inflate context of stateless jobs, laid out like a stream's. */
  readonly context: MemoryRange;
  /** The data path's own tables. */
  readonly scratch: MemoryRange;
}

const totalBytes = (extents: readonly Extent[]): number => extents.reduce((sum, { bytes }) => sum + bytes, 0);

/** One range that holds the job's input: in place when it is contiguous, else gathered. Undefined: too large. */
export function gather(
  memory: Uint8Array,
  extents: readonly Extent[],
  staging: MemoryRange,
): MemoryRange | undefined {
  const [first] = extents;
  if (!first) return { offset: staging.offset, bytes: 0 };
  if (extents.length === 1) return { offset: first.address, bytes: first.bytes };
  const bytes = totalBytes(extents);
  if (bytes > staging.bytes) return undefined;
  let at = staging.offset;
  for (const extent of extents) {
    memory.copyWithin(at, extent.address, extent.address + extent.bytes);
    at += extent.bytes;
  }
  return { offset: staging.offset, bytes };
}

/** Where a core may write the job's output: in place when contiguous, else staged for `scatter`. */
export function outputRange(extents: readonly Extent[], staging: MemoryRange): MemoryRange | undefined {
  const [first] = extents;
  if (!first) return { offset: staging.offset, bytes: 0 };
  if (extents.length === 1) return { offset: first.address, bytes: first.bytes };
  const bytes = totalBytes(extents);
  return bytes > staging.bytes ? undefined : { offset: staging.offset, bytes };
}

/** Moves staged output to its pages; nothing to do when it was written in place. */
export function scatter(
  memory: Uint8Array,
  range: MemoryRange,
  extents: readonly Extent[],
  bytes: number,
): void {
  if (extents.length < 2) return;
  let left = bytes;
  let at = range.offset;
  for (const extent of extents) {
    const piece = Math.min(left, extent.bytes);
    memory.copyWithin(extent.address, at, at + piece);
    at += piece;
    left -= piece;
    if (left === 0) return;
  }
}
