import type { DomainKind } from './telemetry.ts';

/** How many durations fell into each bucket, and their sum; platform/duration-buckets.ts has the bounds. */
export interface DurationCounts {
  counts: number[];
  sumUs: number;
}

export interface DomainDurations {
  domainKind: DomainKind;
  durations: DurationCounts;
}

/** Durations inside the stack since its start. */
export interface StackTimings {
  /** Doorbell → CQE, by device. */
  sqes: { device: string; durations: DurationCounts }[];
  /** Page request → its answer. */
  pageRequests: DomainDurations[];
  /** Of sampled translations. */
  translations: DomainDurations[];
}
