import type { QueueRow } from './rates.ts';
import { TimeRing } from './time-ring.ts';

export const QUEUE_CHANNELS = ['inFlight', 'opsPerSec', 'inBytesPerSec', 'p50Us', 'p99Us'] as const;
export type QueueChannel = (typeof QUEUE_CHANNELS)[number];
export type QueueRing = TimeRing<QueueChannel>;

/** One reading a second for an hour: rates are means of a second, so more would only repeat them. */
export const QUEUE_STEP_MS = 1_000;
const READINGS = 3_600;
/** Histories kept, those of queues that closed included; the longest silent one makes room. */
export const MAX_QUEUE_HISTORIES = 256;

/** An hour of each queue's figures, in rings of fixed size. */
export class QueueHistory {
  private readonly rings = new Map<string, QueueRing>();
  private lastAtMs = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.rings.size;
  }

  of(id: string): QueueRing | undefined {
    return this.rings.get(id);
  }

  clear(): void {
    this.rings.clear();
    this.lastAtMs = Number.NEGATIVE_INFINITY;
  }

  push(atMs: number, rows: readonly QueueRow[]): void {
    if (atMs - this.lastAtMs < QUEUE_STEP_MS * 0.9) return;
    this.lastAtMs = atMs;
    for (const { queue, opsPerSec, inBytesPerSec } of rows) {
      const ring = this.rings.get(queue.id) ?? new TimeRing(QUEUE_CHANNELS, READINGS);
      this.rings.delete(queue.id); // the map's order is that of the last reading
      this.rings.set(queue.id, ring);
      const isActive = opsPerSec > 0;
      ring.push(atMs, {
        inFlight: queue.inFlight,
        opsPerSec,
        inBytesPerSec,
        p50Us: isActive ? (queue.latencyUs?.p50 ?? Number.NaN) : Number.NaN,
        p99Us: isActive ? (queue.latencyUs?.p99 ?? Number.NaN) : Number.NaN,
      });
    }
    for (const id of this.rings.keys()) {
      if (this.rings.size <= MAX_QUEUE_HISTORIES) break;
      this.rings.delete(id);
    }
  }
}
