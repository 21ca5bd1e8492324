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
}

/** A whole member, header and trailer included, and what is known of it. */
export interface WholeMember {
  chunks: Uint8Array[];
  result: StreamResult;
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
}
