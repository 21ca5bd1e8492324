import { crc32 } from 'node:zlib';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { AcceleratorLibrary } from '../warpdrive/accelerator-library.ts';
import { ByteQueue } from './byte-queue.ts';
import type { Codec, CodecStream, CompressOptions, DecompressOptions, StreamResult } from './codec.ts';
import { compressPiece } from './compress-piece.ts';
import { CompressStream, SHORT_STREAM_PIECE_BYTES } from './compress-stream.ts';
import { endOf, headerOf, initialChecksum } from './container.ts';
import { DecompressStream } from './decompress-stream.ts';
import { ReplayBudget } from './member-replay.ts';
import { SoftwareDecompressStream } from './software-decompress-stream.ts';

/** Compressed input that all running decompressions keep together, so that they can be repeated. */
const REPLAY_BYTES = 64 * 1024 * 1024;

/** The codec over an accelerator. */
export class WarpDriveCodec implements Codec {
  private readonly replayBudget = new ReplayBudget(REPLAY_BYTES);

  constructor(
    private readonly library: AcceleratorLibrary,
    /** Core named for streams that needed no job. */
    private readonly core: CoreName,
  ) {}

  get oneShotBytes(): number {
    return Math.min(this.library.jobBytes, SHORT_STREAM_PIECE_BYTES);
  }

  compressStream(options: CompressOptions): CodecStream {
    return new CompressStream(this.library, options, this.core);
  }

  decompressStream(options: DecompressOptions): CodecStream {
    const reason = this.library.unavailable() ?? this.lacks(options.format);
    return reason !== undefined && this.library.allowsSoftware
      ? new SoftwareDecompressStream(options, reason)
      : new DecompressStream(this.library, options, this.core, this.replayBudget);
  }

  private lacks(format: DecompressOptions['format']): string | undefined {
    return format === 'auto' || this.library.supports(format) ? undefined : `the device has no ${format}`;
  }

  async compressOnce(
    body: readonly Uint8Array[],
    options: CompressOptions,
  ): Promise<{ chunks: Uint8Array[]; result: StreamResult }> {
    const { format, level } = options;
    const input = new ByteQueue();
    let plainCrc32 = 0;
    for (const chunk of body) {
      input.push(chunk);
      if (format === 'zlib') plainCrc32 = crc32(chunk, plainCrc32);
    }
    const bytesIn = input.length;
    const header = headerOf(format, level, options.name, options.windowBytes);
    if (bytesIn === 0) {
      const end = endOf(format, initialChecksum(format), 0);
      const result = { bytesIn, bytesOut: header.length + end.length, crc32: 0, core: this.core };
      return { chunks: [header, end], result };
    }
    const taken = compressPiece(this.library, input, bytesIn, { ...options, isWhole: true, header });
    const { output } = taken instanceof Promise ? await taken : taken;
    const piece = output instanceof Promise ? await output : output;
    const result: StreamResult = {
      bytesIn,
      bytesOut: piece.bytes.length,
      crc32: format === 'zlib' ? plainCrc32 : piece.checksum,
      core: piece.core ?? this.core,
    };
    if (piece.isRetried) result.retries = 1;
    if (piece.fallbackReason !== undefined) result.fallbackReason = piece.fallbackReason;
    return { chunks: [piece.bytes], result };
  }
}
