import { finished, Transform, type TransformCallback, type TransformOptions } from 'node:stream';
import { constants } from 'node:zlib';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { Kind } from './plain-options.ts';
import { TURN_BYTES } from './turns.ts';

type Callback = (error?: Error | null) => void;

/** A zero-length write for each kind of flush keeps its place among the data. */
const FLUSH_MARKS = new Map<unknown, number>();
const MARK_OF = new Map<number, Buffer>();
for (const kind of [
  constants.Z_NO_FLUSH,
  constants.Z_PARTIAL_FLUSH,
  constants.Z_SYNC_FLUSH,
  constants.Z_FULL_FLUSH,
  constants.Z_FINISH,
  constants.Z_BLOCK,
]) {
  const mark = Buffer.alloc(0);
  MARK_OF.set(kind, mark);
  FLUSH_MARKS.set(mark, kind);
}

/**
 * What node:zlib's streams share: `flush`, `close`, `bytesWritten`, and work that waits for the reader and gives the
 * event loop its turns. Subclasses do the work in steps.
 */
export abstract class EngineTransform extends Transform {
  /** The engine core at work; `zlib` on streams that node:zlib itself makes. */
  abstract readonly core: CoreName;
  /** Bytes of input processed so far. */
  bytesWritten = 0;
  /** Continues a write that waits for the reader. */
  private resumeWork: (() => void) | undefined;
  private endWait: Callback | undefined;

  constructor(
    /** Which of node:zlib's classes it stands for. */
    readonly kind: Kind,
    options: TransformOptions | undefined,
    private readonly defaultFlush: number,
  ) {
    super({ autoDestroy: true, ...options });
  }

  /** One step of work on the chunk. @returns how many bytes it was, 0 when the chunk is done */
  protected abstract step(chunk: Buffer): number;
  protected abstract flushPending(kind: number): void;
  /** All input came. */
  protected abstract complete(): void;
  protected abstract dispose(): void;

  /**
   * Brings out what was written so far.
   * @param kind Z_FULL_FLUSH if absent for compression, Z_SYNC_FLUSH for decompression
   * @param callback when it is out
   */
  flush(kind?: number | (() => void), callback?: () => void): void {
    const done = typeof kind === 'function' ? kind : callback;
    const mark = MARK_OF.get(typeof kind === 'number' ? kind : this.defaultFlush);
    if (this.writableFinished) {
      if (done) process.nextTick(done);
    } else if (this.writableEnded) {
      if (done) this.once('end', done);
    } else this.write(mark, done);
  }

  /** Ends the stream and frees what it holds. */
  close(callback?: () => void): void {
    if (callback) finished(this, () => callback());
    this.destroy();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    const flushKind = FLUSH_MARKS.get(chunk);
    if (flushKind === undefined) {
      this.work(chunk, callback);
      return;
    }
    this.settle(() => this.flushPending(flushKind), callback);
  }

  override _flush(callback: TransformCallback): void {
    this.settle(() => this.complete(), callback);
  }

  override _read(size: number): void {
    const resume = this.resumeWork;
    if (!resume) {
      super._read(size);
      return;
    }
    this.resumeWork = undefined;
    process.nextTick(resume); // the reader takes what it asked for first: a full buffer would end the transform in wait
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.dispose();
    const end = this.endWait;
    this.endWait = undefined;
    this.resumeWork = undefined;
    end?.();
    callback(error);
  }

  private work(chunk: Buffer, callback: Callback): void {
    this.endWait = undefined;
    let bytes = 0;
    try {
      for (let taken = this.step(chunk); taken > 0; taken = this.step(chunk)) {
        if (this.destroyed) {
          callback();
          return;
        }
        bytes += taken;
        const isReaderFull = this.readableLength >= this.readableHighWaterMark;
        if (!isReaderFull && bytes < TURN_BYTES) continue;
        this.endWait = callback;
        const resume = (): void => {
          if (this.endWait === callback) this.work(chunk, callback);
        };
        if (isReaderFull) this.resumeWork = resume;
        else setImmediate(resume);
        return;
      }
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }

  private settle(action: () => void, callback: Callback): void {
    try {
      action();
    } catch (error) {
      callback(error as Error);
      return;
    }
    callback();
  }
}
