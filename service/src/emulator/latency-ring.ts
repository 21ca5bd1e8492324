const KEPT = 512;

/** The last durations, for percentiles that mean "now". */
export class LatencyRing {
  private readonly values = new Float64Array(KEPT);
  private count = 0;

  add(us: number): void {
    this.values[this.count++ % KEPT] = us;
  }

  /** @returns undefined before the first value */
  percentiles(): { p50: number; p99: number } | undefined {
    const filled = Math.min(this.count, KEPT);
    if (filled === 0) return undefined;
    const sorted = this.values.slice(0, filled).sort();
    const at = (share: number): number =>
      Math.round(sorted[Math.min(filled - 1, Math.floor(share * filled))] ?? 0);
    return { p50: at(0.5), p99: at(0.99) };
  }
}
