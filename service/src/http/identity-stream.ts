import { Transform } from 'node:stream';
import { crc32 } from 'node:zlib';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { JobResult } from '../telemetry/job-account.ts';

/** Gives the bytes back as they are, for a client that accepts no coding; counts them and keeps to the input limit. */
export class IdentityStream extends Transform {
  private bytes = 0;
  private crc = 0;
  constructor(private readonly maxInputBytes: number) {
    super();
  }

  result(): JobResult {
    return { bytesIn: this.bytes, bytesOut: this.bytes, crc32: this.crc, core: 'none' };
  }

  /** Nothing is kept back, so there is nothing to flush. */
  flush(callback: () => void): void {
    callback();
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error: Error | null, chunk?: Buffer) => void,
  ): void {
    this.bytes += chunk.length;
    this.crc = crc32(chunk, this.crc);
    if (this.maxInputBytes > 0 && this.bytes > this.maxInputBytes)
      done(
        new WarpDriveError('WD_E_LIMIT_INPUT', `more than ${this.maxInputBytes} bytes of input`, {
          limitBytes: this.maxInputBytes,
          measured: 'input',
        }),
      );
    else done(null, chunk);
  }
}
