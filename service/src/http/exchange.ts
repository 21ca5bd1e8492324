import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Codec } from '../codec/codec.ts';
import type { Access } from '../ops/access.ts';
import { requestId } from '../ops/request-id.ts';
import type { StreamSlots } from '../ops/stream-slots.ts';
import { traceParent } from '../ops/trace-parent.ts';
import type { Log } from '../platform/log.ts';
import { JobAccount, type JobAccountDeps, type JobResult } from '../telemetry/job-account.ts';
import { crcText } from '../telemetry/job-records.ts';
import { corsFields } from './cors.ts';
import { sendInOneWrite } from './one-write.ts';
import { logged, logRefusal, refuse } from './refuse.ts';
import type { StreamRequest } from './stream-request.ts';

export interface ExchangeDeps extends JobAccountDeps {
  codec: Codec;
  slots: StreamSlots;
  access: Access;
  log: Log;
  /** Milliseconds that a client may neither send nor read. */
  idleMs: number;
  /** Milliseconds that a request may take; 0 is no limit. */
  maxTimeMs: number;
}

const STRING_BODY_BYTES = 8192;

/** The lines from the core's to the job's id: fewer pieces make a head faster. */
const CORE_LINE = {
  isal: 'Wd-Core: isal\r\nWd-Job: ',
  wasm: 'Wd-Core: wasm\r\nWd-Job: ',
  zlib: 'Wd-Core: zlib\r\nWd-Job: ',
  none: 'Wd-Core: none\r\nWd-Job: ',
} as const satisfies Record<JobResult['core'], string>;

/** One request of a streaming route and its answer: header fields, account, refusal. Ends once. */
export class Exchange {
  readonly account: JobAccount;
  private releaseSlot: (() => void) | undefined;
  private cancelDeadline: (() => void) | undefined;

  constructor(
    readonly deps: ExchangeDeps,
    readonly request: StreamRequest,
    readonly req: IncomingMessage,
    readonly res: ServerResponse,
  ) {
    this.account = new JobAccount(deps, request.subject, req.method ?? '');
    this.account.requestId = requestId(req.headers['x-request-id'], this.account.id);
    this.account.trace = traceParent(req.headers['traceparent']);
  }

  /**
   * Takes a slot, which the end of the exchange gives back.
   * @param onDeadline is called when the request is over its time
   * @throws WD_E_LIMIT_STREAMS, WD_E_LIMIT_CLIENT
   */
  begin(onDeadline: () => void): void {
    const { slots, clock, maxTimeMs } = this.deps;
    this.releaseSlot = slots.acquire(this.req.socket.remoteAddress);
    if (maxTimeMs > 0) this.cancelDeadline = clock.after(maxTimeMs, onDeadline);
  }

  /** Header fields known before the first byte, as the flat list that `writeHead` takes without a copy. */
  fields(core: string): string[] {
    const { request, req, account } = this;
    const fields = [...request.fields, 'Wd-Core', core];
    fields.push('Wd-Job', account.id, 'X-Request-Id', account.requestId);
    if (req.headers.origin !== undefined) fields.push(...corsFields(req.headers.origin));
    return fields;
  }

  /** The whole product in one answer with its length. */
  sendWhole(body: Uint8Array, result: JobResult): void {
    if (body.length > STRING_BODY_BYTES || !this.sendSmall(body, result)) {
      const fields = this.fields(result.core);
      fields.push('Content-Length', String(body.length), ...resultFields(result));
      this.res.writeHead(200, fields).end(body);
    }
    this.account.gave(body.length);
    this.succeed(result);
  }

  /** Where no field is out of the ordinary. Their list and its lines, made one by one, would cost as much as the answer. */
  private sendSmall(body: Uint8Array, result: JobResult): boolean {
    const { request, req, res, account } = this;
    const { bytesIn, bytesOut, crc32, core, fallbackReason, retries } = result;
    if (req.headers.origin !== undefined || fallbackReason !== undefined || retries !== undefined)
      return false;
    const firstLines =
      `${request.head}${CORE_LINE[core]}${account.id}\r\nX-Request-Id: ${account.requestId}\r\n` +
      `Content-Length: ${body.length}\r\nWd-Input-Bytes: ${bytesIn}\r\nWd-Output-Bytes: ${bytesOut}\r\n` +
      `Wd-Crc32: ${crcText(crc32)}\r\n`;
    return sendInOneWrite(res, firstLines, body, this.deps.clock.wallMs());
  }

  succeed(result: JobResult): void {
    this.release();
    this.account.done(result);
    if (this.deps.log.isLevelEnabled?.('debug') === false) return;
    const { bytesIn, bytesOut } = result;
    this.deps.log.debug({ ...this.account.names(), bytesIn, bytesOut }, 'done');
  }

  /** A problem document; only before anything was sent. */
  refuse(error: unknown): void {
    this.release();
    const { account, deps } = this;
    const status = refuse(this.req, this.res, error, account.requestId, deps.clock, ['Wd-Job', account.id]);
    account.failed(error);
    logRefusal(deps.log, error, status, account.names());
  }

  /** The answer had begun: it is never finished, so that nobody takes the half for the whole. */
  breakOff(error: unknown): void {
    this.release();
    const { bytesIn, bytesOut } = this.account;
    this.deps.log.warn(
      { ...this.account.names(), bytesIn, bytesOut, ...logged(error) },
      'response broken off',
    );
    this.account.failed(error);
    // HTTP/1.0 has no framing that could stay unfinished: only a reset tells the client
    if (this.req.httpVersionMinor === 0) this.res.socket?.resetAndDestroy();
    else this.res.destroy();
  }

  clientLeft(): void {
    this.release();
    const { bytesIn, bytesOut } = this.account;
    this.deps.log.info({ ...this.account.names(), bytesIn, bytesOut }, 'client left');
    this.account.aborted();
  }

  private release(): void {
    this.cancelDeadline?.();
    this.releaseSlot?.();
    this.releaseSlot = undefined;
  }
}

/** What a finished job knows of itself; header fields of a whole answer, trailers of a streamed one. */
export function resultFields(result: JobResult): string[] {
  const fields = ['Wd-Input-Bytes', String(result.bytesIn), 'Wd-Output-Bytes', String(result.bytesOut)];
  fields.push('Wd-Crc32', crcText(result.crc32));
  if (result.retries !== undefined) fields.push('Wd-Retries', String(result.retries));
  if (result.fallbackReason !== undefined) fields.push('Wd-Fallback-Reason', result.fallbackReason);
  return fields;
}
