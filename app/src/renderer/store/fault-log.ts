import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';

/** The last `capacity` faults, newest last, each once, with the number of those that never arrived. */
export class FaultLog {
  private readonly ring: (FaultSnapshot | undefined)[];
  private added = 0;
  /** Faults whose sequence number was skipped: the feed dropped them under load. */
  missed = 0;
  /** Grows when faults were put between others; whoever keeps places of the log looks again then. */
  inserted = 0;

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

  /**
   * Adds a fault unless the log has it already (a snapshot repeats what the feed sent before).
   * @returns the sequence number before the gap, if faults are missing between the last one and this
   */
  add(fault: FaultSnapshot): number | undefined {
    const last = this.newest(0);
    if (last !== undefined && fault.seq <= last.seq) return undefined;
    this.ring[this.added % this.capacity] = fault;
    this.added++;
    if (last === undefined || fault.seq === last.seq + 1) return undefined;
    this.missed += fault.seq - last.seq - 1;
    return last.seq;
  }

  /** Puts faults that were asked for again, oldest first, where they belong. */
  insert(faults: readonly FaultSnapshot[]): void {
    const [first] = faults;
    if (first === undefined) return;
    const later: FaultSnapshot[] = [];
    for (let fault = this.newest(0); fault !== undefined && fault.seq >= first.seq; fault = this.newest(0)) {
      later.push(fault);
      this.added--;
    }
    const known = new Set(later.map(({ seq }) => seq));
    const missing = faults.filter(({ seq }) => !known.has(seq));
    this.missed = Math.max(0, this.missed - missing.length);
    for (const fault of [...later, ...missing].sort((a, b) => a.seq - b.seq)) {
      this.ring[this.added % this.capacity] = fault;
      this.added++;
    }
    this.inserted++;
  }

  /** The fault `index` places before the newest one at `position` (by default now). */
  newest(index: number, position = this.added): FaultSnapshot | undefined {
    const place = position - 1 - index;
    return place < 0 || place < this.added - this.capacity ? undefined : this.ring[place % this.capacity];
  }

  /** How many faults happened from `fromMs` to `toMs`; looks at the newest `limit` only. */
  countBetween(fromMs: number, toMs: number, limit = 1_000): number {
    let count = 0;
    for (let index = 0; index < limit; index++) {
      const atMs = this.newest(index)?.atMs ?? Number.NEGATIVE_INFINITY;
      if (atMs < fromMs) break;
      if (atMs <= toMs) count++;
    }
    return count;
  }
}
