import type { MonitorSample, StackView } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Counters } from './counters.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { softwareCost } from './software-cost.ts';

/** Makes samples; measures the event loop's delay only between `start` and `stop`. */
export class Sampler {
  private readonly delay = new EventLoopDelay();
  constructor(
    private readonly view: StackView,
    private readonly counters: Counters,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.delay.start();
    this.view.watch?.(true);
  }

  stop(): void {
    this.delay.stop();
    this.view.watch?.(false);
    this.counters.softwareCost.stop();
  }

  sample(): MonitorSample {
    const workers = this.view.workers?.();
    const delaysMs = workers?.map(({ eventLoopDelayMs }) => eventLoopDelayMs) ?? [];
    const workersRss = workers?.reduce((sum, { rssBytes }) => sum + rssBytes, 0) ?? 0;
    const samples = [this.counters.softwareCost.next(), ...(this.view.softwareSamples?.() ?? [])];
    const software = softwareCost(samples, this.counters.compressedBytes());
    return {
      atMs: this.clock.wallMs(),
      totals: this.counters.totals(),
      queues: this.view.queues(),
      devices: this.view.devices(),
      ...(this.view.iommu ? { iommu: this.view.iommu(false) } : {}),
      ...(software ? { software } : {}),
      eventLoopDelayMs: Math.max(this.delay.takeMs(), ...delaysMs),
      rssBytes: process.memoryUsage.rss() + workersRss,
      ...(workers ? { workers } : {}),
    };
  }
}
