import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JobRecord } from '../../../shared/src/job.ts';
import { problemOf, WarpDriveError } from '../../../shared/src/problem.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { Codec, StreamResult } from '../codec/codec.ts';
import type { Access } from '../ops/access.ts';
import type { StreamSlots } from '../ops/stream-slots.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type Counters, outcomeOf } from '../telemetry/counters.ts';
import type { JobRecords, RunningJob } from '../telemetry/job-records.ts';
import { corsFields } from './cors.ts';
import { refuse } from './refuse.ts';
import { requestId } from './request-id.ts';
import type { StreamRequest } from './stream-request.ts';
import { traceParent } from './trace-parent.ts';

export interface ExchangeDeps {
  codec: Codec;
  counters: Counters;
  jobs: JobRecords;
  slots: StreamSlots;
  access: Access;
  clock: Clock;
  log: Log;
  /** Milliseconds that a client may neither send nor read. */
  idleMs: number;
  /** Milliseconds that a request may take; 0 is no limit. */
  maxTimeMs: number;
}

/** The result of a stream; `none` where no engine core touched the bytes. */
export type ProductResult = Omit<StreamResult, 'core'> & { core: CoreName | 'none' };

export const STATUS_CLIENT_LEFT = 499;
const US_PER_S = 1e6;

/** One request of a streaming route and its answer: header fields, accounts, record, refusal. */
export class Exchange implements RunningJob {
  readonly job: string;
  /** The request's id: the client's own, or the job's. */
  readonly id: string;
  bytesIn = 0;
  bytesOut = 0;
  private readonly startedUs: number;
  private releaseSlot: (() => void) | undefined;
  private cancelDeadline: (() => void) | undefined;

  constructor(
    readonly deps: ExchangeDeps,
    readonly request: StreamRequest,
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
  ) {
    this.startedUs = deps.clock.monotonicUs();
    this.job = deps.jobs.newId();
    this.id = requestId(req.headers['x-request-id'], this.job);
  }

  /**
   * Takes a slot, which the end of the exchange gives back.
   * @param onDeadline is called when the request is over its time
   * @throws WD_E_LIMIT_STREAMS, WD_E_LIMIT_CLIENT
   */
  begin(onDeadline: () => void): void {
    const { slots, jobs, clock, maxTimeMs } = this.deps;
    this.releaseSlot = slots.acquire(this.req.socket.remoteAddress);
    jobs.started(this.job, this);
    if (maxTimeMs > 0) this.cancelDeadline = clock.after(maxTimeMs, onDeadline);
  }

  /** Header fields known before the first byte, as the flat list that `writeHead` takes without a copy. */
  fields(core: string): string[] {
    const { request, req, job, id } = this;
    const fields = [...request.fields, 'Wd-Core', core, 'Wd-Job', job, 'X-Request-Id', id];
    if (req.headers.origin !== undefined) fields.push(...corsFields(req.headers.origin));
    return fields;
  }

  /** The whole product in one answer with its length. */
  sendWhole(body: Uint8Array, result: ProductResult): void {
    const fields = this.fields(result.core);
    fields.push('Content-Length', String(body.length), ...resultFields(result));
    this.res.writeHead(200, fields);
    this.res.end(body);
    this.bytesOut = body.length;
    this.request.jobs.bytesOut += body.length;
    this.succeed(result);
  }

  succeed(result: ProductResult): void {
    if (result.fallbackReason !== undefined) this.deps.counters.fellBack(result.fallbackReason);
    this.end({ ...this.record(), state: 'done', status: 200, ...figuresOf(result) });
    this.deps.log.debug({ ...this.names(), bytesIn: result.bytesIn, bytesOut: result.bytesOut }, 'done');
  }

  /** A problem document; only before anything was sent. */
  refuse(error: unknown): void {
    const status = refuse(this.req, this.res, error, this.id, this.deps.clock, ['Wd-Job', this.job]);
    this.failed(error, status);
    const details = { ...this.names(), status, ...logged(error) };
    if (status >= 500 && status !== 503) this.deps.log.error(details, 'request failed');
    else this.deps.log.debug(details, 'request refused');
  }

  /** The answer had begun: it is never finished, so that nobody takes the half for the whole. */
  breakOff(error: unknown): void {
    const { bytesIn, bytesOut } = this;
    this.deps.log.warn({ ...this.names(), bytesIn, bytesOut, ...logged(error) }, 'response broken off');
    this.failed(error, problemOf(error).status);
    // HTTP/1.0 has no framing that could stay unfinished: only a reset tells the client
    if (this.req.httpVersionMinor === 0) this.res.socket?.resetAndDestroy();
    else this.res.destroy();
  }

  clientLeft(): void {
    const { bytesIn, bytesOut } = this;
    this.deps.log.info({ ...this.names(), bytesIn, bytesOut }, 'client left');
    this.end({ ...this.record(), state: 'aborted', status: STATUS_CLIENT_LEFT });
  }

  /** The record so far. */
  record(): JobRecord {
    const { request, deps, bytesIn, bytesOut } = this;
    const durationMs = Math.round((deps.clock.monotonicUs() - this.startedUs) / 1000);
    const trace = traceParent(this.req.headers['traceparent']);
    return {
      id: this.job,
      requestId: this.id,
      ...(trace === undefined ? {} : { traceId: trace.traceId }),
      op: request.op === 'decompress' ? 'decompress' : 'compress',
      format: request.format,
      ...(request.op === 'compress' ? { level: request.options.level } : {}),
      state: 'running',
      bytesIn,
      bytesOut,
      startedAtMs: deps.clock.wallMs() - durationMs,
      durationMs,
    };
  }

  private failed(error: unknown, status: number): void {
    const { code, detail } = problemOf(error);
    this.end({ ...this.record(), state: 'failed', status, problem: { code, detail } });
  }

  private end(record: JobRecord): void {
    const { route, jobs } = this.request;
    const { status = 0 } = record;
    const seconds = (this.deps.clock.monotonicUs() - this.startedUs) / US_PER_S;
    route.ended(this.req.method ?? '', status, seconds);
    jobs.ended(outcomeOf(status), seconds);
    this.cancelDeadline?.();
    this.releaseSlot?.();
    this.releaseSlot = undefined;
    this.deps.jobs.finished(record);
  }

  private names(): object {
    return { reqId: this.id, job: this.job, ...traceParent(this.req.headers['traceparent']) };
  }
}

/** Eight hex digits. */
const crcText = (crc32: number): string => (crc32 >>> 0).toString(16).padStart(8, '0');

function figuresOf({ bytesIn, bytesOut, crc32, core, fallbackReason }: ProductResult): Partial<JobRecord> {
  const figures = { bytesIn, bytesOut, crc32: crcText(crc32), core };
  return fallbackReason === undefined ? figures : { ...figures, fallbackReason };
}

/** What a finished job knows of itself; header fields of a whole answer, trailers of a streamed one. */
export function resultFields(result: ProductResult): string[] {
  const fields = ['Wd-Input-Bytes', String(result.bytesIn), 'Wd-Output-Bytes', String(result.bytesOut)];
  fields.push('Wd-Crc32', crcText(result.crc32));
  if (result.fallbackReason !== undefined) fields.push('Wd-Fallback-Reason', result.fallbackReason);
  return fields;
}

/** How an error is logged: those of the catalogue by code and sentence, defects with their stack. */
function logged(error: unknown): object {
  return error instanceof WarpDriveError ? { code: error.code, detail: error.message } : { err: error };
}
