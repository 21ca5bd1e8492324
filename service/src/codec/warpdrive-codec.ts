import { crc32 } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { AcceleratorLibrary } from '../warpdrive/accelerator-library.ts';
import { ByteQueue } from './byte-queue.ts';
import type {
  Codec,
  CodecStream,
  CompressOptions,
  DecompressOptions,
  JobBuffer,
  StreamResult,
  WholeMember,
} from './codec.ts';
import { compressPiece } from './compress-piece.ts';
import { CompressStream } from './compress-stream.ts';
import { endOf, headerOf, initialChecksum } from './container.ts';
import { DecompressStream } from './decompress-stream.ts';
import { FairTurns } from './fair-turns.ts';
import { DmaJobBuffer } from './job-buffer.ts';
import { ReplayBudget } from './member-replay.ts';
import { OutputBuffers } from './output-buffers.ts';
import type { CompressedPiece, PieceOptions } from './piece.ts';
import { SoftwareDecompressStream } from './software-decompress-stream.ts';

/** Compressed input that all running decompressions keep together, so that they can be repeated. */
const REPLAY_BYTES = 64 * 1024 * 1024;

/** Who sends more without saying how much it will be has a stream, whose output begins before its end. */
const ONE_SHOT_BYTES = 256 * 1024;

/** The codec over an accelerator. */
export class WarpDriveCodec implements Codec {
  /** Shared by all streams: it is the same event loop. */
  private readonly turns = new FairTurns();
  private readonly outputs = new OutputBuffers();
  private readonly replayBudget = new ReplayBudget(REPLAY_BYTES);
  /** Of gzip members without a name, by level: each body's is copied into its output. */
  private readonly plainHeaders: Uint8Array[] = Array.from({ length: 10 }, (_, level) =>
    headerOf('gzip', level),
  );

  constructor(
    private readonly library: AcceleratorLibrary,
    /** Core named for streams that needed no job. */
    private readonly core: CoreName,
  ) {}

  get oneShotBytes(): number {
    return Math.min(this.library.jobBytes, ONE_SHOT_BYTES);
  }

  compressStream(options: CompressOptions): CodecStream {
    return new CompressStream(this.library, options, this.core, this.outputs);
  }

  decompressStream(options: DecompressOptions): CodecStream {
    const reason = this.library.unavailable() ?? this.lacks(options.format);
    return reason !== undefined && this.library.allowsSoftware
      ? new SoftwareDecompressStream(options, reason)
      : new DecompressStream(this.library, options, this.core, this.replayBudget, this.turns, this.outputs);
  }

  openJobBuffer(bytes: number): JobBuffer {
    return new DmaJobBuffer(this.library, bytes, this.core);
  }

  private lacks(format: DecompressOptions['format']): string | undefined {
    return format === 'auto' || this.library.supports(format) ? undefined : `the device has no ${format}`;
  }

  compressOnce(
    body: readonly Uint8Array[],
    options: Readonly<CompressOptions>,
  ): WholeMember | Promise<WholeMember> {
    const input = new ByteQueue();
    let crc = 0;
    for (const chunk of body) {
      input.push(chunk);
      if (options.format === 'zlib') crc = crc32(chunk, crc);
    }
    const whole = this.wholeBody(options);
    const bytesIn = input.length;
    if (bytesIn === 0) return this.emptyMember(options);
    const taken = compressPiece(this.library, input, bytesIn, whole);
    const output = taken instanceof Promise ? taken.then((late) => late.output) : taken.output;
    return output instanceof Promise
      ? output.then((piece) => this.memberOf(piece, options.format, bytesIn, crc))
      : this.memberOf(output, options.format, bytesIn, crc);
  }

  /** Not spread: put together so for every job, objects cost V8 a tenth of a 2 KiB request. */
  private wholeBody({ format, level, name, windowBytes, signal }: Readonly<CompressOptions>): PieceOptions {
    const plain = format === 'gzip' && name === undefined ? this.plainHeaders[level] : undefined;
    const header = plain ?? headerOf(format, level, name, windowBytes);
    return { format, level, windowBytes, signal, isWhole: true, header };
  }

  private emptyMember({ format, level, name, windowBytes }: Readonly<CompressOptions>): WholeMember {
    const header = headerOf(format, level, name, windowBytes);
    const end = endOf(format, initialChecksum(format), 0);
    const result = { bytesIn: 0, bytesOut: header.length + end.length, crc32: 0, core: this.core };
    return { chunks: [header, end], result };
  }

  /** @param crc of the input, where the device keeps an Adler-32 */
  private memberOf(piece: CompressedPiece, format: Format, bytesIn: number, crc: number): WholeMember {
    const result: StreamResult = {
      bytesIn,
      bytesOut: piece.bytes.length,
      crc32: format === 'zlib' ? crc : piece.checksum,
      core: piece.core ?? this.core,
    };
    if (piece.isRetried) result.retries = 1;
    if (piece.fallbackReason !== undefined) result.fallbackReason = piece.fallbackReason;
    return { chunks: [piece.bytes], result };
  }
}
