import type { WebSocket } from 'ws';
import type { CodecStream } from '../codec/codec.ts';
import type { Clock } from '../platform/clock.ts';

export interface OutputLimits {
  /** Bytes that may wait in the socket. */
  maxBuffered: number;
  /** Milliseconds that output may wait without a byte moving; 0 is no limit. */
  idleMs: number;
}

/**
 * Codec output on its way into a WebSocket. Keeps at most one chunk back: while the socket is full or credit is used
 * up, the codec is paused, and with it the engine.
 */
export class OutputQueue {
  private held: Buffer | undefined;
  /** Bytes that the client still takes; undefined: it gave no credit, the socket alone holds back. */
  private credit: number | undefined;
  private cancelStall: (() => void) | undefined;

  constructor(
    private readonly ws: WebSocket,
    private readonly stream: CodecStream,
    private readonly limits: OutputLimits,
    private readonly clock: Clock,
    private readonly onSent: (bytes: number) => void,
    private readonly onStall: () => void,
  ) {}

  /** The next chunk; comes only after the one before was sent, because the codec is paused until then. */
  push(chunk: Buffer): void {
    this.held = this.held === undefined ? chunk : Buffer.concat([this.held, chunk]);
    this.pump();
  }

  /** The client takes so many more bytes; the first call turns credit on. */
  grant(bytes: number): number {
    this.credit = (this.credit ?? 0) + bytes;
    this.pump();
    return this.credit;
  }

  stop(): void {
    this.cancelStall?.();
    this.held = undefined;
  }

  private readonly pump = (): void => {
    while (this.held !== undefined) {
      const bytes = this.room(this.held.length);
      if (bytes === 0) {
        this.wait();
        return;
      }
      const { held } = this;
      const isAll = bytes === held.length;
      this.held = isAll ? undefined : held.subarray(bytes);
      this.send(isAll ? held : held.subarray(0, bytes));
    }
    if (this.stream.isPaused()) this.stream.resume();
  };

  /** How much of `size` may go now: what credit allows, and all of it or nothing of what the socket has room for. */
  private room(size: number): number {
    const wanted = Math.min(size, this.credit ?? size, this.limits.maxBuffered);
    return this.ws.bufferedAmount === 0 || this.ws.bufferedAmount + wanted <= this.limits.maxBuffered
      ? wanted
      : 0;
  }

  private send(chunk: Buffer): void {
    if (this.credit !== undefined) this.credit -= chunk.length;
    this.cancelStall?.();
    this.cancelStall = undefined;
    this.onSent(chunk.length);
    this.ws.send(chunk, { binary: true }, (error) => {
      if (!error) this.stream.giveBack(chunk); // a part of a chunk is not one, and is left alone
      this.pump();
    });
  }

  private wait(): void {
    this.stream.pause();
    if (this.limits.idleMs > 0) this.cancelStall ??= this.clock.after(this.limits.idleMs, this.onStall);
  }
}
