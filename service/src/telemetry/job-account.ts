import type { JobRecord } from '../../../shared/src/job.ts';
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
import type { JobRecords, RunningJob } from './job-records.ts';

/** What a job ended with; as a codec's result, but `none` where no engine core touched the bytes. */
export interface JobResult {
  bytesIn: number;
  bytesOut: number;
  crc32: number;
  core: CoreName | 'none';
  fallbackReason?: string;
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

/** One compression or decompression in the counters, the durations and the records. Ends once, in one of three ways. */
export class JobAccount implements RunningJob {
  readonly id: string;
  /** The client's own id for the request, or the job's. */
  requestId: string;
  /** From the request's `traceparent`. */
  trace: { traceId: string; spanId: string } | undefined;
  bytesIn = 0;
  bytesOut = 0;
  private readonly startedUs: number;

  constructor(
    private readonly deps: JobAccountDeps,
    private readonly subject: JobSubject,
    private readonly method: string,
  ) {
    this.startedUs = deps.clock.monotonicUs();
    this.id = deps.jobs.newId();
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

  done({ bytesIn, bytesOut, crc32, core, fallbackReason }: JobResult): void {
    if (fallbackReason !== undefined) this.deps.counters.fellBack(fallbackReason);
    this.end({
      ...this.record(),
      state: 'done',
      status: STATUS_OK,
      bytesIn,
      bytesOut,
      crc32: crcText(crc32),
      core,
      ...(fallbackReason === undefined ? {} : { fallbackReason }),
    });
  }

  failed(error: unknown): void {
    const { code, detail, status } = problemOf(error);
    this.end({ ...this.record(), state: 'failed', status, problem: { code, detail } });
  }

  aborted(): void {
    this.end({ ...this.record(), state: 'aborted', status: STATUS_CLIENT_LEFT });
  }

  record(): JobRecord {
    const { subject, deps, trace } = this;
    const durationMs = Math.round((deps.clock.monotonicUs() - this.startedUs) / 1000);
    return {
      id: this.id,
      requestId: this.requestId,
      ...(trace === undefined ? {} : { traceId: trace.traceId }),
      op: subject.op,
      format: subject.format,
      ...(subject.level === undefined ? {} : { level: subject.level }),
      state: 'running',
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      startedAtMs: deps.clock.wallMs() - durationMs,
      durationMs,
    };
  }

  /** How log lines name the job. */
  names(): object {
    return { reqId: this.requestId, job: this.id, ...this.trace };
  }

  private end(record: JobRecord): void {
    const { route, jobs } = this.subject;
    const { status = 0 } = record;
    const seconds = (this.deps.clock.monotonicUs() - this.startedUs) / US_PER_S;
    route.ended(this.method, status, seconds);
    jobs.ended(outcomeOf(status), seconds);
    this.deps.jobs.finished(record);
  }
}

/** Eight hex digits. */
export const crcText = (crc32: number): string => (crc32 >>> 0).toString(16).padStart(8, '0');
