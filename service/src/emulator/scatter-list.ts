import { type Iova, iova } from '../../../shared/src/units.ts';
import {
  MAX_SGE_BYTES,
  MAX_SGES,
  MAX_SGLS,
  SGE,
  SGE_BYTES,
  SGL_ALIGNMENT,
  SGL_HEAD,
  SGL_HEAD_BYTES,
} from '../hw-abi/zip-sgl.ts';
import type { Stall } from '../kernel/iommu/translator.ts';

/** A piece of a job's data in the queue's address space. */
export interface Segment {
  address: Iova;
  bytes: number;
}

/** Reads list memory through the IOMMU; undefined: the access was aborted. */
export type ReadList = (address: Iova, bytes: number) => DataView | Stall | undefined;

/** The pieces; a stall; undefined if an access was aborted; a sentence for a list that the device refuses. */
export type ListWalk = Segment[] | Stall | undefined | string;

const getU64 = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);

/**
 * The pieces of a scatter list that hold `bytes` bytes from `offset` on; fewer if the list ends before. Every read is
 * bounded by the limits of hw-abi/zip-sgl.ts, so that a list that chains to itself ends too.
 */
export function walkList(read: ReadList, head: Iova, offset: number, bytes: number): ListWalk {
  const segments: Segment[] = [];
  let skip = offset;
  let left = bytes;
  let at: number = head;
  for (let heads = 1; left > 0 && at !== 0; heads++) {
    if (heads > MAX_SGLS) return `the chain has more than ${MAX_SGLS} heads`;
    if (at % SGL_ALIGNMENT !== 0) return `a head at an address that is no multiple of ${SGL_ALIGNMENT}`;
    const view = read(iova(at), SGL_HEAD_BYTES);
    if (!view || !(view instanceof DataView)) return view;
    const entries = view.getUint16(SGL_HEAD.entries, true);
    const capacity = view.getUint16(SGL_HEAD.capacity, true);
    if (entries === 0) return 'a head without entries';
    if (capacity > MAX_SGES || entries > capacity)
      return `a head with ${entries} entries of ${capacity}; at most ${MAX_SGES}`;
    const table = read(iova(at + SGL_HEAD_BYTES), entries * SGE_BYTES);
    if (!table || !(table instanceof DataView)) return table;
    for (let entry = 0; entry < entries && left > 0; entry++) {
      const base = entry * SGE_BYTES;
      const length = table.getUint32(base + SGE.length, true);
      if (length === 0 || length > MAX_SGE_BYTES)
        return `an entry of ${length} bytes; allowed are 1 to ${MAX_SGE_BYTES}`;
      const skipped = Math.min(skip, length);
      const taken = Math.min(left, length - skipped);
      skip -= skipped;
      left -= taken;
      if (taken > 0)
        segments.push({ address: iova(getU64(table, base + SGE.buffer) + skipped), bytes: taken });
    }
    at = getU64(view, SGL_HEAD.next);
  }
  return segments;
}

/** Where byte `offset` of the data lies. */
export function addressIn(segments: readonly Segment[], offset: number): Iova {
  let before = 0;
  for (const { address, bytes } of segments) {
    if (offset < before + bytes) return iova(address + offset - before);
    before += bytes;
  }
  return segments.at(-1)?.address ?? iova(0);
}
