import type { Format } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Operation } from '../../../shared/src/telemetry.ts';
import { iova } from '../../../shared/src/units.ts';
import type { AttachedQueue } from '../attach/client.ts';
import {
  LOST_COMPLETION,
  newStream,
  STREAM_CONTEXT_BYTES,
  type StreamState,
  type ZipCompletion,
  ZipQueue,
  type ZipRequest,
} from '../driver/zip/zip-queue.ts';

export interface QueueOptions {
  operation: Operation;
  /** 0 (default) – 15: share of the engine under saturation is priority + 1. */
  priority?: number;
}

/**
 * One job on this process's own memory. Containers: the device writes (compress) or checks (decompress) the trailer;
 * the header is the caller's. Both buffers must stay untouched until the job is complete.
 */
export interface QueueJob {
  format: Format;
  /** Compress: 1–9, default 1. */
  level?: number;
  source: Uint8Array;
  destination: Uint8Array;
  /** Compress: end the DEFLATE data here (default), or with a sync flush. */
  isFinal?: boolean;
  /** Decompress: the stream this job continues, from `Queue.newStream`. */
  stream?: QueueStream;
}

/** State of a stream whose jobs follow each other; its context is this process's memory as well. */
export class QueueStream {
  readonly state: StreamState;
  constructor(
    readonly context: Uint8Array,
    address: number,
  ) {
    this.state = newStream(iova(address));
  }
}

const DEFAULT_DEADLINE_MS = 30_000;
/** Polls between two looks at the clock, about 0.1 ms. */
const POLLS_PER_LOOK = 2048;
const POLLS_BEFORE_NAPS = 4 * POLLS_PER_LOOK;
const NAP_MS = 0.05;
const NAP = new Int32Array(new SharedArrayBuffer(4));

/** A queue of a running service, driven by stores and loads on shared memory. */
export class Queue {
  private zip: ZipQueue;
  private lost: WarpDriveError | undefined;
  private isClosed = false;

  constructor(
    private handle: AttachedQueue,
    private readonly reopen: () => Promise<AttachedQueue>,
    private readonly reach: (bytes: Uint8Array) => number,
  ) {
    this.zip = this.adopt(handle);
  }

  /** Hardware queue number. It changes when the queue was lost and opened again. */
  get qpId(): number {
    return this.handle.qpId;
  }

  get inFlight(): number {
    return this.zip.inFlight;
  }

  /** Starts a stream. @param context STREAM_CONTEXT_BYTES of memory that the engine reaches; default: its own */
  newStream(context: Uint8Array = new Uint8Array(STREAM_CONTEXT_BYTES)): QueueStream {
    return new QueueStream(context, this.reach(context));
  }

  /**
   * Runs one job; any number may be in flight. Completion comes by interrupt, so the process may sleep.
   * @returns its outcome; see `ZipOutcome`. Failures of the job are outcomes, not errors.
   * @throws WD_E_NO_QUEUE the ring is full; WD_E_DEVICE_RESET (retryable) the queue was lost and is being reopened
   */
  run(job: QueueJob): Promise<ZipCompletion> {
    return new Promise((resolve, reject) => {
      try {
        this.submit(job, (done) => {
          if (done === LOST_COMPLETION && this.lost) reject(this.lost);
          else resolve(done);
        });
        this.reap(() => this.zip.pollOrArm());
      } catch (error) {
        reject(error);
      }
    });
  }

  /**
   * Runs one job and polls until it is complete: the shortest way, no system call and no message while the service
   * is awake.
   * @throws WD_E_TIMEOUT after `deadlineMs`; as `run`
   */
  runSync(job: QueueJob, deadlineMs = DEFAULT_DEADLINE_MS): ZipCompletion {
    let completion: ZipCompletion | undefined;
    this.submit(job, (done) => {
      completion = done;
    });
    const deadline = performance.now() + deadlineMs;
    for (let polls = 1; completion === undefined; polls++) {
      this.reap(() => this.zip.poll());
      if (polls % POLLS_PER_LOOK !== 0 || completion) continue;
      if (performance.now() > deadline)
        throw new WarpDriveError('WD_E_TIMEOUT', `no completion within ${deadlineMs} ms`, { deadlineMs });
      // it takes longer than a small job: leave the core to the engine, which may need it
      if (polls >= POLLS_BEFORE_NAPS) Atomics.wait(NAP, 0, 0, NAP_MS);
    }
    return completion;
  }

  /** Jobs in flight end with outcome `device-error`. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handle.close();
    this.zip.abandon(LOST_COMPLETION);
  }

  private submit(job: QueueJob, done: (completion: ZipCompletion) => void): void {
    if (this.isClosed) throw new WarpDriveError('WD_E_ENODEV', 'the queue is closed', { errno: 'ENODEV' });
    if (this.lost) throw this.lost;
    const { source, destination, stream } = job;
    const request: ZipRequest = {
      format: job.format,
      level: job.level ?? 1,
      source: iova(source.length === 0 ? 0 : this.reach(source)),
      sourceBytes: source.length,
      destination: iova(this.reach(destination)),
      destinationBytes: destination.length,
      isFinal: job.isFinal ?? true,
      ...(stream ? { stream: stream.state } : {}),
    };
    // the closure keeps both buffers alive while the engine works on their addresses
    const finish = (completion: ZipCompletion): void => {
      void source;
      void destination;
      done(completion);
    };
    if (!this.reap(() => this.zip.trySubmit(request, finish)))
      throw new WarpDriveError('WD_E_NO_QUEUE', 'the ring is full: reap completions first', {
        errno: 'EBUSY',
      });
  }

  /** @throws WD_E_DEVICE_RESET when the stop words say so before the service's message has come */
  private reap<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (error instanceof WarpDriveError && error.code === 'WD_E_DEVICE_RESET') this.lose();
      throw error;
    }
  }

  private adopt(handle: AttachedQueue): ZipQueue {
    handle.onLost(() => this.lose());
    return new ZipQueue(handle, () => this.lose());
  }

  /** The service took the queue: fail what is in flight, then open another. */
  private lose(): void {
    if (this.isClosed || this.lost) return;
    this.lost = new WarpDriveError('WD_E_DEVICE_RESET', 'the queue was reset by the service; retry');
    const { zip, handle } = this;
    zip.abandon(LOST_COMPLETION);
    handle.close();
    this.reopen().then(
      (next) => {
        this.handle = next;
        this.zip = this.adopt(next);
        this.lost = undefined;
      },
      (error: unknown) => {
        this.lost = error instanceof WarpDriveError ? error : this.lost;
      },
    );
  }
}
