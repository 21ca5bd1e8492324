import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { JobSlots, Operation, QueueMode } from '../../../shared/src/telemetry.ts';
import {
  newStream,
  STREAM_CONTEXT_BYTES,
  type StreamState,
  type ZipCompletion,
  type ZipRequest,
} from '../driver/zip/zip-queue.ts';
import type { AcceleratorHost, DmaBuffer, ProcessContext } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { BufferPool, type OwnedSlot } from './buffer-pool.ts';
import { QueueSession } from './queue-session.ts';
import { SlotPool } from './slot-pool.ts';

export interface LibraryOptions {
  mode: QueueMode;
  owner: { pid: number; name: string };
  /** Queues to open, shared out over both operations; at least 2. */
  queues: number;
  /** Largest input of one job. */
  jobBytes: number;
  /** The same for the first mebibyte of a stream while no small requests come, which would wait behind it. */
  quietJobBytes: number;
  /** Jobs up to this size have slots of their own, so that they never wait behind large ones. */
  smallJobBytes: number;
  /** A small job writes no more than this: a bomb's input is small too. */
  smallOutputBytes: number;
  /** Large jobs in flight at once. */
  largeSlots: number;
  waitMs: number;
  deadlineMs: number;
  /** Whether software may do jobs that the device cannot. */
  allowsSoftware?: boolean;
  /** Why no job can go to the device now; undefined = it can. */
  unavailable?: () => string | undefined;
}

export type { StreamState, WindowBytes, ZipCompletion } from '../driver/zip/zip-queue.ts';
export type { OwnedSlot } from './buffer-pool.ts';
export type { JobSlot } from './slot-pool.ts';

/** Jobs of streams that share the engine cores, with each other or with small requests. */
export const SHARED_JOB_BYTES = 256 * 1024;
/** So many large jobs after the last small request nobody waits behind them. */
const QUIET_AFTER_JOBS = 8;

/** Room that DEFLATE may need beyond its input: stored blocks, sync flush, trailer. */
const EXPANSION_BYTES = 1024;
const SMALL_SLOTS = 32;
/** A decompression job may write this much, whatever its input. */
const MIN_DESTINATION_BYTES = 256 * 1024;

/** Largest input of a job buffer: what it may make still fits a flat buffer. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
/** What all clients together may hold of job buffers. */
const BUFFERS_BYTES = 128 * 1024 * 1024;

/** A stream's device context, returned to the library when the stream ends. */
export interface OpenStream {
  readonly state: StreamState;
  close(): void;
}

/**
 * The user library (the "libwd" of WarpDrive): attaches as one process, opens queues for both operations, and gives
 * jobs a slot, a queue and a completion.
 */
export class AcceleratorLibrary {
  readonly jobBytes: number;
  private readonly quietJobBytes: number;
  /** Large jobs since the last small request. */
  private largeSinceSmall = Number.POSITIVE_INFINITY;
  readonly smallJobBytes: number;
  private readonly smallOutputBytes: number;
  readonly allowsSoftware: boolean;
  readonly unavailable: () => string | undefined;
  readonly small: SlotPool;
  readonly large: SlotPool;
  readonly buffers: BufferPool;
  private readonly process: ProcessContext;
  private readonly sessions: Record<Operation, QueueSession[]>;
  private readonly idleContexts: DmaBuffer[] = [];

  /** @throws WD_E_NO_QUEUE, WD_E_EINVAL */
  constructor(host: AcceleratorHost, options: LibraryOptions, clock: Clock, log: Log) {
    const { mode, owner, jobBytes, smallJobBytes, smallOutputBytes, waitMs } = options;
    this.jobBytes = jobBytes;
    this.quietJobBytes = options.quietJobBytes;
    this.smallJobBytes = smallJobBytes;
    this.smallOutputBytes = smallOutputBytes;
    this.allowsSoftware = options.allowsSoftware ?? false;
    this.unavailable = options.unavailable ?? (() => undefined);
    this.process = host.attach({ mode, owner });
    const destination = (bytes: number): number => this.worstCaseBytes(bytes);
    this.small = new SlotPool(this.process, clock, {
      slots: SMALL_SLOTS,
      sourceBytes: smallJobBytes,
      destinationBytes: Math.max(smallOutputBytes, destination(smallJobBytes)),
      waitMs,
    });
    this.large = new SlotPool(this.process, clock, {
      slots: options.largeSlots,
      sourceBytes: jobBytes,
      destinationBytes: Math.max(MIN_DESTINATION_BYTES, destination(jobBytes)),
      waitMs,
    });
    this.buffers = new BufferPool(this.process, BUFFERS_BYTES);
    const open = (operation: Operation, count: number): QueueSession[] =>
      Array.from(
        { length: count },
        () => new QueueSession(this.process, { operation, priority: 0 }, clock, log, options.deadlineMs),
      );
    try {
      const half = Math.max(1, Math.floor(options.queues / 2));
      this.sessions = {
        compress: open('compress', Math.max(1, options.queues - half)),
        decompress: open('decompress', half),
      };
    } catch (error) {
      this.process.close();
      throw error;
    }
  }

