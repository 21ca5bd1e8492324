import type { DomainDurations, DurationCounts, StackTimings } from '../../../shared/src/timings.ts';

/** Timings of several functions, or of one function's processes one after the other, added. */
export function mergeTimings(parts: readonly StackTimings[]): StackTimings {
  const byDomain = (all: DomainDurations[]) =>
    [...sumsBy(all, ({ domainKind }) => domainKind)].map(([domainKind, durations]) => ({
      domainKind,
      durations,
    }));
  const sqes = sumsBy(
    parts.flatMap(({ sqes }) => sqes),
    ({ device }) => device,
  );
  return {
    sqes: [...sqes].map(([device, durations]) => ({ device, durations })),
    pageRequests: byDomain(parts.flatMap(({ pageRequests }) => pageRequests)),
    translations: byDomain(parts.flatMap(({ translations }) => translations)),
  };
}

function sumsBy<Key, Entry extends { durations: DurationCounts }>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => Key,
): Map<Key, DurationCounts> {
  const sums = new Map<Key, DurationCounts>();
  for (const entry of entries) {
    const { counts, sumUs } = entry.durations;
    const sum = sums.get(keyOf(entry));
    sums.set(keyOf(entry), {
      counts: counts.map((count, i) => count + (sum?.counts[i] ?? 0)),
      sumUs: sumUs + (sum?.sumUs ?? 0),
    });
  }
  return sums;
}
