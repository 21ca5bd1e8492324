import type { IncomingMessage, ServerResponse } from 'node:http';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CompressOptions } from '../codec/codec.ts';
import { headerRefusal } from '../ops/header-count.ts';
import type { Lifecycle } from '../ops/lifecycle.ts';
import { requestId } from '../ops/request-id.ts';
import { answerOptions } from './cors.ts';
import { Exchange, type ExchangeDeps } from './exchange.ts';
import { IdentityStream } from './identity-stream.ts';
import { logRefusal, refuse } from './refuse.ts';
import { RequestBatch } from './request-batch.ts';
import { SmallBody } from './small-body.ts';
import { type Limits, type StreamRequest, StreamRequests } from './stream-request.ts';
import { type ProductStream, Transfer } from './transfer.ts';

export interface ProductDeps extends ExchangeDeps {
  lifecycle: Lifecycle;
  limits: Limits & { maxHeaders: number };
}

/** PUT besides POST, because that is what `curl -T` sends. */
export const PRODUCT_METHODS = ['POST', 'PUT', 'OPTIONS'];

/** The two streaming routes. They come before Express because its dispatch costs more than a small job. */
export class Products {
  private readonly requests: StreamRequests;
  private readonly batch = new RequestBatch();
  constructor(private readonly deps: ProductDeps) {
    this.requests = new StreamRequests(deps.counters, deps.limits);
  }

  /** False if the URL is not one of a streaming route; then nothing was done. */
  handle(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): boolean {
    let request: StreamRequest | undefined;
    let error: unknown;
    try {
      request = this.requests.of(req.url ?? '', req.headers);
      if (request === undefined) return false;
    } catch (cause) {
      error = cause;
    }
    const refused = this.refusal(req) ?? error;
    if (req.method === 'OPTIONS' && refused === undefined) {
      answerOptions(
        req,
        res,
        PRODUCT_METHODS,
        requestId(req.headers['x-request-id'], this.deps.jobs.newId()),
      );
      this.deps.counters.route(pathOf(req)).ended('OPTIONS', 204, 0);
      return true;
    }
    if (request === undefined) {
      this.refuseUnread(req, res, refused);
      return true;
    }
    const exchange = new Exchange(this.deps, request, req, res);
    if (refused !== undefined) exchange.refuse(refused);
    else this.run(exchange, expectsContinue);
    return true;
  }

  /** A request of which not even the parameters could be read has no job record. */
  private refuseUnread(req: IncomingMessage, res: ServerResponse, error: unknown): void {
    const { jobs, clock, counters, log } = this.deps;
    const reqId = requestId(req.headers['x-request-id'], jobs.newId());
    const status = refuse(req, res, error, reqId, clock);
    counters.route(pathOf(req)).ended(req.method ?? '', status, 0);
    logRefusal(log, error, status, { reqId });
  }

  private run(exchange: Exchange, expectsContinue: boolean): void {
    const { res } = exchange;
    let body: { fail(error: unknown): void } | undefined;
    try {
      exchange.begin(() => body?.fail(overTime(this.deps.maxTimeMs)));
      const small = this.smallOptions(exchange);
      if (small !== undefined) {
        if (expectsContinue) res.writeContinue();
        body = new SmallBody(exchange, small, this.batch);
        return;
      }
      const transfer = new Transfer(exchange, this.open(exchange.request));
      body = transfer;
      if (expectsContinue) res.writeContinue();
      transfer.start();
    } catch (error) {
      exchange.refuse(error);
    }
  }

  /** Set for a compression whose body may fit one job, and which need not come out before it is whole. */
  private smallOptions({ request, req }: Exchange): CompressOptions | undefined {
    if (request.op !== 'compress' || request.flushes) return undefined;
    const length = req.headers['content-length'];
    return length === undefined || Number(length) <= this.deps.codec.oneShotBytes
      ? request.options
      : undefined;
  }

  private open(request: StreamRequest): ProductStream {
    switch (request.op) {
      case 'compress':
        return this.deps.codec.compressStream(request.options);
      case 'decompress':
        return this.deps.codec.decompressStream(request.options);
      case 'identity':
        return new IdentityStream(request.maxInputBytes);
    }
  }

  /** The checks that need no byte of the body, cheapest and most general first. */
  private refusal(req: IncomingMessage): WarpDriveError | undefined {
    const { headers, method = '' } = req;
    const { access, lifecycle, limits } = this.deps;
    const forbidden = access.refusal(headers.host, headers.origin);
    if (forbidden !== undefined) return forbidden;
    const tooMany = headerRefusal(req, limits.maxHeaders);
    if (tooMany !== undefined) return tooMany;
    if (method === 'OPTIONS') return undefined;
    const denied = access.tokenRefusal(headers.authorization, req.socket.remoteAddress, true);
    if (denied !== undefined) return denied;
    if (!PRODUCT_METHODS.includes(method))
      return new WarpDriveError('WD_E_METHOD', `${method} is not allowed here`, { allow: PRODUCT_METHODS });
    if (lifecycle.draining) return new WarpDriveError('WD_E_DRAINING', 'the service is shutting down');
    const length = Number(headers['content-length'] ?? 0);
    if (limits.maxInput > 0 && length > limits.maxInput)
      return new WarpDriveError('WD_E_LIMIT_INPUT', `${length} bytes announced, ${limits.maxInput} allowed`, {
        limitBytes: limits.maxInput,
        measured: 'input',
      });
    return undefined;
  }
}

function overTime(limitMs: number): WarpDriveError {
  return new WarpDriveError('WD_E_LIMIT_TIME', `the request took longer than ${limitMs} ms`, {
    limitMs,
    measured: 'time',
  });
}

const pathOf = (req: IncomingMessage): string => (req.url ?? '').split('?', 1)[0] ?? '';
