import { closeSync, openSync, readSync } from 'node:fs';
import { PAGE_BYTES } from '../../../shared/src/units.ts';

/** What the kernel model may ask about a real process's memory. */
export interface ProcessMemory {
  readonly pid: number;
  /** One byte a page: 1 = present, 0 = an access would be a page fault (or an error). */
  residentPages(address: number, pages: number): Uint8Array;
  close(): void;
}

const ENTRY_BYTES = 8;
/** Bit 63 of a pagemap entry: page is present (Linux Documentation/admin-guide/mm/pagemap.rst). */
const PRESENT_BYTE = 7;
const PRESENT_MASK = 0x80;

/**
 * Reads /proc/<pid>/pagemap.
 * @throws Error when the host does not let us (EACCES) or the process is gone (ENOENT)
 */
export function openProcessMemory(pid: number): ProcessMemory {
  const fd = openSync(`/proc/${pid}/pagemap`, 'r');
  return {
    pid,
    residentPages(address, pages) {
      const entries = Buffer.alloc(pages * ENTRY_BYTES);
      const first = Math.floor(address / PAGE_BYTES);
      try {
        readSync(fd, entries, 0, entries.length, first * ENTRY_BYTES);
      } catch {
        return new Uint8Array(pages); // the process is going: nothing is present
      }
      return Uint8Array.from({ length: pages }, (_, i) =>
        ((entries[i * ENTRY_BYTES + PRESENT_BYTE] ?? 0) & PRESENT_MASK) === 0 ? 0 : 1,
      );
    },
    close() {
      closeSync(fd);
    },
  };
}
