import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Five waits between two readings say enough; the default of 10 ms wakes an idle process a hundred times a second. */
const RESOLUTION_MS = 50;
const NS_PER_MS = 1e6;

/** How late this process's event loop is. Measures only between `start` and `stop`, because that wakes the process. */
export class EventLoopDelay {
  private readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  start(): void {
    this.delay.enable();
  }

  stop(): void {
    this.delay.disable();
    this.delay.reset();
  }

  /** Mean since the last call, over what the timer itself waits; 0 while nothing is measured. */
  takeMs(): number {
    const meanMs = this.delay.count === 0 ? 0 : this.delay.mean / NS_PER_MS - RESOLUTION_MS;
    this.delay.reset();
    return Math.max(0, Math.round(meanMs * 100) / 100);
  }
}
