import type { Stall } from '../kernel/iommu/translator.ts';
import type { QueuePair } from './queue-pair.ts';

/**
 * Queues whose head job waits for a page. A queue fetches nothing more while one of its jobs is on hold, so that a
 * flood of faults costs one tag a queue; the other queues go on.
 */
export class StalledJobs {
  private readonly byQueue = new Map<QueuePair, Stall>();

  has(queue: QueuePair): boolean {
    return this.byQueue.has(queue);
  }

  /** @param resume called once when the transaction may be repeated or is aborted, unless the queue stopped first */
  hold(queue: QueuePair, stall: Stall, resume: (outcome: 'retry' | 'abort') => void): void {
    this.byQueue.set(queue, stall);
    void stall.outcome.then((outcome) => {
      if (this.byQueue.get(queue) !== stall) return;
      this.byQueue.delete(queue);
      resume(outcome);
    });
  }

  /** The queue stops: its transaction ends and nobody is called back. */
  terminate(queue: QueuePair): void {
    const stall = this.byQueue.get(queue);
    this.byQueue.delete(queue);
    stall?.terminate();
  }
}
