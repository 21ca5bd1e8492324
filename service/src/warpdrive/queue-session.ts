import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { ZipCompletion, ZipRequest } from '../driver/zip/zip-queue.ts';
import { LOST_COMPLETION, ZipQueue } from '../driver/zip/zip-queue.ts';
import type { ProcessContext, QueueHandle, QueueRequest } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/**
 * One queue of the library: many jobs in flight, a deadline over the oldest, and a new queue in place of one that
 * stopped answering.
 */
export class QueueSession {
  private handle: QueueHandle;
  private queue: ZipQueue;
  private oldestSince = 0;
  private cancelDeadline: (() => void) | undefined;
  private isClosed = false;
  /** The queue is closed and a new one was not to be had: the next job asks again. */
  private isLost = false;

  constructor(
    private readonly process: ProcessContext,
    private readonly request: QueueRequest,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly deadlineMs: number,
  ) {
    [this.handle, this.queue] = this.open();
  }

  get qpId(): number {
    return this.handle.qpId;
  }

  supports(format: ZipRequest['format']): boolean {
    return this.queue.supports(format);
  }

  get inFlight(): number {
    return this.queue.inFlight;
  }

  /** Submissions refused because the ring was full. */
  get busy(): number {
    return this.queue.busy;
  }

  /**
   * Runs one job.
   * @returns the completion itself if a polled engine core finished the job on the way; undefined when the ring is full
   * @throws WD_E_EINVAL, WD_E_DEVICE_RESET, WD_E_NO_QUEUE, WD_E_DRAINING after `close`
   */
  run(request: ZipRequest): ZipCompletion | Promise<ZipCompletion> | undefined {
    if (this.isClosed) throw new WarpDriveError('WD_E_DRAINING', `queue ${this.handle.id} is closed`);
    if (this.isLost) this.reopen();
    const isAlone = this.queue.inFlight === 0;
    let completed: ZipCompletion | undefined;
    let resolve: ((completion: ZipCompletion) => void) | undefined;
    const isTaken = this.trySubmit(request, (completion) => {
      if (this.queue.inFlight > 0) this.oldestSince = this.clock.monotonicUs();
      if (resolve) resolve(completion);
      else completed = completion;
    });
    if (!isTaken) return undefined;
    try {
      this.queue.pollOrArm();
    } catch (error) {
      this.replace(error); // the job ends as lost
    }
    if (this.queue.inFlight > 0) {
      if (isAlone) this.oldestSince = this.clock.monotonicUs();
      if (!this.cancelDeadline) this.watch();
    }
    if (completed) return completed;
    return new Promise<ZipCompletion>((settle) => {
      resolve = settle;
    });
  }

  /** A queue that was reset while it was idle is replaced, and the job goes to the new one. */
  private trySubmit(request: ZipRequest, done: (completion: ZipCompletion) => void): boolean {
    try {
      return this.queue.trySubmit(request, done);
    } catch (error) {
      if (!(error instanceof WarpDriveError) || error.code !== 'WD_E_DEVICE_RESET') throw error;
      this.replace(error);
      if (this.isLost) throw error;
      return this.queue.trySubmit(request, done);
    }
  }

  close(): void {
    this.isClosed = true;
    this.cancelDeadline?.();
    this.handle.close();
    this.queue.abandon(LOST_COMPLETION);
  }

  private reopen(): void {
    [this.handle, this.queue] = this.open();
    this.isLost = false;
  }

  private open(): [QueueHandle, ZipQueue] {
    const handle = this.process.openQueue(this.request);
    try {
      const queue = new ZipQueue(handle, (error) => {
        if (handle === this.handle) this.replace(error);
      });
      handle.start();
      return [handle, queue];
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** One timer a queue, not one a job: completions come in order, so only the oldest can be late. */
  private watch(): void {
    this.cancelDeadline = this.clock.after(this.deadlineMs, () => {
      this.cancelDeadline = undefined;
      if (this.isClosed || this.queue.inFlight === 0) return;
      if (this.clock.monotonicUs() - this.oldestSince >= this.deadlineMs * 1000)
        this.replace(new WarpDriveError('WD_E_TIMEOUT', `no completion within ${this.deadlineMs} ms`));
      else this.watch();
    });
  }

  private replace(reason: unknown): void {
    if (this.isClosed || this.isLost) return;
    const { queue, handle } = this;
    this.log.error({ queue: handle.id, inFlight: queue.inFlight, err: reason }, 'queue failed, reopening');
    this.cancelDeadline?.();
    this.cancelDeadline = undefined;
    handle.close();
    this.isLost = true;
    // not before the engine let go of their memory: whoever gets it next would have it overwritten
    const draining = this.process.drained?.();
    if (draining) void draining.then(() => queue.abandon(LOST_COMPLETION));
    else queue.abandon(LOST_COMPLETION);
    try {
      this.reopen();
    } catch (error) {
      this.log.error({ queue: handle.id, err: error }, 'no queue in place of the one that was closed');
    }
  }
}
