import { addAbortSignal, Duplex, finished } from 'node:stream';
import { PROBLEMS, WarpDriveError } from '../../../shared/src/problem.ts';
import type { CodecStream, StreamResult } from './codec.ts';
import type { OutputBuffers } from './output-buffers.ts';

export interface JobStreamOptions {
  maxInputBytes?: number;
  signal?: AbortSignal;
}

type Callback = (error?: Error | null) => void;

/** Written by `flush` in the place of data, so that it takes its turn among the writes. */
const FLUSH_MARK = Buffer.alloc(0);

/**
 * What both directions share: input limits, backpressure from the reader to the writer, and an end that comes after
 * the last output. Subclasses turn input into `emit` calls; each call of theirs is awaited before the next input.
 */
export abstract class JobStream extends Duplex implements CodecStream {
  protected bytesIn = 0;
  protected bytesOut = 0;
  private readonly maxInputBytes: number;
  private wake: (() => void) | undefined;
  private isReaderFull = false;

  /** @param outputs where the stream's chunks come from; absent: they are not used again */
  constructor(
    options: JobStreamOptions,
    highWaterMark: number,
    protected readonly outputs?: OutputBuffers,
  ) {
    super({ readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark });
    const { signal } = options;
    // not at once: a signal that is aborted already destroys, and the subclass has no fields yet
    if (signal) process.nextTick(() => addAbortSignal(signal, this));
    this.maxInputBytes = options.maxInputBytes ?? 0;
  }

  abstract result(): StreamResult;

  /** Takes input; resolves when more may come. */
  protected abstract accept(chunk: Uint8Array): Promise<void> | undefined;
  /** All input came; resolves when all output was emitted. */
  protected abstract finish(): Promise<void>;
  /** Emits all that was accepted; resolves when it was emitted. */
  protected abstract emitPending(): Promise<void>;

  flush(callback: Callback): void {
    if (this.writableEnded) finished(this, { readable: false }, callback);
    else this.write(FLUSH_MARK, callback);
  }

  giveBack(chunk: Uint8Array): void {
    this.outputs?.giveBack(chunk);
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    if (chunk === FLUSH_MARK) {
      settle(() => this.emitPending(), callback);
      return;
    }
    this.bytesIn += chunk.length;
    if (this.maxInputBytes > 0 && this.bytesIn > this.maxInputBytes) {
      callback(
        new WarpDriveError('WD_E_LIMIT_INPUT', `more than ${this.maxInputBytes} bytes of input`, {
          limitBytes: this.maxInputBytes,
          measured: 'input',
        }),
      );
      return;
    }
    settle(() => this.accept(chunk), callback);
  }

  override _final(callback: Callback): void {
    settle(
      () => this.finish(),
      (error) => {
        if (!error) this.push(null);
        callback(error);
      },
    );
  }

  override _read(): void {
    this.isReaderFull = false;
    this.wake?.();
    this.wake = undefined;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.wake?.();
    this.wake = undefined;
    callback(
      error?.name === 'AbortError' ? new WarpDriveError('WD_E_ABORTED', PROBLEMS.WD_E_ABORTED.title) : error,
    );
  }

  protected emitChunk(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.destroyed) return;
    this.bytesOut += chunk.length;
    this.isReaderFull = !this.push(chunk);
  }

  /** Undefined while the reader keeps up; else resolves when it asks for more, or is gone. */
  protected readerReady(): Promise<void> | undefined {
    if (!this.isReaderFull || this.destroyed) return undefined;
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  protected checkAlive(): void {
    if (this.destroyed) throw new WarpDriveError('WD_E_ABORTED', 'the stream was aborted');
  }
}

/** Runs an action that may be asynchronous and calls back in either case. */
function settle(action: () => Promise<void> | undefined, callback: Callback): void {
  let pending: Promise<void> | undefined;
  try {
    pending = action();
  } catch (error) {
    callback(error as Error);
    return;
  }
  if (pending) pending.then(() => callback(), callback);
  else callback();
}
