import { randomBytes } from 'node:crypto';
import { JOB_RECORD_MS, type JobRecord, type JobState } from '../../../shared/src/job.ts';
import type { Clock } from '../platform/clock.ts';

/** Ended jobs that are remembered; the oldest give way. */
export const MAX_JOB_RECORDS = 4096;
const RADIX = 36;
const US_PER_MS = 1000;

/** A record in parts: what all jobs of a kind share, what each has, and what few have. */
export interface JobFacts {
  id: string;
  subject: Pick<JobRecord, 'op' | 'format' | 'level'>;
  state: JobState;
  /** 0 while it runs. */
  status: number;
  bytesIn: number;
  bytesOut: number;
  startedAtMs: number;
  durationMs: number;
  crc32: number;
  core: JobRecord['core'] | undefined;
  rest: JobRest | undefined;
}

/** Absent where the request had no id of its own, no trace, and ended well. */
export type JobRest = Pick<JobRecord, 'traceId' | 'fallbackReason' | 'problem'> & { requestId?: string };

export interface RunningJob {
  facts(): JobFacts;
}

/** Eight hex digits. */
export const crcText = (crc32: number): string => (crc32 >>> 0).toString(16).padStart(8, '0');

/**
 * What /v1/jobs/:id answers: jobs that run, and those that ended within the last minute. Ended jobs are columns of
 * numbers, because thousands of objects that live for a second cost more to collect than a small job takes.
 */
export class JobRecords {
  private readonly prefix = `${randomBytes(9).toString('base64url')}-`;
  private lastNumber = 0;
  private readonly running = new Map<string, RunningJob>();
  private readonly numbers = new Float64Array(MAX_JOB_RECORDS);
  private readonly untilUs = new Float64Array(MAX_JOB_RECORDS);
  private readonly bytesIn = new Float64Array(MAX_JOB_RECORDS);
  private readonly bytesOut = new Float64Array(MAX_JOB_RECORDS);
  private readonly startedAtMs = new Float64Array(MAX_JOB_RECORDS);
  private readonly durationMs = new Float64Array(MAX_JOB_RECORDS);
  private readonly crc32 = new Uint32Array(MAX_JOB_RECORDS);
  private readonly status = new Uint16Array(MAX_JOB_RECORDS);
  private readonly states = new Array<JobState>(MAX_JOB_RECORDS).fill('done');
  private readonly cores = new Array<JobFacts['core']>(MAX_JOB_RECORDS).fill(undefined);
  private readonly subjects = new Array<JobFacts['subject'] | undefined>(MAX_JOB_RECORDS).fill(undefined);
  private readonly rests = new Array<JobRest | undefined>(MAX_JOB_RECORDS).fill(undefined);

  constructor(private readonly clock: Clock) {}

  /** A new id: a random part of this process and a count. */
  newId(): string {
    return this.idOf(++this.lastNumber);
  }

  started(id: string, job: RunningJob): void {
    this.running.set(id, job);
  }

  /** @param facts are copied */
  finished(facts: JobFacts, nowUs: number): void {
    if (this.running.size > 0) this.running.delete(facts.id); // small bodies are never in it
    const number = this.numberOf(facts.id);
    const at = number % MAX_JOB_RECORDS;
    this.numbers[at] = number;
    this.untilUs[at] = nowUs + JOB_RECORD_MS * US_PER_MS;
    this.bytesIn[at] = facts.bytesIn;
    this.bytesOut[at] = facts.bytesOut;
    this.startedAtMs[at] = facts.startedAtMs;
    this.durationMs[at] = facts.durationMs;
    this.crc32[at] = facts.crc32;
    this.status[at] = facts.status;
    this.states[at] = facts.state;
    this.cores[at] = facts.core;
    this.subjects[at] = facts.subject;
    this.rests[at] = facts.rest;
  }

  find(id: string): JobRecord | undefined {
    const running = this.running.get(id);
    if (running !== undefined) return recordOf(running.facts());
    if (!id.startsWith(this.prefix)) return undefined;
    const number = this.numberOf(id);
    const at = number % MAX_JOB_RECORDS;
    const subject = this.subjects[at];
    const isKept = this.numbers[at] === number && subject !== undefined && id === this.idOf(number);
    if (!isKept || (this.untilUs[at] ?? 0) <= this.clock.monotonicUs()) return undefined;
    return recordOf({
      id,
      subject,
      state: this.states[at] ?? 'done',
      status: this.status[at] ?? 0,
      bytesIn: this.bytesIn[at] ?? 0,
      bytesOut: this.bytesOut[at] ?? 0,
      startedAtMs: this.startedAtMs[at] ?? 0,
      durationMs: this.durationMs[at] ?? 0,
      crc32: this.crc32[at] ?? 0,
      core: this.cores[at],
      rest: this.rests[at],
    });
  }

  private idOf(number: number): string {
    return this.prefix + number.toString(RADIX);
  }

  private numberOf(id: string): number {
    return Number.parseInt(id.slice(this.prefix.length), RADIX);
  }
}

function recordOf({ id, subject, rest, ...facts }: JobFacts): JobRecord {
  const { op, format, level } = subject;
  const { state, status, bytesIn, bytesOut, startedAtMs, durationMs, crc32, core } = facts;
  return {
    id,
    requestId: rest?.requestId ?? id,
    ...(rest?.traceId === undefined ? {} : { traceId: rest.traceId }),
    op,
    format,
    ...(level === undefined ? {} : { level }),
    state,
    ...(status === 0 ? {} : { status }),
    bytesIn,
    bytesOut,
    ...(state === 'done' ? { crc32: crcText(crc32) } : {}),
    ...(state === 'done' && core !== undefined ? { core } : {}),
    ...(rest?.fallbackReason === undefined ? {} : { fallbackReason: rest.fallbackReason }),
    startedAtMs,
    durationMs,
    ...(rest?.problem === undefined ? {} : { problem: rest.problem }),
  };
}
