import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';

/** The last `capacity` faults, newest last, each once, with the number of those that never arrived. */
export class FaultLog {
  private readonly ring: (FaultSnapshot | undefined)[];
  private added = 0;
  /** Faults whose sequence number was skipped: the feed dropped them under load. */
  missed = 0;

  constructor(private readonly capacity: number) {
    this.ring = new Array<FaultSnapshot | undefined>(capacity);
  }

  get length(): number {
    return Math.min(this.added, this.capacity);
  }

  /** Faults ever added; grows by one with each, so it marks a moment of the log. */
  get position(): number {
    return this.added;
  }

  clear(): void {
    this.ring.fill(undefined);
    this.added = 0;
    this.missed = 0;
  }

  /** Adds a fault unless the log has it already (a snapshot repeats what the feed sent before). */
  add(fault: FaultSnapshot): void {
    const last = this.newest(0);
    if (last !== undefined) {
      if (fault.seq <= last.seq) return;
      this.missed += fault.seq - last.seq - 1;
    }
    this.ring[this.added % this.capacity] = fault;
    this.added++;
  }

  /** The fault `index` places before the newest one at `position` (by default now). */
  newest(index: number, position = this.added): FaultSnapshot | undefined {
    const place = position - 1 - index;
    return place < 0 || place < this.added - this.capacity ? undefined : this.ring[place % this.capacity];
  }

  /** How many of the newest faults happened at or after `fromMs`; stops counting at `limit`. */
  countSince(fromMs: number, limit = 1_000): number {
    let count = 0;
    while (count < limit && (this.newest(count)?.atMs ?? -1) >= fromMs) count++;
    return count;
  }
}
