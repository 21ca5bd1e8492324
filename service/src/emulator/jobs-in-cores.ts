import type { QueuePair } from './queue-pair.ts';

/** Counts the jobs that engine cores hold, so that nobody releases memory that a core may still write. */
export class JobsInCores {
  private readonly counts = new Map<QueuePair, number>();
  private readonly waiting = new Set<{ queue: QueuePair; done: () => void }>();

  enter(queue: QueuePair): void {
    this.counts.set(queue, (this.counts.get(queue) ?? 0) + 1);
  }

  leave(queue: QueuePair): void {
    const left = (this.counts.get(queue) ?? 0) - 1;
    if (left > 0) {
      this.counts.set(queue, left);
      return;
    }
    this.counts.delete(queue);
    if (this.waiting.size === 0) return;
    for (const waiter of [...this.waiting])
      if (waiter.queue === queue) {
        this.waiting.delete(waiter);
        waiter.done();
      }
  }

  get isEmpty(): boolean {
    return this.counts.size === 0;
  }

  /** @returns a promise for the end of all jobs of queues that are stopped; undefined when there are none */
  drainStopped(): Promise<void> | undefined {
    const stopped = [...this.counts.keys()].filter((queue) => queue.isStopped);
    if (stopped.length === 0) return undefined;
    const ends = stopped.map(
      (queue) => new Promise<void>((resolve) => void this.waiting.add({ queue, done: resolve })),
    );
    return Promise.all(ends).then(() => {});
  }
}
