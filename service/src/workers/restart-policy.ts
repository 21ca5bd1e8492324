import type { Clock } from '../platform/clock.ts';

/** A process that lived this long had started well: the next one starts at once. */
const LONG_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 100;
/** This many quick deaths in a row are a defect, not an accident. */
const MAX_QUICK_DEATHS = 5;
const HOPELESS_DELAY_MS = 60_000;
const US_PER_MS = 1000;

/** When a process that died is started again: at once, later and later, and once a minute when it keeps dying. */
export class RestartPolicy {
  private quickDeaths = 0;
  private startedUs = 0;
  constructor(private readonly clock: Clock) {}

  started(): void {
    this.startedUs = this.clock.monotonicUs();
  }

  died(): { delayMs: number; isHopeless: boolean } {
    const livedMs = (this.clock.monotonicUs() - this.startedUs) / US_PER_MS;
    this.quickDeaths = livedMs >= LONG_LIFE_MS ? 0 : this.quickDeaths + 1;
    const isHopeless = this.quickDeaths >= MAX_QUICK_DEATHS;
    if (isHopeless) return { delayMs: HOPELESS_DELAY_MS, isHopeless };
    return { delayMs: this.quickDeaths === 0 ? 0 : FIRST_DELAY_MS * 2 ** (this.quickDeaths - 1), isHopeless };
  }
}
