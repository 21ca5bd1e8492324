import type { IncomingMessage, ServerResponse } from 'node:http';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { Codec, StreamResult } from '../codec/codec.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type Counters, outcomeOf } from '../telemetry/counters.ts';
import { refuse } from './refuse.ts';
import type { StreamRequest } from './stream-request.ts';

export interface ExchangeDeps {
  codec: Codec;
  /** The engine core's name, for fields that go out before a job is done. */
  coreName: CoreName;
  counters: Counters;
  clock: Clock;
  log: Log;
  /** Milliseconds that a client may neither send nor read. */
  idleMs: number;
}

export const STATUS_CLIENT_LEFT = 499;
const US_PER_S = 1e6;

/** One request of a streaming route and its answer: header fields, accounts, refusal. */
export class Exchange {
  private readonly startedUs: number;
  constructor(
    readonly deps: ExchangeDeps,
    readonly request: StreamRequest,
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
    readonly id: string,
  ) {
    this.startedUs = deps.clock.monotonicUs();
  }

  /** Header fields known before the first byte, as the flat list that `writeHead` takes without a copy. */
  fields(core: string): string[] {
    const { request, id } = this;
    const fields = ['Content-Type', request.contentType, 'Cache-Control', 'no-store', 'Wd-Core', core];
    if (request.op === 'compress') fields.push('Wd-Level', LEVEL_TEXT[request.options.level] ?? '');
    fields.push('X-Request-Id', id);
    return fields;
  }

  /** The whole product in one answer with its length. */
  sendWhole(body: Uint8Array, result: StreamResult): void {
    const fields = this.fields(result.core);
    fields.push('Content-Length', String(body.length), ...resultFields(result));
    this.res.writeHead(200, fields);
    this.res.end(body);
    this.succeed(result);
  }

  succeed(result: StreamResult): void {
    if (result.fallbackReason !== undefined) this.deps.counters.fellBack(result.fallbackReason);
    this.account(200);
  }

  /** A problem document; only before anything was sent. */
  refuse(error: unknown): void {
    const status = refuse(this.req, this.res, error, this.id, this.deps.clock);
    this.account(status);
    const details = { reqId: this.id, status, ...logged(error) };
    if (status >= 500 && status !== 503) this.deps.log.error(details, 'request failed');
    else this.deps.log.debug(details, 'request refused');
  }

  account(status: number): void {
    const { route, jobs } = this.request;
    const seconds = (this.deps.clock.monotonicUs() - this.startedUs) / US_PER_S;
    route.ended(this.req.method ?? '', status, seconds);
    jobs.ended(outcomeOf(status), seconds);
  }
}

const LEVEL_TEXT: readonly string[] = Array.from({ length: 10 }, (_, level) => String(level));

/** What a finished job knows of itself; header fields of a whole answer, trailers of a streamed one. */
export function resultFields(result: StreamResult): string[] {
  const fields = ['Wd-Input-Bytes', String(result.bytesIn), 'Wd-Output-Bytes', String(result.bytesOut)];
  fields.push('Wd-Crc32', (result.crc32 >>> 0).toString(16).padStart(8, '0'));
  if (result.fallbackReason !== undefined) fields.push('Wd-Fallback-Reason', result.fallbackReason);
  return fields;
}

/** How an error is logged: those of the catalogue by code and sentence, defects with their stack. */
export function logged(error: unknown): object {
  return error instanceof WarpDriveError ? { code: error.code, detail: error.message } : { err: error };
}
