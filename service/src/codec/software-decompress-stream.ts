import type { Transform } from 'node:stream';
import { crc32, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { ByteQueue } from './byte-queue.ts';
import type { DecompressOptions, StreamResult } from './codec.ts';
import { detectFormat } from './container.ts';
import { JobStream } from './job-stream.ts';
import { checkOutputLimits } from './output-limits.ts';

const HIGH_WATER_BYTES = 64 * 1024;
const CREATE: Record<Format, () => Transform> = {
  gzip: createGunzip,
  zlib: createInflate,
  deflate: createInflateRaw,
};

/** Decompression by node:zlib, for when there is no device: same limits and errors, and the result says why. */
export class SoftwareDecompressStream extends JobStream {
  private readonly head = new ByteQueue();
  private inflater: Transform | undefined;
  private failure: WarpDriveError | undefined;
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
    await this.feed(this.inflater, input);
  }

  protected async finish(): Promise<void> {
    const { inflater } = this;
    if (!inflater) throw this.truncated();
    const ended = new Promise<void>((resolve) => {
      inflater.once('end', resolve).once('close', resolve);
    });
    inflater.end();
    await ended;
    if (this.failure) throw this.failure;
  }

  protected async emitPending(): Promise<void> {
    await this.readerReady();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.inflater?.destroy();
    super._destroy(error, callback);
  }

  private async feed(inflater: Transform, input: Uint8Array): Promise<void> {
    await this.readerReady();
    await new Promise<void>((resolve) => {
      inflater.once('close', resolve);
      inflater.write(input, () => {
        inflater.off('close', resolve);
        resolve();
      });
    });
    if (this.failure) throw this.failure;
  }

  private open(format: Format): Transform {
    const inflater = CREATE[format]();
    inflater.on('data', (chunk: Buffer) => {
      try {
        checkOutputLimits(this.bytesOut + chunk.length, this.bytesIn, this.options);
        this.crc = crc32(chunk, this.crc);
        this.emitChunk(chunk);
        const waiting = this.readerReady();
        if (!waiting) return;
        inflater.pause();
        void waiting.then(() => inflater.resume());
      } catch (error) {
        this.fail(inflater, error as WarpDriveError);
      }
    });
    inflater.on('error', (error: NodeJS.ErrnoException) => {
      const isShort = error.code === 'Z_BUF_ERROR';
      this.fail(inflater, isShort ? this.truncated() : this.corrupt(error.message, format));
    });
    return inflater;
  }

  private fail(inflater: Transform, error: WarpDriveError): void {
    this.failure ??= error;
    inflater.destroy();
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
