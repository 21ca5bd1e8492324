import { getField } from '../../hw-abi/field.ts';
import { QOS_MAX, QOS_STEP_MBIT, SHAPER_VFT, shaperRate } from '../../hw-abi/shaper.ts';
import type { Clock } from '../../platform/clock.ts';

/** The default of every function, 100 Gbit/s, is more than any core here can do: it shapes nothing. */
const UNLIMITED_MBIT = QOS_MAX * QOS_STEP_MBIT * 0.99;
/** The burst is at least this much of the rate, because our timers are coarser than the silicon's tick. */
const MIN_BURST_US = 10_000;

/**
 * The rate shaper of one function: a token bucket in bytes of input, for all its queues and both directions together.
 * A job is let go while there are tokens, and may leave a debt that the next ones wait for, so that the rate holds
 * whatever the size of jobs.
 */
export class Shaper {
  /** Whether anything must be asked before a job goes. */
  isLimiting = false;
  private bytesPerUs = 0;
  private burstBytes = 0;
  private tokens = 0;
  private filledAtUs = 0;

  constructor(private readonly clock: Clock) {}

  /** @param entry low word of the function's shaper entry; 0 takes the limit away */
  configure(entry: number): void {
    const words = Uint32Array.of(entry);
    const of = (name: keyof typeof SHAPER_VFT): number => getField(words, 0, SHAPER_VFT[name]);
    const mbit = shaperRate(of('cirB'), of('cirU'), of('cirS'));
    this.isLimiting = mbit > 0 && mbit < UNLIMITED_MBIT;
    this.bytesPerUs = mbit / 8;
    this.burstBytes = Math.max(of('cbsB') * 2 ** of('cbsS'), this.bytesPerUs * MIN_BURST_US);
    this.tokens = this.burstBytes;
    this.filledAtUs = this.clock.monotonicUs();
  }

  /** @returns microseconds until a job may go; 0 = now */
  waitUs(): number {
    const now = this.clock.monotonicUs();
    this.tokens = Math.min(this.burstBytes, this.tokens + (now - this.filledAtUs) * this.bytesPerUs);
    this.filledAtUs = now;
    return this.tokens > 0 ? 0 : Math.max(1, Math.ceil(-this.tokens / this.bytesPerUs));
  }

  /** A job of so many bytes went. */
  take(bytes: number): void {
    this.tokens -= bytes;
  }

  reset(): void {
    this.isLimiting = false;
  }
}
