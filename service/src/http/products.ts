import type { IncomingMessage, ServerResponse } from 'node:http';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Access } from '../ops/access.ts';
import type { Lifecycle } from '../ops/lifecycle.ts';
import { Exchange, type ExchangeDeps } from './exchange.ts';
import { refuse } from './refuse.ts';
import { requestId } from './request-id.ts';
import { compressSmallBody } from './small-body.ts';
import { type Limits, type StreamRequest, StreamRequests } from './stream-request.ts';
import { Transfer } from './transfer.ts';

export interface ProductDeps extends ExchangeDeps {
  access: Access;
  lifecycle: Lifecycle;
  limits: Limits;
}

/** PUT besides POST, because that is what `curl -T` sends. */
const METHODS = ['POST', 'PUT'];

/** The two streaming routes. They come before Express because its dispatch costs more than a small job. */
export class Products {
  private readonly requests: StreamRequests;
  constructor(private readonly deps: ProductDeps) {
    this.requests = new StreamRequests(deps.counters, deps.limits);
  }

  /** False if the URL is not one of a streaming route; then nothing was done. */
  handle(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): boolean {
    let request: StreamRequest | undefined;
    let error: unknown;
    try {
      request = this.requests.of(req.url ?? '');
      if (request === undefined) return false;
    } catch (cause) {
      error = cause;
    }
    const id = requestId(req.headers['x-request-id']);
    error = this.refusal(req) ?? error;
    if (request === undefined) {
      const status = refuse(req, res, error, id, this.deps.clock);
      this.deps.counters.route(pathOf(req)).ended(req.method ?? '', status, 0);
      return true;
    }
    const exchange = new Exchange(this.deps, request, req, res, id);
    if (error !== undefined) exchange.refuse(error);
    else this.run(exchange, expectsContinue);
    return true;
  }

  private run(exchange: Exchange, expectsContinue: boolean): void {
    const { request, req, res } = exchange;
    const { codec } = this.deps;
    const length = req.headers['content-length'];
    const isSmall =
      request.op === 'compress' && (length === undefined || Number(length) <= codec.oneShotBytes);
    if (isSmall) {
      if (expectsContinue) res.writeContinue();
      compressSmallBody(exchange, request.options);
      return;
    }
    try {
      const stream =
        request.op === 'compress'
          ? codec.compressStream(request.options)
          : codec.decompressStream(request.options);
      if (expectsContinue) res.writeContinue();
      new Transfer(exchange, stream).start();
    } catch (error) {
      exchange.refuse(error);
    }
  }

  /** The checks that need no byte of the body, cheapest and most general first. */
  private refusal(req: IncomingMessage): WarpDriveError | undefined {
    const { headers, method = '' } = req;
    const { access, lifecycle, limits } = this.deps;
    const forbidden = access.refusal(headers.host, headers.origin);
    if (forbidden !== undefined) return forbidden;
    if (!METHODS.includes(method))
      return new WarpDriveError('WD_E_METHOD', `${method} is not allowed here`, { allow: METHODS });
    if (lifecycle.draining) return new WarpDriveError('WD_E_DRAINING', 'the service is shutting down');
    const coding = headers['content-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'identity')
      return new WarpDriveError('WD_E_CODING', `Content-Encoding ${coding} is not supported`, {
        supported: ['identity'],
      });
    const length = Number(headers['content-length'] ?? 0);
    if (limits.maxInput > 0 && length > limits.maxInput)
      return new WarpDriveError('WD_E_LIMIT_INPUT', `${length} bytes announced, ${limits.maxInput} allowed`, {
        limitBytes: limits.maxInput,
        measured: 'input',
      });
    return undefined;
  }
}

const pathOf = (req: IncomingMessage): string => (req.url ?? '').split('?', 1)[0] ?? '';
