import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CodecStream, CompressOptions, WholeMember } from '../codec/codec.ts';
import type { Exchange } from './exchange.ts';
import type { BatchedRequest, RequestBatch } from './request-batch.ts';
import { Transfer } from './transfer.ts';

/**
 * Compresses a body in one job if it ends within the codec's one-shot size; one that turns out to be longer goes on
 * as a stream. Short on purpose: for a 2 KiB body every listener, closure and copy here is measurable.
 */
export class SmallBody implements BatchedRequest {
  private chunks: Buffer[] = [];
  private bytes = 0;
  private isWhole = false;
  private isOver = false;
  private member: WholeMember | undefined;
  private transfer: Transfer | undefined;
  private stopReading: (() => void) | undefined;

  /** Reads when the batch calls. */
  constructor(
    private readonly exchange: Exchange,
    private readonly options: CompressOptions,
    private readonly batch: RequestBatch,
  ) {
    batch.add(this, Number(exchange.req.headers['content-length'] ?? 0));
  }

  work(): number | undefined {
    if (this.isOver || !(this.isWhole || this.readWhole())) return undefined;
    const { exchange, chunks, bytes, options } = this;
    const { deps, account } = exchange;
    account.took(bytes);
    const [first] = chunks;
    if (first !== undefined) deps.counters.softwareCost.offer(first, options.level);
    let member: WholeMember | Promise<WholeMember>;
    try {
      member = deps.codec.compressOnce(chunks, options);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
    if (member instanceof Promise) {
      member.then(
        (late) => {
          this.member = late;
          this.answer();
        },
        (error: unknown) => this.fail(error),
      );
      return undefined;
    }
    this.member = member;
    return bytes;
  }

  answer(): void {
    const { exchange, member } = this;
    if (this.isOver || member === undefined) return;
    this.isOver = true;
    if (exchange.res.destroyed) {
      exchange.clientLeft();
      return;
    }
    const [only] = member.chunks;
    exchange.sendWhole(
      only !== undefined && member.chunks.length === 1 ? only : Buffer.concat(member.chunks),
      member.result,
    );
  }

  fail(error: unknown): void {
    if (this.transfer !== undefined) {
      this.transfer.fail(error);
      return;
    }
    if (this.isOver) return;
    this.isOver = true;
    this.stopReading?.();
    if (this.exchange.res.destroyed) this.exchange.clientLeft();
    else this.exchange.refuse(error);
  }

  /** Takes a body that is here already, as small ones are, without a listener. @returns false if it is still to come */
  private readWhole(): boolean {
    const { req, deps } = this.exchange;
    if (req.destroyed) {
      this.left();
      return false;
    }
    const { readableLength } = req;
    const isHere = req.complete && readableLength > 0 && readableLength <= deps.codec.oneShotBytes;
    const whole: Buffer | null = isHere ? req.read() : null;
    if (whole === null) {
      this.listen();
      return false;
    }
    this.chunks = [whole];
    this.bytes = whole.length;
    return true;
  }

  private listen(): void {
    const { req, deps } = this.exchange;
    const onData = (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.bytes += chunk.length;
      if (this.bytes > deps.codec.oneShotBytes) this.becomeStream();
    };
    const onEnd = () => {
      this.isWhole = true;
      this.batch.add(this, this.bytes);
    };
    const onTimeout = () => {
      if (!req.complete) this.fail(idleError(deps.idleMs, this.bytes));
    };
    const onClose = () => {
      if (!req.complete && !this.isOver) this.left();
    };
    req.on('data', onData).on('end', onEnd).on('timeout', onTimeout).on('close', onClose);
    this.stopReading = () =>
      req.off('data', onData).off('end', onEnd).off('timeout', onTimeout).off('close', onClose);
  }

  private becomeStream(): void {
    this.stopReading?.();
    let stream: CodecStream;
    try {
      stream = this.exchange.deps.codec.compressStream(this.options);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.transfer = new Transfer(this.exchange, stream);
    this.transfer.start(this.chunks);
    this.chunks = [];
  }

  private left(): void {
    this.isOver = true;
    this.exchange.clientLeft();
  }
}

function idleError(idleMs: number, bytes: number): WarpDriveError {
  return new WarpDriveError('WD_E_IDLE', `no byte of the request body arrived for ${idleMs} ms`, {
    idleMs,
    receivedBytes: bytes,
  });
}
