import type { CoreName } from '../../../shared/src/telemetry.ts';
import { type Engine, HISTORY_BYTES, JOB_BYTES } from './engine.ts';
import {
  CHECKSUM_OF,
  headerOf,
  INITIAL_CHECKSUM,
  TRAILER_BYTES,
  type Wrapper,
  writeTrailer,
} from './wrapper.ts';

const SMALLEST_PENDING_BYTES = 1024;
const NOTHING = Buffer.alloc(0);

/** How a piece ends: more follows; the same, and later pieces must not refer to it; the member is complete. */
export type PieceEnd = 'more' | 'full' | 'final';

/**
 * One gzip member, zlib stream or raw DEFLATE stream in the making. Input is collected up to a job's length, so that
 * small writes cost no ratio; a piece may refer to the 32 KiB before it.
 */
export class DeflateMember {
  /** The core that made the newest piece. */
  core: CoreName;
  bytesIn = 0;
  private pending: Buffer = NOTHING;
  private pendingBytes = 0;
  /** A whole job of the caller's own chunk, until `piece` takes it. */
  private direct: Uint8Array | undefined;
  private history: Uint8Array = NOTHING;
  private historyBuffer: Buffer | undefined;
  private checksum: number;
  private hasHeader = false;

  constructor(
    private readonly engine: Engine,
    private readonly wrapper: Wrapper,
    public level: number,
  ) {
    this.core = engine.coreFor(level);
    this.checksum = INITIAL_CHECKSUM[wrapper];
  }

  /** A whole job waits: call `piece` before the next `take`, and before the caller's chunk may change. */
  get isFull(): boolean {
    return this.direct !== undefined || this.pendingBytes === JOB_BYTES;
  }

  /** Whether a flush has anything to bring out. */
  get hasPending(): boolean {
    return this.pendingBytes > 0 || !this.hasHeader;
  }

  /** Takes some of `chunk` from `at` on. @returns how many bytes */
  take(chunk: Uint8Array, at: number): number {
    const left = chunk.length - at;
    if (this.pendingBytes === 0 && left > JOB_BYTES) {
      this.direct = chunk.subarray(at, at + JOB_BYTES);
      return JOB_BYTES;
    }
    const bytes = Math.min(left, JOB_BYTES - this.pendingBytes);
    this.reserve(this.pendingBytes + bytes);
    this.pending.set(chunk.subarray(at, at + bytes), this.pendingBytes);
    this.pendingBytes += bytes;
    return bytes;
  }

  /** Compresses what was taken, with the header before the first piece and the trailer behind the last. */
  piece(end: PieceEnd): Buffer {
    const input = this.direct ?? this.pending.subarray(0, this.pendingBytes);
    const output = this.compress(input, end);
    this.direct = undefined;
    this.pendingBytes = 0;
    return output;
  }

  /** A piece of at most JOB_BYTES without a way through the pending input, of which there must be none. */
  compress(input: Uint8Array, end: PieceEnd): Buffer {
    const { engine, wrapper, level } = this;
    const header = this.hasHeader ? NOTHING : headerOf(wrapper, level);
    const isFinal = end === 'final';
    const tail = isFinal ? TRAILER_BYTES[wrapper] : 0;
    const { output, checksum, core } = engine.deflate({
      owner: this,
      input,
      history: this.history,
      level,
      isFinal,
      checksum: CHECKSUM_OF[wrapper],
      seed: this.checksum,
      lead: header.length,
      tail,
    });
    output.set(header);
    this.hasHeader = true;
    this.core = core;
    this.checksum = checksum;
    this.bytesIn += input.length;
    if (isFinal) writeTrailer(output, output.length - tail, wrapper, checksum, this.bytesIn);
    else if (end === 'full') this.history = NOTHING;
    else this.remember(input);
    return output;
  }

  /** Keeps the last 32 KiB of the member. */
  private remember(input: Uint8Array): void {
    this.historyBuffer ??= Buffer.allocUnsafeSlow(HISTORY_BYTES);
    const buffer = this.historyBuffer;
    const fresh = Math.min(input.length, HISTORY_BYTES);
    const kept = Math.min(this.history.length, HISTORY_BYTES - fresh);
    buffer.copyWithin(0, this.history.length - kept, this.history.length);
    buffer.set(input.subarray(input.length - fresh), kept);
    this.history = buffer.subarray(0, kept + fresh);
  }

  private reserve(bytes: number): void {
    if (bytes <= this.pending.length) return;
    const capacity = Math.max(bytes, 2 * this.pending.length, SMALLEST_PENDING_BYTES);
    const grown = Buffer.allocUnsafeSlow(Math.min(capacity, JOB_BYTES));
    grown.set(this.pending.subarray(0, this.pendingBytes));
    this.pending = grown;
  }
}
