import { SAMPLE_INTERVAL_MS, type StackView } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Counters } from '../telemetry/counters.ts';
import { EventLoopDelay } from '../telemetry/event-loop-delay.ts';
import { IncrementReader } from '../telemetry/increments.ts';
import type { WorkerReport } from './messages.ts';

/** Tells the primary four times a second what changed, and nothing while nothing is counted and nobody looks. */
export class Reporter {
  private readonly reader: IncrementReader;
  private readonly delay = new EventLoopDelay();
  private isWatched = false;
  private stopTimer = () => {};

  constructor(
    private readonly view: StackView,
    private readonly counters: Counters,
    private readonly clock: Clock,
    private readonly send: (report: WorkerReport) => void,
  ) {
    this.reader = new IncrementReader(counters);
  }

  start(): void {
    this.report();
    const again = () => {
      this.stopTimer = this.clock.after(SAMPLE_INTERVAL_MS, () => {
        again();
        const increments = this.reader.read();
        if (this.isWatched || Object.keys(increments).length > 0) this.sendWith(increments);
      });
    };
    again();
  }

  stop(): void {
    this.stopTimer();
    this.delay.stop();
  }

  watch(isOn: boolean): void {
    this.isWatched = isOn;
    if (isOn) this.delay.start();
    else {
      this.delay.stop();
      this.counters.softwareCost.stop();
    }
  }

  /** Out of turn. */
  report(): void {
    this.sendWith(this.reader.read());
  }

  private sendWith(increments: WorkerReport['increments']): void {
    const { view } = this;
    this.send({
      increments,
      devices: view.devices(),
      mdevs: view.mdevs(),
      queues: view.queues(),
      jobSlots: view.jobSlots?.() ?? [],
      ...(view.iommu ? { iommu: view.iommu(true) } : {}),
      pageRequests: view.pageRequests?.(true) ?? [],
      ...(view.timings ? { timings: view.timings() } : {}),
      ...(this.isWatched ? { software: this.counters.softwareCost.next() } : {}),
      rssBytes: process.memoryUsage.rss(),
      eventLoopDelayMs: this.delay.takeMs(),
    });
  }
}
