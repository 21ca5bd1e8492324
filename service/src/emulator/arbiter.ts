import type { QueuePair } from './queue-pair.ts';

/** Bytes that weight 1 may move in a round. */
const QUANTUM_BYTES = 64 * 1024;

/**
 * Deficit round robin in bytes over the queues with pending SQEs, weight = priority + 1. The policy is ours: what
 * the silicon does with a queue's priority is not published.
 */
export class Arbiter {
  private readonly ring: QueuePair[] = [];
  private position = 0;

  /** Call whenever a queue may have become non-empty. */
  add(queue: QueuePair): void {
    if (!this.ring.includes(queue)) this.ring.push(queue);
  }

  remove(queue: QueuePair): void {
    const at = this.ring.indexOf(queue);
    if (at === -1) return;
    if (at === this.ring.length - 1) this.ring.pop();
    else this.ring.splice(at, 1);
    if (at < this.position) this.position--;
    if (this.position >= this.ring.length) this.position = 0;
    queue.deficitBytes = 0;
    queue.hasTurn = false;
  }

  /**
   * Dispatches pending SQEs until none can go. A queue that is refused keeps its turn, because otherwise each engine
   * core that gets free would serve the next queue and the weights would mean nothing; others are tried meanwhile.
   * @param cost bytes of the SQE at the queue's head
   * @param dispatch takes the head SQE; false if no engine core has room for it now
   */
  run(cost: (queue: QueuePair) => number, dispatch: (queue: QueuePair) => boolean): void {
    let skipped = 0;
    while (skipped < this.ring.length) {
      const queue = this.ring[(this.position + skipped) % this.ring.length];
      if (!queue) return;
      if (queue.pending === 0 || queue.isStopped) {
        this.remove(queue);
        continue;
      }
      if (!queue.hasTurn) {
        queue.hasTurn = true;
        queue.deficitBytes += QUANTUM_BYTES * (queue.sq.priority + 1);
      }
      const bytes = cost(queue);
      if (queue.deficitBytes < bytes) {
        if (skipped === 0) {
          queue.hasTurn = false;
          this.position = (this.position + 1) % this.ring.length;
        } else skipped++; // its turn has not come: one quantum a round, however often it is looked at
      } else if (dispatch(queue)) {
        queue.deficitBytes -= bytes;
        skipped = 0;
      } else skipped++;
    }
  }
}
