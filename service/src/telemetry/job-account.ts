import type { JobState } from '../../../shared/src/job.ts';
import { problemOf } from '../../../shared/src/problem.ts';
import type { CoreName, Operation } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import {
  type Counters,
  type JobCounters,
  type JobFormat,
  outcomeOf,
  type RouteCounters,
} from './counters.ts';
import type { JobFacts, JobRecords, JobRest, RunningJob } from './job-records.ts';

/** What a job ended with; as a codec's result, but `none` where no engine core touched the bytes. */
export interface JobResult {
  bytesIn: number;
  bytesOut: number;
  crc32: number;
  core: CoreName | 'none';
  fallbackReason?: string;
  /** Jobs that the device failed and was given again; absent if none. */
  retries?: number;
}

/** What is known of a job before its first byte; shared by all that ask for the same. */
export interface JobSubject {
  op: Operation;
  format: JobFormat;
  level?: number;
  route: RouteCounters;
  jobs: JobCounters;
}

export interface JobAccountDeps {
  counters: Counters;
  jobs: JobRecords;
  clock: Clock;
}

export const STATUS_CLIENT_LEFT = 499;
const STATUS_OK = 200;
const US_PER_S = 1e6;
const US_PER_MS = 1000;

/** One compression or decompression in the counters, the durations and the records. Ends once, in one of three ways. */
export class JobAccount implements RunningJob, JobFacts {
  readonly id: string;
  readonly number: number;
  /** The client's own id for the request, or the job's. */
  requestId: string;
  /** From the request's `traceparent`. */
  trace: { traceId: string; spanId: string } | undefined;
  bytesIn = 0;
  bytesOut = 0;
  state: JobState = 'running';
  status = 0;
  crc32 = 0;
  core: JobFacts['core'] = undefined;
  rest: JobRest | undefined;
  durationMs = 0;
  startedAtMs = 0;
  private readonly startedUs: number;

  constructor(
    private readonly deps: JobAccountDeps,
    readonly subject: JobSubject,
    private readonly method: string,
  ) {
    this.startedUs = deps.clock.monotonicUs();
    this.number = deps.jobs.newNumber();
    this.id = deps.jobs.idOf(this.number);
    this.requestId = this.id;
  }

  /** From now on the record can be read. */
  begin(): void {
    this.deps.jobs.started(this.id, this);
  }

  took(bytes: number): void {
    this.bytesIn += bytes;
    this.subject.jobs.bytesIn += bytes;
  }

  gave(bytes: number): void {
    this.bytesOut += bytes;
    this.subject.jobs.bytesOut += bytes;
  }

  done({ bytesIn, bytesOut, crc32, core, fallbackReason, retries }: JobResult): void {
    this.bytesIn = bytesIn;
    this.bytesOut = bytesOut;
    this.crc32 = crc32;
    this.core = core;
    if (retries !== undefined) this.deps.counters.retries += retries;
    if (fallbackReason !== undefined) {
      this.deps.counters.fellBack(fallbackReason);
      this.rest = { fallbackReason };
    }
    this.end('done', STATUS_OK);
  }

  failed(error: unknown): void {
    const { code, detail, status } = problemOf(error);
    this.rest = { problem: { code, detail } };
    this.end('failed', status);
  }

  aborted(): void {
    this.end('aborted', STATUS_CLIENT_LEFT);
  }

  facts(): JobFacts {
    this.measure(this.deps.clock.monotonicUs());
    return this;
  }

  /** How log lines name the job. */
  names(): object {
    return { reqId: this.requestId, job: this.id, ...this.trace };
  }

  private measure(nowUs: number): void {
    this.durationMs = Math.round((nowUs - this.startedUs) / US_PER_MS);
    this.startedAtMs = this.deps.clock.wallMs() - this.durationMs;
    const { id, requestId, trace } = this;
    if (requestId !== id) this.rest = { ...this.rest, requestId };
    if (trace !== undefined) this.rest = { ...this.rest, traceId: trace.traceId };
  }

  private end(state: JobState, status: number): void {
    const { route, jobs } = this.subject;
    const nowUs = this.deps.clock.monotonicUs();
    const seconds = (nowUs - this.startedUs) / US_PER_S;
    this.state = state;
    this.status = status;
    this.measure(nowUs);
    route.ended(this.method, status, seconds);
    jobs.ended(outcomeOf(status), seconds);
    this.deps.jobs.finished(this, nowUs);
  }
}
