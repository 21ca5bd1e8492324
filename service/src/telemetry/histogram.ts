import type { DurationCounts } from '../../../shared/src/timings.ts';
import { bucketBoundS } from '../platform/duration-buckets.ts';

/** Upper bounds in seconds, Prometheus `le`. */
const BOUNDS_S = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
] as const;

export interface ExposedHistogram {
  buckets: { le: string; count: number }[];
  /** Seconds. */
  sum: number;
  count: number;
}

/** Fixed buckets; an observation costs a short scan and no allocation, which prom-client's own does not offer. */
export class DurationHistogram {
  private readonly buckets = new Float64Array(BOUNDS_S.length + 1);
  private sum = 0;

  observe(seconds: number): void {
    let i = 0;
    while (i < BOUNDS_S.length && seconds > (BOUNDS_S[i] ?? 0)) i++;
    this.buckets[i] = (this.buckets[i] ?? 0) + 1;
    this.sum += seconds;
  }

  /** The counts of the buckets one by one, then the sum of all observations. */
  values(): number[] {
    return [...this.buckets, this.sum];
  }

  /** Adds what another histogram counted. @param index as in `values` */
  add(index: number, amount: number): void {
    if (index === this.buckets.length) this.sum += amount;
    else this.buckets[index] = (this.buckets[index] ?? 0) + amount;
  }

  /** Cumulative counts as the exposition format wants them. */
  read(): ExposedHistogram {
    return cumulative([...BOUNDS_S.map(String), '+Inf'], this.buckets, this.sum);
  }
}

/** Cumulative counts of the stack's own buckets. */
export function exposed({ counts, sumUs }: DurationCounts): ExposedHistogram {
  const bounds = counts.map((_, i) => bucketBoundS(i)).map((s) => (s === Infinity ? '+Inf' : String(s)));
  return cumulative(bounds, counts, sumUs / 1e6);
}

function cumulative(bounds: string[], counts: ArrayLike<number>, sum: number): ExposedHistogram {
  let count = 0;
  const buckets = bounds.map((le, i) => {
    count += counts[i] ?? 0;
    return { le, count };
  });
  return { buckets, sum, count };
}
