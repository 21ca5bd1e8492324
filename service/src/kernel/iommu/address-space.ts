import { WarpDriveError } from '../../../../shared/src/problem.ts';
import {
  hex,
  type Iova,
  iova,
  PAGE_BYTES,
  PAGE_SHIFT,
  type PhysAddr,
  physAddr,
} from '../../../../shared/src/units.ts';
import type { Access } from './translator.ts';

/**
 * `sva`: a process's own page table, pages come in on first touch. `private`: filled by map and unmap only, pinned.
 * `kernel`: as private, for traffic without PASID. `identity`: no translation (no IOMMU).
 */
export type SpaceKind = 'sva' | 'private' | 'kernel' | 'identity';

export interface Permissions {
  read: boolean;
  write: boolean;
}

const PRESENT = 1;
const READ = 2;
const WRITE = 4;
const FLAGS = 0xfff;
const LEAF_BITS = 9;
const LEAF_ENTRIES = 1 << LEAF_BITS;

/** Input addresses are 48 bits wide, as an SMMUv3 stage 1 with T0SZ = 16. */
export const INPUT_ADDRESS_LIMIT = 2 ** 48;

export type PageLookup = PhysAddr | 'absent' | 'forbidden';

/** A two-level page table of 4 KiB pages: leaf tables of 512 entries, found by the address's upper bits. */
export class AddressSpace {
  private readonly leaves = new Map<number, Float64Array>();
  private mapped = 0;
  private nextFree: number;

  /** @param firstAddress where `reserve` starts to hand out addresses */
  constructor(
    readonly kind: SpaceKind,
    firstAddress = 0x7f00_0000_0000,
  ) {
    this.nextFree = firstAddress;
  }

  get mappedBytes(): number {
    return this.mapped * PAGE_BYTES;
  }

  /** A range of addresses nobody uses yet, followed by an unmapped guard page. */
  reserve(bytes: number): Iova {
    const start = this.nextFree;
    this.nextFree += (Math.ceil(bytes / PAGE_BYTES) + 1) * PAGE_BYTES;
    return iova(start);
  }

  /**
   * Maps whole pages to contiguous physical memory. With `populate` false the pages are known but not present: the
   * first access is a page fault.
   * @throws WD_E_EINVAL not page aligned, empty or beyond 48 bits; WD_E_EEXIST overlap
   */
  map(address: Iova, target: PhysAddr, bytes: number, permissions: Permissions, populate = true): void {
    this.checkRange(address, bytes);
    const first = address / PAGE_BYTES;
    const pages = bytes / PAGE_BYTES;
    for (let page = first; page < first + pages; page++)
      if (this.entry(page) !== 0) {
        throw new WarpDriveError('WD_E_EEXIST', `iova ${hex(page * PAGE_BYTES, 12)} is mapped already`, {
          iova: hex(page * PAGE_BYTES, 12),
        });
      }
    const flags = (populate ? PRESENT : 0) | (permissions.read ? READ : 0) | (permissions.write ? WRITE : 0);
    for (let i = 0; i < pages; i++) this.setEntry(first + i, target + i * PAGE_BYTES + flags);
    this.mapped += pages;
  }

  /**
   * @returns bytes unmapped; pages of the range that were not mapped are passed over
   * @throws WD_E_EINVAL
   */
  unmap(address: Iova, bytes: number): number {
    this.checkRange(address, bytes);
    const first = address / PAGE_BYTES;
    let count = 0;
    for (let page = first; page < first + bytes / PAGE_BYTES; page++) {
      if (this.entry(page) === 0) continue;
      this.setEntry(page, 0);
      count++;
    }
    this.mapped -= count;
    return count * PAGE_BYTES;
  }

  /** Walks to one page. 'absent' covers both "not mapped" and "not present": `makePresent` tells them apart. */
  lookup(page: number, access: Access): PageLookup {
    if (this.kind === 'identity') return physAddr(page * PAGE_BYTES);
    const entry = this.entry(page);
    const flags = entry & FLAGS;
    if ((flags & PRESENT) === 0) return 'absent';
    if ((flags & (access === 'read' ? READ : WRITE)) === 0) return 'forbidden';
    return physAddr(entry - flags);
  }

  /** The page-fault handler of the owning process. @returns false if no mapping covers the page */
  makePresent(page: number): boolean {
    const entry = this.entry(page);
    if (entry === 0) return false;
    if ((entry & FLAGS & PRESENT) === 0) this.setEntry(page, entry + PRESENT);
    return true;
  }

  private entry(page: number): number {
    return this.leaves.get(Math.floor(page / LEAF_ENTRIES))?.[page % LEAF_ENTRIES] ?? 0;
  }

  private setEntry(page: number, entry: number): void {
    const index = Math.floor(page / LEAF_ENTRIES);
    let leaf = this.leaves.get(index);
    if (!leaf) {
      leaf = new Float64Array(LEAF_ENTRIES);
      this.leaves.set(index, leaf);
    }
    leaf[page % LEAF_ENTRIES] = entry;
  }

  private checkRange(address: number, bytes: number): void {
    const isWhole =
      Number.isInteger(address) && address % PAGE_BYTES === 0 && bytes > 0 && bytes % PAGE_BYTES === 0;
    if (!isWhole || address < 0 || address + bytes > INPUT_ADDRESS_LIMIT) {
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `range ${hex(address, 12)} + ${bytes} bytes is not a range of whole ${1 << PAGE_SHIFT}-byte pages below 2^48`,
        { iova: hex(address, 12), bytes },
      );
    }
  }
}
