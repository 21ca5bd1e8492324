import type { TransformOptions } from 'node:stream';
import { constants, type ZlibOptions } from 'node:zlib';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import { type Engine, INFLATE_OUTPUT_BYTES } from './engine.ts';
import { EngineTransform } from './engine-transform.ts';
import { InflateMembers } from './inflate-members.ts';
import type { Kind } from './plain-options.ts';

/** Decompression as a stream: what createGunzip, createInflate, createInflateRaw and createUnzip give. */
export class DecompressTransform extends EngineTransform {
  readonly core: CoreName = 'wasm';
  private readonly members: InflateMembers;
  private readonly mayEndEarly: boolean;
  private readonly limit: number;
  private fed: Buffer | undefined;

  constructor(engine: Engine, kind: Kind, options: ZlibOptions = {}) {
    super(kind, options as TransformOptions, constants.Z_SYNC_FLUSH);
    this.members = new InflateMembers(engine, kind.wrapper);
    this.mayEndEarly = options.finishFlush === constants.Z_SYNC_FLUSH;
    this.limit = Math.min(options.chunkSize ?? INFLATE_OUTPUT_BYTES, INFLATE_OUTPUT_BYTES);
  }

  /** Forgets what was written and starts a new stream of the same kind. */
  reset(): void {
    this.fed = undefined;
    this.members.reset();
  }

  protected step(chunk: Buffer): number {
    const { members } = this;
    if (this.fed !== chunk) {
      this.fed = chunk;
      members.feed(chunk);
    }
    const view = members.next(this.limit);
    this.bytesWritten = members.bytesIn;
    if (!view) {
      this.fed = undefined;
      if (members.hasTrailing) this.push(null);
      return 0;
    }
    const output = Buffer.allocUnsafe(view.length);
    output.set(view);
    this.push(output);
    return view.length;
  }

  protected flushPending(): void {} // output is never held back

  protected complete(): void {
    if (!this.mayEndEarly) this.members.finish();
  }

  protected dispose(): void {
    this.members.dispose();
  }
}
