import type { DurationCounts } from '../../../shared/src/timings.ts';

/** Buckets below a microsecond: the first holds all up to 2^-2 µs. */
const SUB_MICROSECOND = 2;
/** With the last one: up to 2^24 µs (17 s), and longer. */
const BUCKETS = 28;
const LONGEST = 2 ** (BUCKETS - 2);

/** Durations by powers of two. An observation costs a bit count and two additions, so that hot paths can afford it. */
export class DurationBuckets {
  private readonly counts = new Float64Array(BUCKETS);
  private sumUs = 0;

  /** @param us microseconds */
  observe(us: number): void {
    const scaled = us * 2 ** SUB_MICROSECOND;
    const at = scaled <= 1 ? 0 : scaled > LONGEST ? BUCKETS - 1 : 32 - Math.clz32(Math.ceil(scaled) - 1);
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sumUs += us;
  }

  read(): DurationCounts {
    return { counts: [...this.counts], sumUs: this.sumUs };
  }
}

/** Upper bound of a bucket in seconds; Infinity for the last. */
export function bucketBoundS(index: number): number {
  return index >= BUCKETS - 1 ? Infinity : 2 ** (index - SUB_MICROSECOND) / 1e6;
}
