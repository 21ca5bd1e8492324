import type { CoreName } from '../../../../shared/src/telemetry.ts';

/** Which checksum of the uncompressed bytes a job keeps: none for raw deflate, CRC-32 for gzip, Adler-32 for zlib. */
export type ChecksumKind = 'none' | 'crc32' | 'adler32';

/** Byte range of the machine's shared memory. */
export interface MemoryRange {
  offset: number;
  bytes: number;
}

export interface DeflateJob {
  /** 1–9. */
  level: number;
  /** History the matches may use: 4096, 8192, 16384, 24576 or 32768. */
  windowBytes: number;
  /** true: the last block has BFINAL; false: end with a sync flush (empty stored block, byte aligned). */
  isFinal: boolean;
  checksum: ChecksumKind;
  /** Running checksum to continue; 0 for a new CRC-32, 1 for a new Adler-32. */
  checksumSeed: number;
  /** Raw DEFLATE only: containers are the engine's business, not the core's. */
  source: MemoryRange;
  /** Bytes of earlier data right before `source`, which matches may reach as far as the window allows; 0 if absent. */
  historyBytes?: number;
  /**
   * The history is, byte for byte, what this core's job before had as its source and history, and the source lies right behind
   * it. The core need not look at it again then, which is most of the work of a short job. It looks again where it must.
   */
  continues?: boolean;
  destination: MemoryRange;
}

export type DeflateOutcome = 'done' | 'output-full';

export interface DeflateResult {
  outcome: DeflateOutcome;
  produced: number;
  checksum: number;
}

export interface InflateJob {
  checksum: ChecksumKind;
  checksumSeed: number;
  source: MemoryRange;
  destination: MemoryRange;
  /** Distances that the stream may use, as of DeflateJob; a longer one makes it corrupt. 32768 if absent. */
  windowBytes?: number;
  /**
   * The stream's context, INFLATE_CONTEXT_BYTES of shared memory, 64-byte aligned. `isNew` starts a stream: whatever
   * the context held is void. A core whose `keepsStateInContext` is true puts its whole state here, so that the next
   * job of the stream may run on another core.
   */
  context: number;
  isNew: boolean;
}

/**
 * `end`: the block with BFINAL is complete and all its bytes are in the destination; `consumed` counts exactly up to
 * the last byte that holds bits of it. `more`: all input was consumed (bits may be held in the context), send more.
 * `output-full`: the destination is full and the stream goes on, with the remaining input or with none.
 * `corrupt`: `reason` says what RFC 1951 forbids. `state-lost`: the job continues a stream whose state this core does
 * not have, because the core that had it died.
 */
export type InflateOutcome = 'end' | 'more' | 'output-full' | 'corrupt' | 'state-lost';

export interface InflateResult {
  outcome: InflateOutcome;
  consumed: number;
  produced: number;
  checksum: number;
  reason?: string;
  /** Absent when the job did not get so far. */
  position?: InflatePosition;
}

/** Where an inflate stream stands after a job: what the context words of the SQE tell (sources.md 6.5). */
export interface InflatePosition {
  /** The header of the block with BFINAL was read. */
  isLastBlock: boolean;
  /** The block's header is not whole yet, or no block has begun. */
  isInHeader: boolean;
  /** Bits of input that wait in the context. */
  heldBits: number;
  /** Bytes that a stored block still has. */
  storedLeft: number;
  /** Earlier output that the context holds. */
  windowFill: number;
}

/** 64 KiB as the hardware has it (sources.md 6.6): 64 bytes of words, then the device's own state and window. */
export const INFLATE_CONTEXT_BYTES = 0x10000;

/** The compressing half of a data path. Never throws on any input bytes. */
export interface Deflater {
  readonly name: CoreName;
  /** Whether it takes `historyBytes`. */
  readonly takesHistory: boolean;
  deflate(job: DeflateJob): DeflateResult;
}

/** The decompressing half of a data path. Never throws on any input bytes. */
export interface Inflater {
  readonly name: CoreName;
  /** Whether it refuses distances beyond windows of less than 32 KiB. */
  readonly checksWindow: boolean;
  /** Whether an inflate stream may move to another core between two jobs. */
  readonly keepsStateInContext: boolean;
  inflate(job: InflateJob): InflateResult;
}

/**
 * One engine core's whole data path: DEFLATE and INFLATE over ranges of one shared memory. Runs jobs one at a time;
 * never touches bytes outside the ranges of the job and its own scratch.
 */
export interface DeflateCore extends Deflater, Inflater {
  dispose(): void;
}
