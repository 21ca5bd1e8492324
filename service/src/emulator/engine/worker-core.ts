import { Worker } from 'node:worker_threads';
import type { CoreName } from '../../../../shared/src/telemetry.ts';
import { STATUS } from '../../hw-abi/zip-sqe.ts';
import { type Clock, systemClock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { CoreRanges } from './dma.ts';
import { type EngineJob, type EngineResult, failedResult } from './job.ts';

export interface CoreWorkerData {
  memory: WebAssembly.Memory;
  core: CoreName;
  ranges: CoreRanges;
  module: WebAssembly.Module;
}
export interface JobMessage {
  id: number;
  job: EngineJob;
}
export interface ResultMessage {
  id: number;
  result: EngineResult;
}

type Done = (result: EngineResult) => void;

/** Jobs a core may hold: one that runs and one that waits, so that it never idles for the length of a message. */
const JOBS_HELD = 2;

/** A job that takes longer has hung its core: 8 MiB at level 9 take about a second. */
export const JOB_LIMIT_MS = 15_000;
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
  /** Started by the first job: a service of small bodies never needs it. */
  private worker: Worker | undefined;
  private readonly running = new Map<number, { job: EngineJob; done: Done }>();
  private nextId = 0;
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
    return this.running.size;
  }

  get hasRoom(): boolean {
    return this.running.size < JOBS_HELD;
  }

  run(job: EngineJob, done: Done): void {
    if (this.failedStarts >= MAX_FAILED_STARTS) {
      done(failedResult(job, STATUS.coreFailure, this.name));
      return;
    }
    const id = this.nextId++;
    this.running.set(id, { job, done });
    if (!this.cancelLimit) this.watch();
    this.worker ??= this.spawn();
    this.worker.ref(); // a process that waits for a job must not end
    this.worker.postMessage({ id, job } satisfies JobMessage);
  }

  /** After a controller reset: a core that was given up gets a thread again. */
  revive(): void {
    this.failedStarts = 0;
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
    this.cancelLimit?.();
    await this.worker?.terminate();
    this.running.clear();
  }

  /** Jobs run one at a time, so the limit starts anew with each. */
  private watch(): void {
    this.cancelLimit = this.clock.after(this.jobLimitMs, () => {
      this.log.error({ core: this.id, limitMs: this.jobLimitMs }, 'engine core hangs, ending its thread');
      void this.worker?.terminate();
    });
  }

  private spawn(): Worker {
    const worker = new Worker(new URL('./core-worker.js', import.meta.url), { workerData: this.data });
    worker.unref();
    worker.on('message', ({ id, result }: ResultMessage) => {
      if (this.isDisposed) return; // an unref here would let the event loop end before `terminate` is done
      const entry = this.running.get(id);
      this.running.delete(id);
      this.cancelLimit?.();
      this.cancelLimit = undefined;
      if (this.running.size === 0) worker.unref();
      else this.watch();
      this.failedStarts = 0;
      this.jobs++;
      this.busyUs += result.busyUs;
      entry?.done(result);
    });
    worker.on('error', (error) => this.log.error({ core: this.id, err: error }, 'engine core died'));
    worker.on('exit', () => {
      if (this.isDisposed) return;
      this.cancelLimit?.();
      this.cancelLimit = undefined;
      this.failedStarts++;
      this.worker = undefined;
      if (this.failedStarts >= MAX_FAILED_STARTS)
        this.log.error({ core: this.id }, 'engine core does not start; its jobs fail from here on');
      const lost = [...this.running.values()];
      this.running.clear();
      for (const { job, done } of lost) done(failedResult(job, STATUS.coreFailure, this.name));
    });
    return worker;
  }
}
