import { randomBytes } from 'node:crypto';
import { JOB_RECORD_MS, type JobRecord, type JobState } from '../../../shared/src/job.ts';
import type { Clock } from '../platform/clock.ts';

/** Ended jobs that are remembered; the oldest give way. */
export const MAX_JOB_RECORDS = 4096;
const DECIMAL = 10;
const US_PER_MS = 1000;

/** A record in parts: what all jobs of a kind share, what each has, and what few have. */
export interface JobFacts {
  id: string;
  /** The same without its prefix. */
  number: number;
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

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hexOf = (byte: number): string => HEX[byte & 0xff] ?? '';

/** Eight hex digits; from a table, because V8 writes hexadecimal as slowly as a small answer is sent. */
export const crcText = (crc32: number): string =>
  hexOf(crc32 >>> 24) + hexOf(crc32 >>> 16) + hexOf(crc32 >>> 8) + hexOf(crc32);

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

  newNumber(): number {
    return ++this.lastNumber;
  }

  /** A random part of this process and a count; in decimal, which V8 writes several times as fast as any other. */
  idOf(number: number): string {
    return this.prefix + number;
  }

  newId(): string {
    return this.idOf(this.newNumber());
  }

  started(id: string, job: RunningJob): void {
    this.running.set(id, job);
  }

  /** @param facts are copied */
  finished(facts: JobFacts, nowUs: number): void {
    if (this.running.size > 0) this.running.delete(facts.id); // small bodies are never in it
    const { number } = facts;
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
    const number = Number.parseInt(id.slice(this.prefix.length), DECIMAL);
    const at = number % MAX_JOB_RECORDS;
    const subject = this.subjects[at];
    const isKept = this.numbers[at] === number && subject !== undefined && id === this.idOf(number);
    if (!isKept || (this.untilUs[at] ?? 0) <= this.clock.monotonicUs()) return undefined;
    return recordOf({
      id,
      number,
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
