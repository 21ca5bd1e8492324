import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { PAGE_BYTES } from '../../../shared/src/units.ts';

/** What the kernel model may ask about a real process's memory. */
export interface ProcessMemory {
  readonly pid: number;
  /** One byte a page: 1 = present, 0 = an access would be a page fault (or an error). */
  residentPages(address: number, pages: number): Uint8Array;
  /** Whether the process has mapped every byte of the range, present or not. */
  covers(address: number, bytes: number): boolean;
  /** Whether it has a mapping at the address that does not permit the access. @see Mappings for how old the answer may be */
  forbids(address: number, access: 'read' | 'write'): boolean;
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
  const mappings = new Mappings(() => readFileSync(`/proc/${pid}/maps`, 'latin1'));
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
    forbids(address, access) {
      return mappings.forbids(address, access);
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

/** Part of the time that looking at mappings may take. */
const LOOK_SHARE = 1 / 20;

/**
 * What a process has mapped, as of the last look. A process can have 65 000 mappings and make faults as fast as it
 * likes, so a look is kept for twenty times as long as it took.
 */
export class Mappings {
  private mappings: Mapping[] = [];
  private validUntilMs = Number.NEGATIVE_INFINITY;

  /** @param read gives the text of /proc/<pid>/maps; throws when the process is gone */
  constructor(
    private readonly read: () => string,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** @returns whether there is a mapping at the address that does not permit the access */
  forbids(address: number, access: 'read' | 'write'): boolean {
    const mapping = this.current().find(({ to }) => to > address);
    if (mapping === undefined || mapping.from > address) return false;
    return !mapping.rights.includes(access === 'read' ? 'r' : 'w');
  }

  private current(): readonly Mapping[] {
    const startMs = this.nowMs();
    if (startMs < this.validUntilMs) return this.mappings;
    try {
      this.mappings = mappingsOf(this.read());
    } catch {
      this.mappings = []; // the process is going
    }
    const endMs = this.nowMs();
    this.validUntilMs = endMs + (endMs - startMs) / LOOK_SHARE;
    return this.mappings;
  }
}

/** One line of /proc/<pid>/maps; `to` is the first byte behind it, `rights` as in `rw-p`. */
interface Mapping {
  from: number;
  to: number;
  rights: string;
}

/** @param maps lines of /proc/<pid>/maps: `from-to rights …`, in ascending order of addresses */
function mappingsOf(maps: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of maps.split('\n')) {
    const [range = '', rights = ''] = line.split(' ', 2);
    const [from = '', to = ''] = range.split('-');
    if (to !== '') mappings.push({ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16), rights });
  }
  return mappings;
}

/** @param maps as /proc/<pid>/maps has it */
export function coversRange(maps: string, address: number, bytes: number): boolean {
  let reached = address;
  for (const { from, to } of mappingsOf(maps)) {
    if (to <= reached) continue;
    if (from > reached) return false;
    reached = to;
    if (reached >= address + bytes) return true;
  }
  return false;
}
