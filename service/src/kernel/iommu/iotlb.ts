import type { PhysAddr } from '../../../../shared/src/units.ts';
import type { Access } from './translator.ts';

const READ = 1;
const WRITE = 2;
/** Spreads address spaces over the sets: 2^32 divided by the golden ratio. */
const ASID_SPREAD = 0x9e37_79b1;
const DEFAULT_ENTRIES = 8192;
const EMPTY = -1;

export const IOTLB_MISS = -1;

/**
 * Cache of page translations, direct mapped: entry = hash(address space, page). Counts what it does; answers nothing
 * that was invalidated. `asid` numbers address spaces from 0 and is never reused while entries of it exist.
 */
export class Iotlb {
  hits = 0;
  misses = 0;
  /** Invalidation commands, not entries. */
  invalidations = 0;
  private readonly mask: number;
  private readonly asids: Int32Array;
  private readonly pages: Float64Array;
  private readonly frames: Float64Array;
  private readonly permissions: Uint8Array;

  /** @param entries a power of two */
  constructor(readonly entries = DEFAULT_ENTRIES) {
    this.mask = entries - 1;
    this.asids = new Int32Array(entries).fill(EMPTY);
    this.pages = new Float64Array(entries);
    this.frames = new Float64Array(entries);
    this.permissions = new Uint8Array(entries);
  }

  /** @returns the page's address, or IOTLB_MISS if it is not cached with this access */
  lookup(asid: number, page: number, access: Access): PhysAddr | typeof IOTLB_MISS {
    const at = this.slot(asid, page);
    const bit = access === 'read' ? READ : WRITE;
    if (this.asids[at] === asid && this.pages[at] === page && ((this.permissions[at] ?? 0) & bit) !== 0) {
      this.hits++;
      return (this.frames[at] ?? 0) as PhysAddr;
    }
    this.misses++;
    return IOTLB_MISS;
  }

  /** Keeps one translation that a walk found; read and write are learnt separately. */
  fill(asid: number, page: number, frame: PhysAddr, access: Access): void {
    const at = this.slot(asid, page);
    const isSame = this.asids[at] === asid && this.pages[at] === page && this.frames[at] === frame;
    const bit = access === 'read' ? READ : WRITE;
    this.permissions[at] = isSame ? (this.permissions[at] ?? 0) | bit : bit;
    this.asids[at] = asid;
    this.pages[at] = page;
    this.frames[at] = frame;
  }

  /** TLBI by address: complete when it returns. */
  invalidatePages(asid: number, firstPage: number, pages: number): void {
    this.invalidations++;
    if (pages >= this.entries) this.drop((at) => this.isWithin(at, asid, firstPage, pages));
    else
      for (let page = firstPage; page < firstPage + pages; page++) {
        const at = this.slot(asid, page);
        if (this.asids[at] === asid && this.pages[at] === page) this.asids[at] = EMPTY;
      }
  }

  /** TLBI by ASID: complete when it returns. */
  invalidateAll(asid: number): void {
    this.invalidations++;
    this.drop((at) => this.asids[at] === asid);
  }

  private isWithin(at: number, asid: number, firstPage: number, pages: number): boolean {
    const page = this.pages[at] ?? 0;
    return this.asids[at] === asid && page >= firstPage && page < firstPage + pages;
  }

  private drop(matches: (at: number) => boolean): void {
    for (let at = 0; at < this.entries; at++) if (matches(at)) this.asids[at] = EMPTY;
  }

  private slot(asid: number, page: number): number {
    return (page ^ Math.imul(asid, ASID_SPREAD)) & this.mask;
  }
}
