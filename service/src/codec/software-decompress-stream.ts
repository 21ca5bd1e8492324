import { crc32 } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { ByteQueue } from './byte-queue.ts';
import type { DecompressOptions, StreamResult } from './codec.ts';
import { detectFormat } from './container.ts';
import { JobStream } from './job-stream.ts';
import { checkOutputLimits } from './output-limits.ts';
import { SoftwareInflater } from './software-inflater.ts';

const HIGH_WATER_BYTES = 64 * 1024;

/** Decompression by node:zlib, for when there is no device: same limits and errors, and the result says why. */
export class SoftwareDecompressStream extends JobStream {
  private readonly head = new ByteQueue();
  private inflater: SoftwareInflater | undefined;
  private crc = 0;

  constructor(
    private readonly options: DecompressOptions,
    private readonly reason: string,
  ) {
    super(options, HIGH_WATER_BYTES);
  }

  result(): StreamResult {
    const { bytesIn, bytesOut, crc, reason } = this;
    return { bytesIn, bytesOut, crc32: crc, core: 'zlib', fallbackReason: reason };
  }

  protected async accept(chunk: Uint8Array): Promise<void> {
    this.head.push(chunk);
    const { format } = this.options;
    const known = format === 'auto' ? detectFormat(this.head.peek(2)) : format;
    if (!known) return;
    this.inflater ??= this.open(known);
    const input = this.head.peek(this.head.length);
    this.head.clear();
    await this.readerReady();
    await this.inflater.write(input);
  }

  protected async finish(): Promise<void> {
    if (!this.inflater) throw this.truncated();
    await this.inflater.end();
  }

  protected async emitPending(): Promise<void> {
    await this.readerReady();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.inflater?.destroy();
    super._destroy(error, callback);
  }

  private open(format: Format): SoftwareInflater {
    return new SoftwareInflater(format, {
      onOutput: (chunk) => {
        checkOutputLimits(this.bytesOut + chunk.length, this.bytesIn, this.options);
        this.crc = crc32(chunk, this.crc);
        this.emitChunk(chunk);
        return this.readerReady();
      },
      errorOf: ({ code, message }) =>
        code === 'Z_BUF_ERROR' ? this.truncated() : this.corrupt(message, format),
    });
  }

  private truncated(): WarpDriveError {
    const { bytesIn } = this;
    return new WarpDriveError('WD_E_INPUT_TRUNCATED', `input ends after ${bytesIn} bytes`, {
      offsetBytes: bytesIn,
    });
  }

  private corrupt(reason: string, format: Format): WarpDriveError {
    return new WarpDriveError('WD_E_INPUT_CORRUPT', reason, { reason, format });
  }
}
