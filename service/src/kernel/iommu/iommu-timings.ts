import type { DomainKind } from '../../../../shared/src/telemetry.ts';
import type { DomainDurations } from '../../../../shared/src/timings.ts';
import { DurationBuckets } from '../../platform/duration-buckets.ts';

/** Durations, apart for each kind of domain that had any. */
export class DurationsByDomain {
  private readonly kinds = new Map<DomainKind, DurationBuckets>();

  observe(domainKind: DomainKind, us: number): void {
    let buckets = this.kinds.get(domainKind);
    if (buckets === undefined) {
      buckets = new DurationBuckets();
      this.kinds.set(domainKind, buckets);
    }
    buckets.observe(us);
  }

  read(): DomainDurations[] {
    return [...this.kinds].map(([domainKind, buckets]) => ({ domainKind, durations: buckets.read() }));
  }
}

/**
 * Translations between two that are timed: two clock readings cost as much as a translation from the cache. A prime,
 * so that jobs which translate in a fixed order do not have the same step timed each time.
 */
const TIMED_ONE_OF = 61;

/** Whose turn it is to be timed. */
export class TimingTurn {
  private left = 1;

  next(): boolean {
    if (--this.left > 0) return false;
    this.left = TIMED_ONE_OF;
    return true;
  }
}
