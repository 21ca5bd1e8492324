import type { Duplex } from 'node:stream';
import type { Format } from '../../../shared/src/format.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { WindowBytes } from '../warpdrive/accelerator-library.ts';

/** What a finished stream knows of itself. `crc32` is of the uncompressed side, whatever the format. */
export interface StreamResult {
  bytesIn: number;
  bytesOut: number;
  crc32: number;
  core: CoreName;
  /** Set when software made any of the bytes: the reason, never silent. */
  fallbackReason?: string;
  /** Jobs that the device failed and was given again; absent if none. */
  retries?: number;
}

export interface CompressOptions {
  format: Format;
  /** 1 fastest … 9 smallest. */
  level: number;
  /** How far back matches may reach, for readers with little memory; 32 KiB if absent. */
  windowBytes?: WindowBytes;
  /** File name for a gzip header, Latin-1 without NUL. */
  name?: string;
  /** Name of the client in /v1/queues and logs. */
  owner?: string;
  /** Input bytes allowed; one more fails with WD_E_LIMIT_INPUT. 0 = no limit. */
  maxInputBytes?: number;
  signal?: AbortSignal;
}

export interface DecompressOptions {
  /** `auto` looks at the first two bytes: gzip, zlib, else raw deflate. */
  format: Format | 'auto';
  maxInputBytes?: number;
  /** Output bytes allowed; one more fails with WD_E_LIMIT_OUTPUT. 0 = no limit. */
  maxOutputBytes?: number;
  /** Output ÷ input allowed once 1 MiB came out; over it fails with WD_E_LIMIT_RATIO. 0 = no limit. */
  maxRatio?: number;
  signal?: AbortSignal;
}

/**
 * A byte stream through the accelerator. Backpressure is the stream's own. `destroy()` (or the signal) frees queue
 * slots and DMA buffers at once. Fails with WarpDriveError only.
 */
export interface CodecStream extends Duplex {
  /** Complete after `end` was emitted; before, the figures so far. `core` is right once there was output. */
  result(): StreamResult;
  /** Compression only: emit all that was written so far at a byte boundary (sync flush), then call back. */
  flush(callback: (error?: Error | null) => void): void;
  /**
   * For readers: nobody reads this chunk any more, and its memory may become another chunk's. What is no chunk of a stream,
   * or was given back, is left alone. Not needed, but a long stream costs less garbage collection.
   */
  giveBack(chunk: Uint8Array): void;
}

/** A whole member, header and trailer included, and what is known of it. */
export interface WholeMember {
  chunks: Uint8Array[];
  result: StreamResult;
}

export type JobBufferOptions = Pick<CompressOptions, 'format' | 'level' | 'windowBytes'>;

/** A whole member that lies in its job buffer. */
export interface BufferedMember {
  /** Valid until the buffer's next job or its close. */
  bytes: Uint8Array;
  /** CRC-32 of the input, or Adler-32 for zlib. */
  checksum: number;
  core: CoreName | undefined;
  /** Set when software made it: why. Then its bytes are memory of their own. */
  fallbackReason?: string;
  /** The device made it at its second try. */
  isRetried?: boolean;
}

/**
 * Memory of the accelerator that a client fills and reads itself, so that nothing is copied: an engine core works on it
 * in place. One job at a time. Whoever opened it closes it.
 */
export interface JobBuffer {
  /** The client writes a job's input to its start. Not while a job runs. */
  readonly input: Uint8Array;
  /**
   * Compresses the first `bytes` of `input` to one member.
   * @returns the member itself if a polled engine core made it on the way
   * @throws WD_E_EBUSY while a job runs, WD_E_EINVAL, WD_E_ABORTED after `close`; and what the promise would reject with
   */
  compress(bytes: number, options: Readonly<JobBufferOptions>): BufferedMember | Promise<BufferedMember>;
  /** Frees the memory, at the end of the job if one runs. Again is harmless. */
  close(): void;
}

/** The door to the accelerator for http, ws, cli and the library. */
export interface Codec {
  compressStream(options: CompressOptions): CodecStream;
  decompressStream(options: DecompressOptions): CodecStream;
  /**
   * One whole body in one job; for bodies that are known to be at most `oneShotBytes` long. Cheaper than a stream, most
   * of all with an options object that is passed again and again.
   * @returns the member itself if a polled engine core made it on the way
   * @throws what the promise would reject with
   */
  compressOnce(
    body: readonly Uint8Array[],
    options: Readonly<CompressOptions>,
  ): WholeMember | Promise<WholeMember>;
  readonly oneShotBytes: number;
  /**
   * For clients that can make their data in place.
   * @param bytes of input at most, 1 to 4 MiB
   * @throws WD_E_EINVAL; WD_E_NO_MEMORY when all clients together hold too much
   */
  openJobBuffer(bytes: number): JobBuffer;
}
