import { Worker } from 'node:worker_threads';
import type { CoreName } from '../../../../shared/src/telemetry.ts';
import { STATUS } from '../../hw-abi/zip-sqe.ts';
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

/** The device's side of an engine core in a worker thread. A thread that dies fails its jobs and is replaced. */
export class WorkerCore {
  readonly where = 'worker';
  jobs = 0;
  busyUs = 0;
  private worker: Worker;
  private readonly running = new Map<number, { job: EngineJob; done: Done }>();
  private nextId = 0;
  private isDisposed = false;

  constructor(
    readonly id: number,
    private readonly data: CoreWorkerData,
    private readonly log: Log,
  ) {
    this.worker = this.spawn();
  }

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
    const id = this.nextId++;
    this.running.set(id, { job, done });
    this.worker.ref(); // a process that waits for a job must not end
    this.worker.postMessage({ id, job } satisfies JobMessage);
  }

  async dispose(): Promise<void> {
    this.isDisposed = true;
    await this.worker.terminate();
    this.running.clear();
  }

  private spawn(): Worker {
    const worker = new Worker(new URL('./core-worker.js', import.meta.url), { workerData: this.data });
    worker.unref();
    worker.on('message', ({ id, result }: ResultMessage) => {
      const entry = this.running.get(id);
      this.running.delete(id);
      if (this.running.size === 0) worker.unref();
      this.jobs++;
      this.busyUs += result.busyUs;
      entry?.done(result);
    });
    worker.on('error', (error) => this.log.error({ core: this.id, err: error }, 'engine core died'));
    worker.on('exit', () => {
      if (this.isDisposed) return;
      this.worker = this.spawn();
      const lost = [...this.running.values()];
      this.running.clear();
      for (const { job, done } of lost) done(failedResult(job, STATUS.coreFailure, this.name));
    });
    return worker;
  }
}
