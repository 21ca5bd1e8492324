import { availableParallelism } from 'node:os';
import { CORE_NAMES, type CoreName, OPERATIONS } from '../../../../shared/src/telemetry.ts';
import { physAddr } from '../../../../shared/src/units.ts';
import type { Extent } from '../../kernel/iommu/translator.ts';
import type { ChecksumKind } from '../deflate/core.ts';
import type { EngineJob, EngineResult } from './job.ts';

/** Counters, each on a cache line of its own, because two threads write them. */
const LINE = 16;
/** Jobs handed in since the start; the thread sleeps on it. */
const SUBMITTED = 0;
const COMPLETED = LINE;
/** 1 while the thread sleeps, so that only then a submission costs a system call. */
const IS_ASLEEP = 2 * LINE;
/** 1 while the device's thread wants to be woken by a completion; the first one clears it. */
const IS_ARMED = 3 * LINE;
/** 1 from when the thread takes jobs, or is gone. */
const HAS_STARTED = 4 * LINE;
const HEADER_BYTES = 5 * LINE * 4;

/** A power of two. */
export const RING_SLOTS = 8;
const EXTENT_WORDS = 3;
/** A job of more pieces than this goes by message: scatter lists of many entries. */
const MAX_EXTENTS = 48;
const JOB_EXTENTS = 14;
const RESULT = JOB_EXTENTS + MAX_EXTENTS * EXTENT_WORDS;
/** Fourteen in use; the rest makes slots whole cache lines. */
const RESULT_WORDS = 18;
const SLOT_WORDS = RESULT + RESULT_WORDS;
const RING_BYTES = HEADER_BYTES + RING_SLOTS * SLOT_WORDS * 8;

const CHECKSUMS: readonly ChecksumKind[] = ['none', 'crc32', 'adler32'];
const INJECTED = [undefined, 'hang', 'crash'] as const;
const PARTS = ['source', 'destination', 'context'] as const;
const ACCESSES = ['read', 'write'] as const;
const BY_MESSAGE = -1;

/**
 * How long a thread without work looks for the next job before it sleeps: as long as waking it up takes. Not at all where
 * it would look on the only CPU, which the thread that hands in jobs needs.
 */
const POLL_MS = availableParallelism() > 1 ? 0.05 : 0;

/** A completion waits about this long for the next ones at most, so that one wake-up serves several. */
const HOLD_US = 500;
/** With this many jobs left the device is woken: they keep the thread busy until it brings more. */
const LEFT_AT_WAKE = 1;

/** A value of a list that its number names; the number is this program's own. */
function nth<T>(list: readonly T[], index: number | undefined): T {
  const value = list[index ?? -1];
  if (value === undefined) throw new RangeError(`no value ${index} among ${list.length}`);
  return value;
}

/**
 * Jobs and results between the device and one engine core's thread, in shared memory: slots of plain numbers and two
 * counters that are moved last. Both sides make one of the same buffer. A slot is free again when its result was taken.
 */
export class CoreRing {
  private readonly header: Int32Array;
  private readonly words: Float64Array;
  /** Jobs that this side has handed in, or has begun. */
  private next = 0;
  /** Results that this side has taken. */
  private taken = 0;
  /** What jobs took whose completions woke nobody yet. */
  private heldUs = 0;

  constructor(readonly buffer = new SharedArrayBuffer(RING_BYTES)) {
    this.header = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    this.words = new Float64Array(buffer, HEADER_BYTES);
  }

  /**
   * Hands a job in; the caller keeps count of what is out, at most RING_SLOTS.
   * @param post sends a job that does not fit a slot by message
   */
  submit(job: EngineJob, post: (job: EngineJob) => void): void {
    if (!this.writeJob(this.slotOf(this.next), job)) post(job);
    this.next = (this.next + 1) | 0;
    Atomics.store(this.header, SUBMITTED, this.next);
    if (Atomics.load(this.header, IS_ASLEEP) === 1) Atomics.notify(this.header, SUBMITTED);
  }

