/** Capacities are multiples of this; smaller outputs cost less than keeping track of them. */
const STEP_BYTES = 64 * 1024;
const WORTH_KEEPING_BYTES = 16 * 1024;
/** A capacity may be this much larger than what is asked for. */
const SPARE_STEPS = 2;
/** Memory kept for outputs to come. */
const IDLE_BYTES = 4 * 1024 * 1024;

/**
 * Ordinary memory for the output of streams. Readers who give a chunk back, when nobody reads it any more, have it used
 * again, because memory outside of V8's heap makes V8 collect garbage: a stream of 256 MiB does so every 20 MiB, and the
 * collector waits for the CPUs that the engine cores have. Who gives nothing back has what the garbage collector does.
 */
export class OutputBuffers {
  /** By capacity in steps. */
  private readonly idle: ArrayBufferLike[][] = [];
  /** The very chunks that are out: not views of parts of them, and none twice. */
  private readonly lent = new WeakSet<Uint8Array>();
  private kept = 0;

  /** Bytes that wait to be used again. */
  get idleBytes(): number {
    return this.kept;
  }

  /** Uninitialised memory. */
  take(bytes: number): Buffer {
    if (bytes < WORTH_KEEPING_BYTES) return Buffer.allocUnsafe(bytes);
    const steps = Math.ceil(bytes / STEP_BYTES);
    const chunk = Buffer.from(this.find(steps) ?? newMemory(steps), 0, bytes);
    this.lent.add(chunk);
    return chunk;
  }

  /** Any other chunk is left alone. */
  giveBack(chunk: Uint8Array): void {
    if (!this.lent.delete(chunk)) return;
    const { buffer } = chunk;
    if (this.kept + buffer.byteLength > IDLE_BYTES) return;
    this.kept += buffer.byteLength;
    const steps = buffer.byteLength / STEP_BYTES;
    const same = this.idle[steps];
    if (same) same.push(buffer);
    else this.idle[steps] = [buffer];
  }

  private find(steps: number): ArrayBufferLike | undefined {
    for (let at = steps; at <= steps + SPARE_STEPS; at++) {
      const buffer = this.idle[at]?.pop();
      if (!buffer) continue;
      this.kept -= buffer.byteLength;
      return buffer;
    }
    return undefined;
  }
}

const newMemory = (steps: number): ArrayBufferLike => Buffer.allocUnsafeSlow(steps * STEP_BYTES).buffer;
