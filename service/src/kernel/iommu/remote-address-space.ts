import { PAGE_BYTES } from '../../../../shared/src/units.ts';
import type { ProcessMemory } from '../../platform/process-memory.ts';
import { type PageLookup, processTarget, type TranslationSpace } from './space.ts';
import type { Access } from './translator.ts';

/** User space of x86-64 and of AArch64 with 47 bits ends here; what is above belongs to the host kernel. */
const USER_ADDRESS_LIMIT = 2 ** 47;

/**
 * The address space of a real process: its own page table, walked by the host kernel. A page that is not resident is
 * a page request; the host kernel brings it in when the engine touches it. Whether a mapping exists at all shows only
 * then: see Translator.report.
 */
export class RemoteAddressSpace implements TranslationSpace {
  readonly kind = 'sva';
  readonly pid: number;
  /** The table belongs to the process: the model maps nothing. */
  readonly mappedBytes = 0;
  private preparedFirst = 0;
  private prepared: Uint8Array = new Uint8Array(0);

  constructor(private readonly memory: Pick<ProcessMemory, 'pid' | 'residentPages' | 'forbids' | 'isGone'>) {
    this.pid = memory.pid;
  }

  isGone(): boolean {
    return this.memory.isGone();
  }

  /** One question to the host kernel for a whole buffer. */
  prepare(firstPage: number, pages: number): void {
    this.preparedFirst = firstPage;
    this.prepared = this.memory.residentPages(firstPage * PAGE_BYTES, pages);
  }

  lookup(page: number): PageLookup {
    return this.isResident(page) ? processTarget(page * PAGE_BYTES) : 'absent';
  }

  makePresent(page: number): boolean {
    if ((page + 1) * PAGE_BYTES > USER_ADDRESS_LIMIT || page === 0) return false;
    if (!this.isPrepared(page)) this.prepare(page, 1);
    this.prepared[page - this.preparedFirst] = 1;
    return true;
  }

  forbids(page: number, access: Access): boolean {
    return this.memory.forbids(page * PAGE_BYTES, access);
  }

  /** The host kernel tells nobody outside when it takes a page away; a stale page ends in `Translator.report`. */
  onInvalidate(): () => void {
    return () => {};
  }

  private isResident(page: number): boolean {
    if (!this.isPrepared(page)) this.prepare(page, 1);
    return this.prepared[page - this.preparedFirst] === 1;
  }

  private isPrepared(page: number): boolean {
    return page >= this.preparedFirst && page < this.preparedFirst + this.prepared.length;
  }
}