  /** The next result, in order of the jobs; undefined while there is none. */
  takeResult(): EngineResult | undefined {
    if (Atomics.load(this.header, COMPLETED) === this.taken) return undefined;
    const result = this.readResult(this.slotOf(this.taken) + RESULT);
    this.taken = (this.taken + 1) | 0;
    return result;
  }

  /** Calls back once at the next completion. One that came before the call counts only if the caller looks again. */
  onCompletion(wake: () => void): void {
    Atomics.store(this.header, IS_ARMED, 1);
    const wait = Atomics.waitAsync(this.header, IS_ARMED, 1);
    if (wait.async) void wait.value.then(wake);
    else queueMicrotask(wake);
  }

  /**
   * Resolves when the thread takes jobs, or was released. While it loads native code it must not be ended: an addon that
   * meets the termination there aborts the whole process. Does not keep the process alive.
   */
  async started(): Promise<void> {
    await Atomics.waitAsync(this.header, HAS_STARTED, 0).value;
  }

  /** The same for a process that exits, in which no promise resolves any more. @param limitMs it waits no longer */
  waitUntilStarted(limitMs: number): void {
    Atomics.wait(this.header, HAS_STARTED, 0, limitMs);
  }

  get hasStarted(): boolean {
    return Atomics.load(this.header, HAS_STARTED) === 1;
  }

  /** Lets go of who waits for what never comes: the thread is gone. */
  release(): void {
    this.start();
    this.wakeDevice();
  }

  /** The thread's side: it takes jobs from here on. */
  start(): void {
    Atomics.store(this.header, HAS_STARTED, 1);
    Atomics.notify(this.header, HAS_STARTED);
  }

  /** The thread's side: sleeps until a job is there. @param receive takes the job that came by message */
  nextJob(receive: () => EngineJob): EngineJob {
    if (!this.hasJob()) this.poll();
    while (!this.hasJob()) {
      Atomics.store(this.header, IS_ASLEEP, 1);
      Atomics.wait(this.header, SUBMITTED, this.next);
      Atomics.store(this.header, IS_ASLEEP, 0);
    }
    return this.readJob(this.slotOf(this.next)) ?? receive();
  }

  /** The thread's side: of the job that `nextJob` returned last. */
  complete(result: EngineResult): void {
    this.writeResult(this.slotOf(this.next) + RESULT, result);
    this.next = (this.next + 1) | 0;
    Atomics.store(this.header, COMPLETED, this.next);
    this.heldUs += result.busyUs;
    if (this.heldUs <= HOLD_US && this.isAnotherNear()) return;
    this.heldUs = 0;
    this.wakeDevice();
  }

  /** Whether the next job, which is not the last, takes no longer than the one before it. */
  private isAnotherNear(): boolean {
    const left = (Atomics.load(this.header, SUBMITTED) - this.next) | 0;
    if (left <= LEFT_AT_WAKE) return false;
    const { words } = this;
    const [last, next] = [this.slotOf(this.next - 1), this.slotOf(this.next)];
    return (
      words[next] === words[last] &&
      words[next + 2] === words[last + 2] &&
      this.bytesAt(next) <= this.bytesAt(last)
    );
  }

  /** Of the job's buffers. */
  private bytesAt(at: number): number {
    const { words } = this;
    const pieces = (words[at + 11] ?? 0) + (words[at + 12] ?? 0);
    let sum = 0;
    for (let i = 0; i < pieces; i++) sum += words[at + JOB_EXTENTS + i * EXTENT_WORDS + 1] ?? 0;
    return sum;
  }

  private wakeDevice(): void {
    if (Atomics.compareExchange(this.header, IS_ARMED, 1, 0) === 1) Atomics.notify(this.header, IS_ARMED);
  }

  private hasJob(): boolean {
    return Atomics.load(this.header, SUBMITTED) !== this.next;
  }

  private poll(): void {
    for (const until = performance.now() + POLL_MS; performance.now() < until; )
      for (let i = 0; i < 64; i++) if (this.hasJob()) return;
  }

  private slotOf(count: number): number {
    return (count & (RING_SLOTS - 1)) * SLOT_WORDS;
  }

