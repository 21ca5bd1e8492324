/** Between one small job and the next an engine thread may do this many of its own before it thinks there are no more. */
const JOBS_BETWEEN = 8;

/**
 * Counts the small jobs that the device's thread does itself, in memory that engine threads see. While there are some, a
 * thread that shares its CPU with the device's lets it run after each job: a small request then waits for one job of a large
 * one, not for all that are there. Without small jobs that would only cost: the event loop would wake for every piece of a body.
 */
export class SmallJobs {
  private readonly count: Int32Array;
  private seen = 0;
  private left = 0;

  constructor(readonly buffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.count = new Int32Array(buffer);
    this.seen = Atomics.load(this.count, 0);
  }

  /** The device's side; the only one that writes. */
  add(): void {
    this.count[0] = ((this.count[0] ?? 0) + 1) | 0;
  }

  /** A thread's side, after each of its jobs. */
  areComing(): boolean {
    const now = Atomics.load(this.count, 0);
    if (now !== this.seen) this.left = JOBS_BETWEEN;
    this.seen = now;
    if (this.left === 0) return false;
    this.left--;
    return true;
  }
}
