import type { CoreName } from '../../../../shared/src/telemetry.ts';
import { STATUS } from '../../hw-abi/zip-sqe.ts';
import type { EngineCore } from './engine-core.ts';
import { type EngineJob, type EngineResult, failedResult } from './job.ts';
import { SmallJobs } from './small-jobs.ts';

/**
 * An engine core on the caller's own thread. Because a round trip to a worker costs 80 µs, a small job is finished
 * here before a worker would have heard of it.
 */
export class PolledCore {
  readonly where = 'polled';
  jobs = 0;
  busyUs = 0;
  private isRunning = false;

  constructor(
    readonly id: number,
    readonly name: CoreName,
    private readonly engine: EngineCore,
    private readonly smallJobs = new SmallJobs(),
  ) {}

  /** False only while a job of its own rings a doorbell. */
  get hasRoom(): boolean {
    return !this.isRunning;
  }

  /** Calls `done` before it returns. */
  run(job: EngineJob, done: (result: EngineResult) => void): void {
    this.isRunning = true;
    let result: EngineResult;
    try {
      result = this.engine.run(job);
    } catch {
      result = failedResult(job, STATUS.coreFailure, this.name);
    } finally {
      this.isRunning = false;
    }
    this.jobs++;
    this.smallJobs.add();
    this.busyUs += result.busyUs;
    done(result);
  }
}
