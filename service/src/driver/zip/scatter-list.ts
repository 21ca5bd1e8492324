import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { Iova } from '../../../../shared/src/units.ts';
import {
  MAX_SGE_BYTES,
  MAX_SGES,
  MAX_SGLS,
  SGE,
  SGE_BYTES,
  SGL_ALIGNMENT,
  SGL_HEAD,
  SGL_HEAD_BYTES,
} from '../../hw-abi/zip-sgl.ts';
import type { DmaBuffer } from '../../platform/accelerator.ts';

export interface ScatterEntry {
  address: Iova;
  /** 1 to 8 MiB. */
  bytes: number;
}

const headBytes = (perHead: number): number =>
  Math.ceil((SGL_HEAD_BYTES + perHead * SGE_BYTES) / SGL_ALIGNMENT) * SGL_ALIGNMENT;

/** DMA memory that a list of so many entries needs. */
export const scatterListBytes = (entries: number, perHead: number = MAX_SGES): number =>
  Math.ceil(entries / perHead) * headBytes(perHead);

/**
 * Writes a scatter list into `memory`, which is 64-byte aligned and stays the device's until the job is complete.
 * @param perHead entries of one head, 1 to 255; more entries make a chain of heads
 * @returns the list's address for a request with `lists`
 * @throws WD_E_EINVAL no entries, too many, an entry's length, memory too small or not aligned
 */
export function writeScatterList(
  memory: Pick<DmaBuffer, 'address' | 'bytes'>,
  entries: readonly ScatterEntry[],
  perHead: number = MAX_SGES,
): Iova {
  const refuse = (message: string, field: string): never => {
    throw new WarpDriveError('WD_E_EINVAL', message, { field });
  };
  if (!(perHead >= 1 && perHead <= MAX_SGES))
    refuse(`${perHead} entries a head, allowed are 1 to ${MAX_SGES}`, 'perHead');
  const heads = Math.ceil(entries.length / perHead);
  if (heads < 1 || heads > MAX_SGLS)
    refuse(`${entries.length} entries, a chain holds 1 to ${MAX_SGLS * perHead}`, 'entries');
  const needed = scatterListBytes(entries.length, perHead);
  if (memory.bytes.length < needed || memory.address % SGL_ALIGNMENT !== 0)
    refuse(`the list needs ${needed} bytes at a multiple of ${SGL_ALIGNMENT}`, 'memory');
  const { buffer, byteOffset } = memory.bytes;
  const view = new DataView(buffer, byteOffset, needed);
  for (let head = 0; head < heads; head++) {
    const base = head * headBytes(perHead);
    const own = entries.slice(head * perHead, (head + 1) * perHead);
    for (let at = base; at < base + SGL_HEAD_BYTES; at += 4) view.setUint32(at, 0, true);
    const next = head + 1 < heads ? memory.address + base + headBytes(perHead) : 0;
    setU64(view, base + SGL_HEAD.next, next);
    view.setUint16(base + SGL_HEAD.entriesInChain, head === 0 ? Math.min(entries.length, 0xffff) : 0, true);
    view.setUint16(base + SGL_HEAD.entries, own.length, true);
    view.setUint16(base + SGL_HEAD.capacity, perHead, true);
    setU64(
      view,
      base + SGL_HEAD.dataBytes,
      own.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    for (const [index, { address, bytes }] of own.entries()) {
      if (!(bytes >= 1 && bytes <= MAX_SGE_BYTES))
        refuse(`an entry of ${bytes} bytes, allowed are 1 to ${MAX_SGE_BYTES}`, 'bytes');
      const at = base + SGL_HEAD_BYTES + index * SGE_BYTES;
      setU64(view, at + SGE.buffer, address);
      setU64(view, at + SGE.pageControl, 0);
      view.setUint32(at + SGE.length, bytes, true);
      view.setUint32(at + SGE.length + 4, 0, true);
      setU64(view, at + SGE.virtual, address);
    }
  }
  return memory.address;
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 0x1_0000_0000, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}
