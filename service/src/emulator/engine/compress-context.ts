import type { MemoryRange } from '../deflate/core.ts';

/**
 * What a stateful compress stream leaves in its context between two jobs: the last 32 KiB of input as history for
 * matches, and output that did not fit. Checksum and length travel in the SQE, so the stream may go on in any core
 * and any queue. Layout behind the 64 software words: four words, window, pending output. A context lies in memory
 * that clients can write to: every number read from it is checked, and bytes of it can only make wrong output.
 */
const MAGIC = 0x4c464544; // 'DEFL'
const AT_MAGIC = 0;
const AT_HISTORY_BYTES = 4;
const AT_PENDING_BYTES = 8;
const AT_ENDED = 12;
const AT_WINDOW = 960; // 1024 of the whole context, where the inflate stream's window is too
export const HISTORY_BYTES = 32768;
const AT_PENDING = AT_WINDOW + HISTORY_BYTES;
/** Output that the context can hold back: 64 KiB less software words, words and window. */
export const PENDING_BYTES = 0x10000 - 64 - AT_PENDING;

export interface CompressState {
  historyBytes: number;
  pendingBytes: number;
  /** The last block was made. */
  isEnded: boolean;
}

export const newCompressState = (): CompressState => ({ historyBytes: 0, pendingBytes: 0, isEnded: false });

/** @param context the device's part of the context @returns undefined for bytes that no stream of ours left there */
export function loadCompressState(whole: Uint8Array, context: MemoryRange): CompressState | undefined {
  const words = new DataView(whole.buffer, context.offset, context.bytes);
  const historyBytes = words.getUint32(AT_HISTORY_BYTES, true);
  const pendingBytes = words.getUint32(AT_PENDING_BYTES, true);
  if (words.getUint32(AT_MAGIC, true) !== MAGIC) return undefined;
  if (historyBytes > HISTORY_BYTES || pendingBytes > PENDING_BYTES) return undefined;
  return { historyBytes, pendingBytes, isEnded: words.getUint32(AT_ENDED, true) === 1 };
}

/** @returns bytes of the context that are in use now, from its start */
export function saveCompressState(whole: Uint8Array, context: MemoryRange, state: CompressState): number {
  const words = new DataView(whole.buffer, context.offset, context.bytes);
  words.setUint32(AT_MAGIC, MAGIC, true);
  words.setUint32(AT_HISTORY_BYTES, state.historyBytes, true);
  words.setUint32(AT_PENDING_BYTES, state.pendingBytes, true);
  words.setUint32(AT_ENDED, state.isEnded ? 1 : 0, true);
  return state.pendingBytes > 0 ? AT_PENDING + state.pendingBytes : AT_WINDOW + state.historyBytes;
}

export const historyOffset = (context: MemoryRange): number => context.offset + AT_WINDOW;
export const pendingOffset = (context: MemoryRange): number => context.offset + AT_PENDING;
