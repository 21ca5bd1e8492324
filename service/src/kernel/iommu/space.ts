import { type PhysAddr, physAddr } from '../../../../shared/src/units.ts';
import type { Access } from './translator.ts';

/**
 * `sva`: a process's own page table, pages come in on first touch. `private`: filled by map and unmap only, pinned.
 * `kernel`: as private, for traffic without PASID. `identity`: no translation (no IOMMU).
 */
export type SpaceKind = 'sva' | 'private' | 'kernel' | 'identity';

/**
 * Targets from here on are virtual addresses of the space's host process, plus this; RAM and its windows are below,
 * and a double is exact far beyond.
 */
export const PROCESS_TARGET = 2 ** 50;

/** A translation target in the memory of the space's host process. */
export const processTarget = (virtual: number): PhysAddr => physAddr(PROCESS_TARGET + virtual);

export type PageLookup = PhysAddr | 'absent' | 'forbidden';

/** One set of translations, as the IOMMU walks it. Pages are numbered: address / 4096. */
export interface TranslationSpace {
  readonly kind: SpaceKind;
  /** Host process that targets from PROCESS_TARGET on belong to; undefined: all are physical. */
  readonly pid?: number | undefined;
  /**
   * Whether that process has ended or executes another program, so that its addresses are another owner's: a peer
   * could execute a privileged program, and a pid is used again.
   */
  isGone?(): boolean;
  readonly mappedBytes: number;
  /** Tells that lookups of these pages follow, for spaces that look up many pages as cheaply as one. */
  prepare?(firstPage: number, pages: number): void;
  /** Walks to one page. 'absent' covers both "not mapped" and "not present": `makePresent` tells them apart. */
  lookup(page: number, access: Access): PageLookup;
  /**
   * Whether there is a mapping here that does not allow this access, for spaces whose `lookup` cannot know. Asked only
   * after an access failed.
   */
  forbids?(page: number, access: Access): boolean;
  /** The page-fault handler of the owning process. @returns false if no mapping covers the page */
  makePresent(page: number): boolean;
  /**
   * Calls back before pages that were mapped stop being so (Linux's mmu notifiers), so that no cached translation
   * outlives its page. @returns the unsubscribe function
   */
  onInvalidate(listener: (firstPage: number, pages: number) => void): () => void;
}
