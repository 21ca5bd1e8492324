import type { Format } from './format.ts';
import type { ProblemCode } from './problem.ts';
import type { CoreName, Operation } from './telemetry.ts';

/** What became of a request or a WebSocket stream. `aborted`: the client left. */
export type JobState = 'running' | 'done' | 'failed' | 'aborted';

/**
 * The record of one compression or decompression at /v1/jobs/:id, kept for a minute after its end, because neither
 * `fetch` nor a WebSocket shows trailers. Sizes are bytes, times milliseconds.
 */
export interface JobRecord {
  /** As in the header field `Wd-Job`. */
  id: string;
  requestId: string;
  /** From the request's `traceparent`. */
  traceId?: string;
  op: Operation;
  /** `identity`: the client accepted no coding, its bytes came back as they were. */
  format: Format | 'auto' | 'identity';
  /** Compression only. */
  level?: number;
  state: JobState;
  /** HTTP status; 499 for a client that left, absent while it runs. */
  status?: number;
  bytesIn: number;
  bytesOut: number;
  /** Of the uncompressed side, eight hex digits; only when done. */
  crc32?: string;
  /** The engine core that made the bytes; `none` if the bytes came back as they were. */
  core?: CoreName | 'none';
  fallbackReason?: string;
  startedAtMs: number;
  durationMs: number;
  /** Why it failed. */
  problem?: { code: ProblemCode; detail: string };
}

/** How long a record is kept after the job's end. */
export const JOB_RECORD_MS = 60_000;
