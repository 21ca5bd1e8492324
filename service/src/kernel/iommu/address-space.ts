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
import type { PageLookup, SpaceKind, TranslationSpace } from './space.ts';
import type { Access } from './translator.ts';

export type { PageLookup, SpaceKind } from './space.ts';

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

/** A two-level page table of 4 KiB pages: leaf tables of 512 entries, found by the address's upper bits. */
export class AddressSpace implements TranslationSpace {
  private readonly leaves = new Map<number, { entries: Float64Array; used: number }>();
  private readonly listeners = new Set<(firstPage: number, pages: number) => void>();
  private mapped = 0;
  private nextFree: number;

  /**
   * @param firstAddress where `reserve` starts to hand out addresses
   * @param host process that targets from PROCESS_TARGET on belong to
   */
  constructor(
    readonly kind: SpaceKind,
    firstAddress = 0x7f00_0000_0000,
    private readonly host: Pick<TranslationSpace, 'pid' | 'isGone'> | undefined = undefined,
  ) {
    this.nextFree = firstAddress;
  }

  get pid(): number | undefined {
    return this.host?.pid;
  }

  isGone(): boolean {
    return this.host?.isGone?.() ?? false;
  }

  get mappedBytes(): number {
    return this.mapped * PAGE_BYTES;
  }

  /** A range of addresses nobody uses yet, followed by an unmapped guard page. */
  reserve(bytes: number): Iova {
    const pages = Math.ceil(bytes / PAGE_BYTES);
    let first = this.nextFree / PAGE_BYTES;
    // a user may have mapped here by addresses of its own choice: go on behind it
    for (let page = first; page <= first + pages; page++) if (this.entry(page) !== 0) first = page + 1;
    this.nextFree = (first + pages + 1) * PAGE_BYTES;
    return iova(first * PAGE_BYTES);
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
          errno: 'EEXIST',
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
    if (count > 0) for (const listener of this.listeners) listener(first, bytes / PAGE_BYTES);
    return count * PAGE_BYTES;
  }

  lookup(page: number, access: Access): PageLookup {
    if (this.kind === 'identity') return physAddr(page * PAGE_BYTES);
    const entry = this.entry(page);
    const flags = entry & FLAGS;
    if ((flags & PRESENT) === 0) return 'absent';
    if ((flags & (access === 'read' ? READ : WRITE)) === 0) return 'forbidden';
    return physAddr(entry - flags);
  }

  makePresent(page: number): boolean {
    const entry = this.entry(page);
    if (entry === 0) return false;
    if ((entry & FLAGS & PRESENT) === 0) this.setEntry(page, entry + PRESENT);
    return true;
  }

  /** Listeners run after the entries are gone and before `unmap` returns: its caller may release frames then. */
  onInvalidate(listener: (firstPage: number, pages: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private entry(page: number): number {
    return this.leaves.get(Math.floor(page / LEAF_ENTRIES))?.entries[page % LEAF_ENTRIES] ?? 0;
  }

  private setEntry(page: number, entry: number): void {
    const index = Math.floor(page / LEAF_ENTRIES);
    let leaf = this.leaves.get(index);
    if (!leaf) {
      leaf = { entries: new Float64Array(LEAF_ENTRIES), used: 0 };
      this.leaves.set(index, leaf);
    }
    const before = leaf.entries[page % LEAF_ENTRIES] ?? 0;
    leaf.entries[page % LEAF_ENTRIES] = entry;
    leaf.used += (entry === 0 ? 0 : 1) - (before === 0 ? 0 : 1);
    if (leaf.used === 0) this.leaves.delete(index);
  }

  private checkRange(address: number, bytes: number): void {
    const isWhole =
      Number.isInteger(address) && address % PAGE_BYTES === 0 && bytes > 0 && bytes % PAGE_BYTES === 0;
    if (!isWhole || address < 0 || address + bytes > INPUT_ADDRESS_LIMIT) {
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `range ${hex(address, 12)} + ${bytes} bytes is not a range of whole ${1 << PAGE_SHIFT}-byte pages below 2^48`,
        { iova: hex(address, 12), bytes, errno: 'EINVAL' },
      );
    }
  }
}
