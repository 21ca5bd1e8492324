import { physAddr } from '../../../shared/src/units.ts';
import type { Extent } from '../kernel/iommu/translator.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';

/**
 * Extents as an engine core can use them: RAM in place, windows (memory shared with other processes) as this
 * process's own virtual memory, because a core in another thread has the RAM and nothing else.
 * @returns undefined if some address has no memory behind it: without IOMMU a user may name any
 */
export function reachableMemory(extents: Extent[], memory: PhysicalMemory): Extent[] | undefined {
  const { ramBytes } = memory;
  const isInPlace = ({ pid, address, bytes }: Extent): boolean =>
    pid !== undefined || address + bytes <= ramBytes;
  if (extents.every(isInPlace)) return extents;
  const reached: Extent[] = [];
  for (const extent of extents) {
    const own = isInPlace(extent) ? extent : windowExtent(extent, memory);
    if (!own) return undefined;
    reached.push(own);
  }
  return reached;
}

function windowExtent({ address, bytes }: Extent, memory: PhysicalMemory): Extent | undefined {
  try {
    const last = memory.hostAddress(physAddr(address + bytes - 1));
    const first = memory.hostAddress(address);
    if (first === undefined || last !== first + bytes - 1 || memory.view(address, bytes).length !== bytes)
      return undefined;
    return { address: physAddr(first), bytes, pid: process.pid };
  } catch {
    return undefined; // no such window, or its end is before the extent's
  }
}
