import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { MonitorSample, StackView } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Counters } from './counters.ts';

const DELAY_RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** Makes samples; measures the event loop's delay only between `start` and `stop`, because that wakes the process. */
export class Sampler {
  private readonly delay: IntervalHistogram = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  constructor(
    private readonly view: StackView,
    private readonly counters: Counters,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.delay.enable();
  }

  stop(): void {
    this.delay.disable();
  }

  /** The event loop delay is the mean since the last sample, over what the timer itself waits. */
  sample(): MonitorSample {
    const meanMs = this.delay.count === 0 ? 0 : this.delay.mean / NS_PER_MS - DELAY_RESOLUTION_MS;
    this.delay.reset();
    return {
      atMs: this.clock.wallMs(),
      totals: this.counters.totals(),
      queues: this.view.queues(),
      devices: this.view.devices(),
      ...(this.view.iommu ? { iommu: this.view.iommu(false) } : {}),
      eventLoopDelayMs: Math.max(0, Math.round(meanMs * 100) / 100),
      rssBytes: process.memoryUsage.rss(),
    };
  }
}