  /** Largest input of a job in the first mebibyte of a stream, which may have to share the engine cores. */
  get shortStreamJobBytes(): number {
    return this.largeSinceSmall < QUIET_AFTER_JOBS
      ? Math.min(this.quietJobBytes, SHARED_JOB_BYTES)
      : this.quietJobBytes;
  }

  /** Room that compressing `bytes` bytes never exceeds. */
  worstCaseBytes(bytes: number): number {
    return bytes + Math.ceil(bytes / 1024) + EXPANSION_BYTES;
  }

  jobSlots(): JobSlots[] {
    return (['small', 'large'] as const).map((pool) => {
      const { total, taken, waiters } = this[pool];
      return { pool, total, taken, waiting: waiters };
    });
  }

  /** Formats whose DEFLATE data the device takes; V2 has no raw one. */
  supports(format: ZipRequest['format']): boolean {
    return this.sessions.decompress.every((session) => session.supports(format));
  }

  /** @param outputBytes that a job of this input may write, where that is more than compression needs */
  slotsFor(bytes: number, outputBytes = 0): SlotPool {
    return this.isSmall(bytes, outputBytes) ? this.small : this.large;
  }

  private isSmall(bytes: number, outputBytes: number): boolean {
    return bytes <= this.smallJobBytes && outputBytes <= this.smallOutputBytes;
  }

  /**
   * DMA memory for jobs of one client, with room for `bytes` of input and for the output that they may make.
   * @param before bytes of room in front of the output
   * @throws WD_E_EINVAL, WD_E_NO_MEMORY
   */
  openBuffer(bytes: number, before: number): OwnedSlot {
    if (!(Number.isInteger(bytes) && bytes > 0 && bytes <= MAX_BUFFERED_BYTES))
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `${bytes} bytes of input, a job buffer holds 1 to ${MAX_BUFFERED_BYTES}`,
        {
          field: 'bytes',
        },
      );
    return this.buffers.take(bytes, before + this.worstCaseBytes(bytes));
  }

  /**
   * Runs one job on the operation's least loaded queue; small jobs have the first queue to themselves if there are
   * two, because completions of a queue come in order.
   * @returns the completion itself if the job is done already, see QueueSession.run
   * @throws WD_E_NO_QUEUE when every ring is full
   */
  run(operation: Operation, request: ZipRequest): ZipCompletion | Promise<ZipCompletion> {
    const all = this.sessions[operation];
    let best = all[0];
    const isSmall = this.isSmall(request.sourceBytes, request.destinationBytes);
    if (!isSmall) this.largeSinceSmall++;
    // the rest of a stream that is compressed is no request
    else if (request.isFinal || operation === 'decompress') this.largeSinceSmall = 0;
    if (!isSmall && all.length > 1) {
      best = all[1];
      for (const session of all.slice(2)) if (best && session.inFlight < best.inFlight) best = session;
    }
    const completion = best?.run(request);
    if (!completion)
      throw new WarpDriveError('WD_E_NO_QUEUE', `the rings of all ${operation} queues are full`, {
        operation,
      });
    return completion;
  }

  /** @throws WD_E_NO_MEMORY */
  openStream(): OpenStream {
    const context = this.idleContexts.pop() ?? this.process.allocate(STREAM_CONTEXT_BYTES);
    let isOpen = true;
    return {
      state: newStream(context.address),
      close: () => {
        if (isOpen) this.idleContexts.push(context);
        isOpen = false;
      },
    };
  }

  /** Refused submissions of a queue, for its statistics. */
  busyCount(qpId: number): number {
    for (const session of [...this.sessions.compress, ...this.sessions.decompress])
      if (session.qpId === qpId) return session.busy;
    return 0;
  }

  /** Refused submissions of all queues. */
  totalBusy(): number {
    return [...this.sessions.compress, ...this.sessions.decompress].reduce((sum, { busy }) => sum + busy, 0);
  }

  /** Jobs that are out end as device errors. */
  close(): void {
    for (const session of [...this.sessions.compress, ...this.sessions.decompress]) session.close();
    this.process.close();
  }
}
