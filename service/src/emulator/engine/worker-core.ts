import { Worker } from 'node:worker_threads';
import type { CoreName } from '../../../../shared/src/telemetry.ts';
import { STATUS } from '../../hw-abi/zip-sqe.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { CoreRing, RING_SLOTS } from './core-ring.ts';
import { type CoreRanges, totalBytes } from './dma.ts';
import { type EngineJob, type EngineResult, failedResult } from './job.ts';
import { awaitAtExit } from './starting-threads.ts';

export interface CoreWorkerData {
  memory: WebAssembly.Memory;
  core: CoreName;
  ranges: CoreRanges;
  module: WebAssembly.Module;
  /** Of the small jobs for which the thread stands aside; absent: there are none. */
  smallJobs?: SharedArrayBuffer;
}
/** What the thread itself gets. */
export interface CoreThreadData extends CoreWorkerData {
  ring: SharedArrayBuffer;
}

type Done = (result: EngineResult) => void;

interface RunningJob {
  readonly job: EngineJob;
  readonly bytes: number;
  readonly done: Done;
}

/**
 * A core holds a job that runs and one that waits, and more while they are small: so that it never idles until the
 * device's thread, which may be at a job of its own, brings the next. What waits at a core is not arbitrated any more.
 */
const JOBS_HELD = 2;
const BYTES_HELD = 512 * 1024;

/** A job that takes longer has hung its core: 8 MiB at level 9 take about a second. */
export const JOB_LIMIT_MS = 15_000;
/** At the latest after this the completions are taken that a thread held when a job hung it. */
const LOOK_MS = 100;
/** A thread that dies this often before it finished a single job is not started again. */
const MAX_FAILED_STARTS = 3;

/**
 * The device's side of an engine core in a worker thread. A thread that dies, or hangs and is therefore ended, fails
 * its jobs and is replaced; what it was writing cannot go on afterwards.
 */
export class WorkerCore {
  readonly where = 'worker';
  jobs = 0;
  busyUs = 0;
  /** Called when a completion woke this thread: other cores may hold theirs. */
  onWoken = (): void => this.collect();
  /** Started by the first job: a service of small bodies never needs it. */
  private worker: Worker | undefined;
  private ring = new CoreRing();
  /** In the order in which the thread takes them. */
  private readonly running: RunningJob[] = [];
  private bytesHeld = 0;
  /** A completion wakes this thread. */
  private isArmed = false;
  /** When the job that runs can have begun at the latest. */
  private headSinceUs = 0;
  private isDisposed = false;
  private failedStarts = 0;
  private cancelLimit: (() => void) | undefined;

  constructor(
    readonly id: number,
    private readonly data: CoreWorkerData,
    private readonly log: Log,
    private readonly clock: Clock = systemClock,
    private readonly jobLimitMs = JOB_LIMIT_MS,
  ) {}

  get name(): CoreName {
    return this.data.core;
  }

  get load(): number {
    return this.running.length;
  }

  get hasRoom(): boolean {
    const { length } = this.running;
    return length < JOBS_HELD || (length < RING_SLOTS && this.bytesHeld < BYTES_HELD);
  }

  run(job: EngineJob, done: Done): void {
    if (this.failedStarts >= MAX_FAILED_STARTS) {
      done(failedResult(job, STATUS.coreFailure, this.name));
      return;
    }
    const bytes = totalBytes(job.source) + totalBytes(job.destination);
    this.running.push({ job, bytes, done });
    this.bytesHeld += bytes;
    const worker = this.worker ?? this.spawn();
    if (this.running.length === 1) {
      this.headSinceUs = this.clock.monotonicUs();
      worker.ref(); // a process that waits for a job must not end
    }
    if (!this.cancelLimit) this.watch();
    if (!this.isArmed) this.arm(); // first: a job that is done before the arming would wake nobody
    this.ring.submit(job, (large) => worker.postMessage(large));
  }

  /** Takes what the thread has finished. Whoever looks for room calls it too: many completions cost one wake-up. */
  collect(): void {
    if (this.running.length === 0 || this.isDisposed) return;
    for (let result = this.ring.takeResult(); result; result = this.ring.takeResult()) {
      const entry = this.running.shift();
      this.headSinceUs = this.clock.monotonicUs();
      this.bytesHeld -= entry?.bytes ?? 0;
      if (this.running.length === 0) this.worker?.unref();
      this.count(result);
      entry?.done(result);
    }
  }

  /** After a controller reset: a core that was given up gets a thread again. */
  revive(): void {
    this.failedStarts = 0;
  }

  async dispose(): Promise<void> {
    this.isDisposed = true; // from here on no unref: it would let the event loop end before `terminate` is done
    this.cancelLimit?.();
    this.worker?.ref();
    if (this.worker) await this.ring.started();
    await this.worker?.terminate();
    this.running.length = 0;
  }

  private arm(): void {
    const { ring } = this;
    this.isArmed = true;
    ring.onCompletion(() => {
      if (ring !== this.ring) return;
      this.isArmed = false;
      this.onWoken();
      if (this.running.length === 0 || this.isDisposed) return;
      if (!this.isArmed) this.arm();
      this.collect(); // what came between the look and the arming woke nobody
    });
  }

  /** Jobs run one at a time, so the limit starts anew with each. */
  private watch(ms = this.jobLimitMs): void {
    this.cancelLimit = this.clock.after(Math.min(ms, LOOK_MS), () => {
      this.cancelLimit = undefined;
      this.collect();
      if (this.running.length === 0) return;
      if (!this.ring.hasStarted) this.headSinceUs = this.clock.monotonicUs(); // a start on a crowded machine is no hang
      const leftMs = this.jobLimitMs - (this.clock.monotonicUs() - this.headSinceUs) / 1000;
      if (leftMs > 0) {
        this.watch(leftMs);
        return;
      }
      this.log.error({ core: this.id, limitMs: this.jobLimitMs }, 'engine core hangs, ending its thread');
      void this.worker?.terminate();
    });
  }

  private spawn(): Worker {
    const workerData: CoreThreadData = { ...this.data, ring: this.ring.buffer };
    const worker = new Worker(new URL('./core-worker.js', import.meta.url), { workerData });
    awaitAtExit(this.ring);
    this.worker = worker;
    worker.unref();
    worker.on('error', (error) => this.log.error({ core: this.id, err: error }, 'engine core died'));
    const { ring } = this;
    worker.on('exit', () => {
      ring.release();
      if (!this.isDisposed) this.replace();
    });
    return worker;
  }

  private count(result: EngineResult): void {
    this.failedStarts = 0;
    this.jobs++;
    this.busyUs += result.busyUs;
  }

  /** The thread is gone: what it had finished counts, the rest is lost. */
  private replace(): void {
    this.cancelLimit?.();
    this.cancelLimit = undefined;
    const { ring } = this;
    const jobs = this.running.splice(0);
    this.worker = undefined;
    this.ring = new CoreRing();
    this.isArmed = false;
    this.bytesHeld = 0;
    const results: EngineResult[] = [];
    for (let result = ring.takeResult(); result; result = ring.takeResult()) {
      this.count(result);
      results.push(result);
    }
    if (++this.failedStarts >= MAX_FAILED_STARTS)
      this.log.error({ core: this.id }, 'engine core does not start; its jobs fail from here on');
    for (const [i, { job, done }] of jobs.entries())
      done(results[i] ?? failedResult(job, STATUS.coreFailure, this.name));
  }
}
