import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { DmaBuffer, ProcessContext } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';

/** DMA memory for one job. Whoever acquired it releases it, on every path. */
export interface JobSlot {
  readonly source: DmaBuffer;
  readonly destination: DmaBuffer;
}

interface Waiter {
  grant(slot: JobSlot): void;
  fail(error: WarpDriveError): void;
}

export interface SlotPoolOptions {
  slots: number;
  sourceBytes: number;
  destinationBytes: number;
  /** A job that waits longer for its turn fails with WD_E_NO_QUEUE. */
  waitMs: number;
}

/**
 * A fixed number of job slots, made on first need. Their number bounds what is in flight, so that memory does not
 * grow with the number of clients; those who wait are served in order of arrival.
 */
export class SlotPool {
  private readonly idle: JobSlot[] = [];
  private readonly waiting = new Set<Waiter>();
  private made = 0;

  constructor(
    private readonly process: ProcessContext,
    private readonly clock: Clock,
    private readonly options: SlotPoolOptions,
  ) {}

  /** Jobs that wait for a slot. */
  get waiters(): number {
    return this.waiting.size;
  }

  get total(): number {
    return this.options.slots;
  }

  /** Slots in use. */
  get taken(): number {
    return this.made - this.idle.length;
  }

  /** A slot if one is free now. */
  tryAcquire(): JobSlot | undefined {
    if (this.waiting.size > 0) return undefined; // those who came first go first
    return this.idle.pop() ?? this.make();
  }

  /** @throws WD_E_NO_QUEUE after `waitMs`; WD_E_ABORTED */
  acquire(signal?: AbortSignal): Promise<JobSlot> {
    const abortion = (): WarpDriveError =>
      new WarpDriveError('WD_E_ABORTED', 'aborted while waiting for a queue');
    if (signal?.aborted) return Promise.reject(abortion());
    const slot = this.tryAcquire();
    if (slot) return Promise.resolve(slot);
    return new Promise<JobSlot>((resolve, reject) => {
      const leave = (): void => {
        this.waiting.delete(waiter);
        cancelTimer();
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        grant: (granted) => {
          leave();
          resolve(granted);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.fail(abortion());
      const { waitMs, slots } = this.options;
      const cancelTimer = this.clock.after(waitMs, () =>
        waiter.fail(
          new WarpDriveError('WD_E_NO_QUEUE', `all ${slots} job slots were busy for ${waitMs} ms`, {
            waitMs,
            slots,
          }),
        ),
      );
      signal?.addEventListener('abort', onAbort);
      this.waiting.add(waiter);
    });
  }

  release(slot: JobSlot): void {
    const [next] = this.waiting;
    if (next) next.grant(slot);
    else this.idle.push(slot);
  }

  private make(): JobSlot | undefined {
    if (this.made === this.options.slots) return undefined;
    const source = this.process.allocate(this.options.sourceBytes);
    try {
      const slot = { source, destination: this.process.allocate(this.options.destinationBytes) };
      this.made++;
      return slot;
    } catch (error) {
      source.free();
      throw error;
    }
  }
}
