import { randomBytes } from 'node:crypto';
import { JOB_RECORD_MS, type JobRecord } from '../../../shared/src/job.ts';
import type { Clock } from '../platform/clock.ts';

/** Ended jobs that are remembered; the oldest give way. */
export const MAX_JOB_RECORDS = 4096;

/** A job that runs: its record is made when somebody asks. */
export interface RunningJob {
  record(): JobRecord;
}

/** What /v1/jobs/:id answers: jobs that run, and those that ended within the last minute. */
export class JobRecords {
  private readonly prefix = `${randomBytes(9).toString('base64url')}-`;
  private lastNumber = 0;
  private readonly running = new Map<string, RunningJob>();
  /** In order of their end, since that is the order of insertion. */
  private readonly ended = new Map<string, { record: JobRecord; untilUs: number }>();

  constructor(private readonly clock: Clock) {}

  /** A new id: a random part of this process and a count. */
  newId(): string {
    return this.prefix + (++this.lastNumber).toString(36);
  }

  started(id: string, job: RunningJob): void {
    this.running.set(id, job);
  }

  finished(record: JobRecord): void {
    this.running.delete(record.id);
    this.ended.set(record.id, { record, untilUs: this.clock.monotonicUs() + JOB_RECORD_MS * 1000 });
    if (this.ended.size <= MAX_JOB_RECORDS) return;
    for (const id of this.ended.keys()) {
      this.ended.delete(id);
      break;
    }
  }

  find(id: string): JobRecord | undefined {
    const running = this.running.get(id);
    if (running !== undefined) return running.record();
    const ended = this.ended.get(id);
    if (ended === undefined || ended.untilUs > this.clock.monotonicUs()) return ended?.record;
    this.ended.delete(id);
    return undefined;
  }
}