  /** @returns false if the job has more pieces than a slot takes */
  private writeJob(at: number, job: EngineJob): boolean {
    const { words } = this;
    const { source, destination, context } = job;
    if (source.length + destination.length + context.length > MAX_EXTENTS) {
      words[at] = BY_MESSAGE;
      return false;
    }
    words[at] = OPERATIONS.indexOf(job.operation);
    words[at + 1] = CHECKSUMS.indexOf(job.checksum);
    words[at + 2] = job.level;
    words[at + 3] = job.windowBytes;
    words[at + 4] = (job.isFinal ? 1 : 0) | (job.isStateful ? 2 : 0) | (job.isStreamNew ? 4 : 0);
    words[at + 5] = job.ctxDw0;
    words[at + 6] = job.ctxDw1;
    words[at + 7] = job.ctxDw2;
    words[at + 8] = job.checksumIn;
    words[at + 9] = job.isizeIn;
    words[at + 10] = INJECTED.indexOf(job.injected);
    words[at + 11] = source.length;
    words[at + 12] = destination.length;
    words[at + 13] = context.length;
    let end = at + JOB_EXTENTS;
    for (const extents of [source, destination, context])
      for (const { address, bytes, pid } of extents) {
        words[end] = address;
        words[end + 1] = bytes;
        words[end + 2] = pid ?? 0; // no process that a queue belongs to has number 0
        end += EXTENT_WORDS;
      }
    return true;
  }

  private readJob(at: number): EngineJob | undefined {
    const word = (index: number): number => this.words[at + index] ?? 0;
    if (word(0) === BY_MESSAGE) return undefined;
    let next = JOB_EXTENTS;
    const extents = (count: number): Extent[] => {
      const list: Extent[] = [];
      for (let i = 0; i < count; i++, next += EXTENT_WORDS) {
        const [address, bytes, pid] = [physAddr(word(next)), word(next + 1), word(next + 2)];
        list.push(pid === 0 ? { address, bytes } : { address, bytes, pid });
      }
      return list;
    };
    const injected = INJECTED[word(10)];
    return {
      operation: nth(OPERATIONS, word(0)),
      checksum: nth(CHECKSUMS, word(1)),
      level: word(2),
      windowBytes: word(3),
      isFinal: (word(4) & 1) !== 0,
      isStateful: (word(4) & 2) !== 0,
      isStreamNew: (word(4) & 4) !== 0,
      ctxDw0: word(5),
      ctxDw1: word(6),
      ctxDw2: word(7),
      checksumIn: word(8),
      isizeIn: word(9),
      source: extents(word(11)),
      destination: extents(word(12)),
      context: extents(word(13)),
      ...(injected ? { injected } : {}),
    };
  }

  private writeResult(at: number, result: EngineResult): void {
    const { words } = this;
    const { fault } = result;
    words[at] = result.status;
    words[at + 1] = result.isLastBlock ? 1 : 0;
    words[at + 2] = result.consumed;
    words[at + 3] = result.produced;
    words[at + 4] = result.checksum;
    words[at + 5] = result.isize;
    words[at + 6] = result.ctxDw0;
    words[at + 7] = result.ctxDw1;
    words[at + 8] = result.ctxDw2;
    words[at + 9] = CORE_NAMES.indexOf(result.core);
    words[at + 10] = result.busyUs;
    words[at + 11] = fault ? PARTS.indexOf(fault.part) : -1;
    words[at + 12] = fault?.offset ?? 0;
    words[at + 13] = fault ? ACCESSES.indexOf(fault.access) : -1;
  }

  private readResult(at: number): EngineResult {
    const word = (index: number): number => this.words[at + index] ?? 0;
    const part = PARTS[word(11)];
    return {
      status: word(0),
      isLastBlock: word(1) === 1,
      consumed: word(2),
      produced: word(3),
      checksum: word(4),
      isize: word(5),
      ctxDw0: word(6),
      ctxDw1: word(7),
      ctxDw2: word(8),
      core: nth<CoreName>(CORE_NAMES, word(9)),
      busyUs: word(10),
      ...(part ? { fault: { part, offset: word(12), access: nth(ACCESSES, word(13)) } } : {}),
    };
  }
}
