import type { Transform } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import type { WarpDriveError } from '../../../shared/src/problem.ts';

const CREATE: Record<Format, () => Transform> = {
  gzip: createGunzip,
  zlib: createInflate,
  deflate: createInflateRaw,
};

export interface InflaterReader {
  /** Takes output; resolves when more may come, undefined: at once. What it throws ends the inflater. */
  onOutput(chunk: Buffer): Promise<void> | undefined;
  /** What an error of node:zlib means to the client. */
  errorOf(error: NodeJS.ErrnoException): WarpDriveError;
}

/** node:zlib's inflate as something to feed: container and all, one write at a time, its errors thrown there. */
export class SoftwareInflater {
  private readonly inflater: Transform;
  private failure: unknown;

  constructor(
    format: Format,
    private readonly reader: InflaterReader,
  ) {
    this.inflater = CREATE[format]();
    this.inflater.on('data', (chunk: Buffer) => this.take(chunk));
    this.inflater.on('error', (error) => this.fail(reader.errorOf(error)));
  }

  /** Resolves when the input was used up. */
  async write(input: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.inflater.once('close', resolve);
      this.inflater.write(input, () => {
        this.inflater.off('close', resolve);
        resolve();
      });
    });
    this.check();
  }

  /** Resolves when the last output was taken. */
  async end(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.inflater.once('end', resolve).once('close', resolve);
    });
    this.inflater.end();
    await ended;
    this.check();
  }

  destroy(): void {
    this.inflater.destroy();
  }

  private take(chunk: Buffer): void {
    if (this.failure !== undefined) return;
    try {
      const waiting = this.reader.onOutput(chunk);
      if (!waiting) return;
      this.inflater.pause();
      void waiting.then(() => this.inflater.resume());
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.failure ??= error;
    this.inflater.destroy();
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
