import { kMaxLength } from 'node:buffer';
import { constants, type ZlibOptions } from 'node:zlib';
import type { Wrapper } from './wrapper.ts';

export type Direction = 'compress' | 'decompress';

/** One of node:zlib's kinds of stream. */
export interface Kind {
  direction: Direction;
  /** undefined: gzip or zlib, told by the first bytes */
  wrapper: Wrapper | undefined;
}

const Z_MIN_CHUNK = 64;
const { Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH } = constants;
const NODE_LEVEL = 6;

const isOneOf = (value: unknown, allowed: readonly unknown[]): boolean =>
  value === undefined || allowed.includes(value);
const isInteger = (value: unknown, min: number, max: number): boolean =>
  value === undefined ||
  (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max);

const STRATEGIES = [constants.Z_DEFAULT_STRATEGY];
const WINDOW_BITS = { compress: [15], decompress: [0, 15] };
const FLUSHES = [Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH];
const FINISH_FLUSHES = { compress: [Z_FINISH], decompress: [Z_FINISH, Z_SYNC_FLUSH] };
/** Of the options of a stream, those that would change what a chunk is. */
const STREAM_OPTIONS = ['encoding', 'objectMode', 'readableObjectMode', 'writableObjectMode'] as const;

/**
 * Whether the engine does all that these options ask for. Everything else, what node:zlib would refuse included, is
 * node:zlib's: it then does the work or throws its own error.
 */
export function isPlain({ direction }: Kind, options: ZlibOptions | undefined): boolean {
  if (options === undefined || options === null) return true;
  const { level, memLevel, strategy, windowBits, dictionary, chunkSize, flush, finishFlush } = options;
  return (
    level !== 0 &&
    isInteger(level, -1, 9) &&
    isInteger(memLevel, 1, 9) &&
    isOneOf(strategy, STRATEGIES) &&
    isOneOf(windowBits, WINDOW_BITS[direction]) &&
    dictionary === undefined &&
    isInteger(chunkSize, Z_MIN_CHUNK, Number.MAX_SAFE_INTEGER) &&
    isOneOf(flush, FLUSHES) &&
    isOneOf(finishFlush, FINISH_FLUSHES[direction]) &&
    isInteger(options.maxOutputLength, 1, kMaxLength) &&
    STREAM_OPTIONS.every((name) => !(name in options))
  );
}

/** The level that an engine core gets: 1–9. */
export const engineLevel = (level: number | undefined): number =>
  level === undefined || level === constants.Z_DEFAULT_COMPRESSION ? NODE_LEVEL : level;
