import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { PAGE_BYTES } from '../../../shared/src/units.ts';

/** What the kernel model may ask about a real process's memory. */
export interface ProcessMemory {
  readonly pid: number;
  /** One byte a page: 1 = present, 0 = an access would be a page fault (or an error). */
  residentPages(address: number, pages: number): Uint8Array;
  /** Whether the process has mapped every byte of the range, present or not. */
  covers(address: number, bytes: number): boolean;
  /** Whether it has ended or executes another program than when this was opened. */
  isGone(): boolean;
  close(): void;
}

const ENTRY_BYTES = 8;
/** Bit 63 of a pagemap entry: page is present (Linux Documentation/admin-guide/mm/pagemap.rst). */
const PRESENT_BYTE = 7;
const PRESENT_MASK = 0x80;

/**
 * Reads /proc/<pid>/pagemap and /proc/<pid>/maps. The open pagemap stays with the address space that it was opened
 * for: after exec or exit it reads as empty (Linux fs/proc/task_mmu.c, pagemap_read).
 * @throws Error when the host does not let us (EACCES) or the process is gone (ENOENT)
 */
export function openProcessMemory(pid: number): ProcessMemory {
  const fd = openSync(`/proc/${pid}/pagemap`, 'r');
  const entry = Buffer.alloc(ENTRY_BYTES);
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
    covers(address, bytes) {
      try {
        return coversRange(readFileSync(`/proc/${pid}/maps`, 'latin1'), address, bytes);
      } catch {
        return false; // the process is going
      }
    },
    isGone() {
      try {
        return readSync(fd, entry, 0, ENTRY_BYTES, ENTRY_BYTES) === 0;
      } catch {
        return true;
      }
    },
    close() {
      closeSync(fd);
    },
  };
}

/** @param maps lines of /proc/<pid>/maps: `from-to perms …`, in ascending order of addresses */
export function coversRange(maps: string, address: number, bytes: number): boolean {
  let reached = address;
  for (const line of maps.split('\n')) {
    const [from = '', to = ''] = (line.split(' ', 1)[0] ?? '').split('-');
    if (Number.parseInt(to, 16) <= reached) continue;
    if (!(Number.parseInt(from, 16) <= reached)) return false;
    reached = Number.parseInt(to, 16);
    if (reached >= address + bytes) return true;
  }
  return false;
}
