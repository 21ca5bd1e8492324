/** Work after which answers wait no longer: less than a millisecond on any engine core. */
const BATCH_BYTES = 64 * 1024;

export interface BatchedRequest {
  /** @returns bytes that were worked on, if the answer is ready; undefined if it sees to that itself */
  work(): number | undefined;
  /** Sends the answer, once, after `work` said that it is ready. */
  answer(): void;
}

/**
 * Takes the requests of a turn of the event loop, and those of one turn more if there are several, through each step
 * together: when all are parsed, all are worked on, and then all are answered. The same code runs for one after the other
 * and stays in the processor's caches; and an answer wakes its reader, which costs as much as a small job, while readers
 * that are awake already cost nothing. A request that is alone in its turn waits for nothing.
 */
export class RequestBatch {
  private requests: BatchedRequest[] = [];
  private bytes = 0;
  private hasWaited = false;

  /**
   * Calls `work` at the end of this turn or of the next.
   * @param bytes that will be worked on, as far as is known: with enough of them nobody waits for more requests
   */
  add(request: BatchedRequest, bytes: number): void {
    this.requests.push(request);
    this.bytes += bytes;
    if (this.requests.length === 1) setImmediate(this.run);
  }

  private readonly run = (): void => {
    const { requests } = this;
    if (requests.length > 1 && this.bytes < BATCH_BYTES && !this.hasWaited) {
      this.hasWaited = true;
      setImmediate(this.run);
      return;
    }
    this.requests = [];
    this.bytes = 0;
    this.hasWaited = false;
    workOnAll(requests);
  };
}

function workOnAll(requests: readonly BatchedRequest[]): void {
  let ready: BatchedRequest[] = [];
  let bytes = 0;
  for (const request of requests) {
    const worked = request.work();
    if (worked === undefined) continue;
    ready.push(request);
    bytes += worked;
    if (bytes < BATCH_BYTES) continue;
    for (const one of ready) one.answer();
    ready = [];
    bytes = 0;
  }
  for (const one of ready) one.answer();
}
