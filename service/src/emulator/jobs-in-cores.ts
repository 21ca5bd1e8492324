import type { QueuePair } from './queue-pair.ts';

/** Counts the jobs that engine cores hold, so that nobody releases memory that a core may still write. */
export class JobsInCores {
  private total = 0;
  /** Queues that stopped while cores held jobs of theirs, and who waits for the last of these. */
  private readonly stopped = new Map<QueuePair, (() => void)[]>();

  enter(queue: QueuePair): void {
    this.total++;
    queue.jobsInCores++;
  }

  leave(queue: QueuePair): void {
    this.total--;
    queue.jobsInCores--;
    if (queue.isStopped && queue.jobsInCores === 0) this.end(queue);
  }

  /** The queue is stopped now. */
  stop(queue: QueuePair): void {
    if (queue.jobsInCores > 0 && !this.stopped.has(queue)) this.stopped.set(queue, []);
  }

  get isEmpty(): boolean {
    return this.total === 0;
  }

  /** @returns a promise for the end of all jobs of queues that are stopped; undefined when there are none */
  drainStopped(): Promise<void> | undefined {
    if (this.stopped.size === 0) return undefined;
    const ends = [...this.stopped.values()].map(
      (waiters) => new Promise<void>((resolve) => void waiters.push(resolve)),
    );
    return Promise.all(ends).then(() => {});
  }

  private end(queue: QueuePair): void {
    const waiters = this.stopped.get(queue) ?? [];
    this.stopped.delete(queue);
    for (const done of waiters) done();
  }
}
