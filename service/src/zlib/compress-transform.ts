import type { TransformOptions } from 'node:stream';
import { constants, createDeflate, type Deflate, type ZlibOptions } from 'node:zlib';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import { DeflateMember, type PieceEnd } from './deflate-member.ts';
import type { Engine } from './engine.ts';
import { EngineTransform } from './engine-transform.ts';
import { engineLevel, type Kind } from './plain-options.ts';
import type { Wrapper } from './wrapper.ts';
import { truncated } from './zlib-error.ts';

/** Compression as a stream: what createGzip, createDeflate and createDeflateRaw give. One member a stream. */
export class CompressTransform extends EngineTransform {
  private member: DeflateMember;
  private readonly wrapper: Wrapper;
  private at = 0;
  private isComplete = false;
  private readonly flushEach: number;
  private readonly chunkBytes: number;

  constructor(
    private readonly engine: Engine,
    kind: Kind,
    options: ZlibOptions = {},
  ) {
    super(kind, options as TransformOptions, constants.Z_FULL_FLUSH);
    this.wrapper = kind.wrapper ?? 'gzip';
    this.member = new DeflateMember(engine, this.wrapper, engineLevel(options.level));
    this.flushEach = options.flush ?? constants.Z_NO_FLUSH;
    this.chunkBytes = options.chunkSize ?? Number.POSITIVE_INFINITY;
  }

  get core(): CoreName {
    return this.member.core;
  }

  /**
   * Changes the level from here on; what was written so far is compressed at the old one.
   * @param strategy checked as node:zlib checks it; the engine has one strategy
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE as node:zlib
   */
  params(level: number, strategy: number, callback: () => void): void {
    checkParams(level, strategy);
    this.flush(constants.Z_SYNC_FLUSH, () => {
      this.member.level = level === 0 ? 1 : engineLevel(level);
      callback?.();
    });
  }

  /** Forgets what was written and starts a new member. */
  reset(): void {
    this.member = new DeflateMember(this.engine, this.wrapper, this.member.level);
    this.isComplete = false;
  }

  protected step(chunk: Buffer): number {
    if (this.isComplete && chunk.length > 0) throw truncated();
    const { member } = this;
    if (this.at === chunk.length) {
      this.at = 0;
      this.bytesWritten += chunk.length;
      if (this.flushEach !== constants.Z_NO_FLUSH) this.flushPending(this.flushEach);
      return 0;
    }
    if (member.isFull) this.emitPiece('more');
    const taken = member.take(chunk, this.at);
    if (this.at + taken < chunk.length && member.isFull) this.emitPiece('more'); // it may be the caller's chunk
    this.at += taken;
    return taken;
  }

  protected flushPending(kind: number): void {
    if (kind === constants.Z_NO_FLUSH || this.isComplete) return;
    if (kind === constants.Z_FINISH) this.complete();
    else if (kind === constants.Z_FULL_FLUSH) this.emitPiece('full');
    else if (this.member.hasPending) this.emitPiece('more');
  }

  protected complete(): void {
    if (this.isComplete) return;
    this.emitPiece('final');
    this.isComplete = true;
  }

  protected dispose(): void {} // all it holds is its own

  private emitPiece(end: PieceEnd): void {
    const piece = this.member.piece(end);
    for (let at = 0; at < piece.length; at += this.chunkBytes)
      this.push(piece.length <= this.chunkBytes ? piece : piece.subarray(at, at + this.chunkBytes));
  }
}

/** @throws node:zlib's own errors for values out of range */
function checkParams(level: number, strategy: number): void {
  let probe: Deflate;
  try {
    probe = createDeflate({ level, strategy });
  } catch {
    probe = createDeflate(); // its `params` says the same in the words of `params`
  }
  try {
    probe.params(level, strategy, () => {});
  } finally {
    probe.destroy();
  }
}
