import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { CoalescedFlush } from '../codec/coalesced-flush.ts';
import { limitUnsent } from '../platform/libc.ts';
import type { JobResult } from '../telemetry/job-account.ts';
import { type Exchange, resultFields } from './exchange.ts';
import { pairsOf } from './field-list.ts';

const TRAILERS = 'Wd-Input-Bytes, Wd-Output-Bytes, Wd-Crc32, Wd-Core, Wd-Retries, Wd-Fallback-Reason';

/** Enough for a reader that keeps up to have the next piece while we make the one after. */
const UNSENT_BYTES = 256 * 1024;

/** A codec stream, or one that leaves the bytes as they are. */
export interface ProductStream extends Duplex {
  /** Complete after `end`; before, the figures so far. */
  result(): JobResult;
  flush(callback: (error?: Error | null) => void): void;
  /** Codec streams only: the chunk is read, its memory may become another's. */
  giveBack?(chunk: Uint8Array): void;
}

/**
 * Request body → codec → response with the backpressure of both sockets. `pipeline()` does not fit: on an error it
 * destroys the request and with it the socket that the problem document must go out on. Headers wait for the first
 * output, so that corrupt input is still a 422. All ends free the codec stream: success, failure, abort, timeout.
 */
export class Transfer {
  /** The first output, kept back while the whole input is here: its verdict, end or error, follows at once. */
  private held: Buffer | undefined;
  private over = false;
  /** With flush=sync. */
  private readonly flush: CoalescedFlush | undefined;

  constructor(
    private readonly exchange: Exchange,
    private readonly stream: ProductStream,
  ) {
    const { request } = exchange;
    if (request.op === 'compress' && request.flushes) this.flush = new CoalescedFlush(stream, this.fail);
  }

  start(first: readonly Uint8Array[] = []): void {
    const { req, res, deps, account } = this.exchange;
    account.begin(); // an answer in one piece names the job when it has ended, so nobody can ask before
    deps.counters.activeStreams++;
    limitUnsent(req.socket, UNSENT_BYTES);
    this.stream.on('error', this.fail).on('data', this.onOutput).on('end', this.onEnd);
    this.stream.on('drain', () => req.resume());
    res.on('drain', () => this.stream.resume());
    res.on('error', this.onLeft).on('close', this.onLeft).on('timeout', this.onTimeout);
    req.on('error', this.onLeft).on('end', this.onInputEnd);
    for (const chunk of first) this.onInput(chunk);
    req.on('data', this.onInput);
  }

  /** Ends the exchange with an error: a problem document if nothing was sent, else a broken answer. */
  readonly fail = (error: unknown): void => {
    if (this.over) return;
    this.release();
    if (this.exchange.res.headersSent) this.exchange.breakOff(error);
    else this.exchange.refuse(error);
  };

  private readonly onInput = (chunk: Uint8Array): void => {
    const { account, request, deps } = this.exchange;
    account.took(chunk.length);
    if (request.op === 'compress') deps.counters.softwareCost.offer(chunk, request.options.level);
    if (!this.stream.write(chunk)) this.exchange.req.pause();
    this.flush?.request();
  };

  private readonly onInputEnd = (): void => {
    if (!this.over) this.stream.end();
  };

  private readonly onOutput = (chunk: Buffer): void => {
    if (this.exchange.res.headersSent) {
      this.send(chunk);
    } else if (this.held !== undefined) {
      this.begin();
      this.send(chunk);
    } else {
      this.held = chunk;
      // the end of the request may be in the packet that is being parsed right now
      if (!this.exchange.req.complete) setImmediate(this.beginUnlessComplete);
    }
  };

  private readonly beginUnlessComplete = (): void => {
    if (!this.over && this.held !== undefined && !this.exchange.req.complete) this.begin();
  };

  /** Sends the header fields and what was held. */
  private begin(): void {
    const { req, res } = this.exchange;
    const fields = this.exchange.fields(this.stream.result().core);
    if (req.httpVersionMinor > 0) fields.push('Trailer', TRAILERS);
    res.writeHead(200, fields);
    const { held } = this;
    this.held = undefined;
    if (held !== undefined) this.send(held);
  }

  private send(chunk: Buffer): void {
    this.exchange.account.gave(chunk.length);
    const isTaken = this.exchange.res.write(chunk, (error) => {
      // with an error the kernel may not have it yet
      if (!error) this.stream.giveBack?.(chunk);
    });
    if (!isTaken) this.stream.pause();
  }

  private readonly onEnd = (): void => {
    if (this.over) return;
    const { req, res } = this.exchange;
    const result = this.stream.result();
    this.release();
    if (!res.headersSent) {
      this.exchange.sendWhole(this.held ?? Buffer.alloc(0), result);
      return;
    }
    if (req.httpVersionMinor > 0) res.addTrailers(pairsOf([...resultFields(result), 'Wd-Core', result.core]));
    res.end();
    this.exchange.succeed(result);
  };

  private readonly onLeft = (): void => {
    if (this.over) return;
    this.release();
    this.exchange.clientLeft();
    this.exchange.res.destroy();
  };

  /** The socket was quiet for the idle limit. Whoever is waited for is named; waiting for the engine is no fault. */
  private readonly onTimeout = (socket: Socket): void => {
    if (this.over) return;
    const { req, res, deps } = this.exchange;
    const { idleMs } = deps;
    if (res.writableNeedDrain) this.fail(stalled(idleMs, 'the client does not read while it writes'));
    else if (!req.complete && !req.isPaused())
      this.fail(stalled(idleMs, 'no byte of the request body arrived'));
    else socket.setTimeout(idleMs);
  };

  private release(): void {
    this.over = true;
    const { req, deps } = this.exchange;
    deps.counters.activeStreams--;
    req.off('data', this.onInput);
    this.stream.destroy();
  }
}

function stalled(idleMs: number, what: string): WarpDriveError {
  return new WarpDriveError('WD_E_IDLE', `${what} for ${idleMs} ms`, { idleMs });
}
