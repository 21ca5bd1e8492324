import { CTX_STATE, STATUS } from '../../hw-abi/zip-sqe.ts';
import type { Deflater, MemoryRange } from '../deflate/core.ts';
import {
  type CompressState,
  HISTORY_BYTES,
  historyOffset,
  loadCompressState,
  newCompressState,
  PENDING_BYTES,
  pendingOffset,
  saveCompressState,
} from './compress-context.ts';
import { CHECKSUM_START, type EngineJob, type EngineResult, failedResult } from './job.ts';
import { TRAILER_BYTES, writeTrailer } from './trailer.ts';

export interface CompressRanges {
  source: MemoryRange;
  /** Room for HISTORY_BYTES right before `staging`, where history and input come together. */
  staging: MemoryRange;
  destination: MemoryRange;
  /** Where output is made that may be longer than the destination. */
  overflow: MemoryRange;
  context: MemoryRange;
  /** Of the core; the job leaves it for the next one. */
  kept: KeptInput;
}

/** The newest input in `staging`: a job of the same stream goes on behind it, and its history needs no second look. */
export interface KeptInput {
  /** Where it ends; 0 if there is none. */
  end: number;
}
/** After so much the next job begins at the start again: few pages are used, and they stay in the cache. */
const KEPT_BYTES = 256 * 1024;

/** Room that compressing `bytes` bytes never exceeds, trailer not counted: stored blocks and the sync flush. */
const worstCase = (bytes: number): number => bytes + Math.ceil(bytes / 1024) + 64;
/** The most input whose output never exceeds `room`. */
const inputFor = (room: number): number => Math.max(0, Math.floor(((room - 64) * 1024) / 1025) - 1);

/**
 * One stateful compress job. Output that does not fit stays in the context and leads the next job's, input beyond what
 * the context could hold back is not consumed: so any destination makes progress and the stream can be resumed.
 * @returns the result, and how many bytes of the context must be kept
 */
export function compressStateful(
  whole: Uint8Array,
  path: Deflater,
  job: EngineJob,
  ranges: CompressRanges,
): { result: EngineResult; contextBytes: number } {
  const { source, destination, context } = ranges;
  const state = job.isStreamNew ? newCompressState() : loadCompressState(whole, context);
  if (!state || (state.isEnded && source.bytes > 0))
    return { result: failedResult(job, STATUS.badRequest, path.name), contextBytes: 0 };
  const seed = job.isStreamNew ? CHECKSUM_START[job.checksum] : job.checksumIn;
  const isizeIn = job.isStreamNew ? 0 : job.isizeIn;
  const drained = drain(whole, context, state, destination);
  const result: EngineResult = {
    ...failedResult(job, STATUS.ok, path.name),
    produced: drained,
    checksum: seed,
    isize: isizeIn,
  };

  if (state.pendingBytes === 0 && !state.isEnded) {
    const room = { offset: destination.offset + drained, bytes: destination.bytes - drained };
    const most = Math.min(room.bytes + PENDING_BYTES, ranges.overflow.bytes - drained);
    const limit = most - TRAILER_BYTES[job.checksum];
    const consumed = worstCase(source.bytes) <= limit ? source.bytes : inputFor(limit);
    const isFinal = job.isFinal && consumed === source.bytes;
    const trailerBytes = isFinal ? TRAILER_BYTES[job.checksum] : 0;
    const need = worstCase(consumed) + trailerBytes;
    const isInPlace = need <= room.bytes;
    const target = isInPlace ? room : { offset: ranges.overflow.offset + drained, bytes: need };
    const { input, continues } = joinHistory(whole, ranges, state, consumed);
    const made = path.deflate({
      level: job.level,
      windowBytes: job.windowBytes,
      isFinal,
      checksum: job.checksum,
      checksumSeed: seed,
      source: input,
      historyBytes: Math.min(state.historyBytes, job.windowBytes),
      continues,
      destination: { offset: target.offset, bytes: target.bytes - trailerBytes },
    });
    if (made.outcome === 'output-full')
      return { result: failedResult(job, STATUS.coreFailure, path.name), contextBytes: 0 };
    result.checksum = made.checksum;
    result.isize = (isizeIn + consumed) >>> 0;
    writeTrailer(
      whole,
      target.offset + made.produced,
      isFinal ? job.checksum : 'none',
      made.checksum,
      result.isize,
    );
    const output = made.produced + trailerBytes;
    const delivered = Math.min(output, room.bytes);
    if (!isInPlace) {
      whole.copyWithin(room.offset, target.offset, target.offset + delivered);
      whole.copyWithin(pendingOffset(context), target.offset + delivered, target.offset + output);
    }
    state.pendingBytes = output - delivered;
    state.isEnded = isFinal;
    keepHistory(whole, context, state, input);
    result.consumed = consumed;
    result.produced = drained + delivered;
    if (output > consumed) result.status = STATUS.negativeCompression;
  }
  result.isLastBlock = state.isEnded && state.pendingBytes === 0;
  result.ctxDw0 = state.pendingBytes > 0 ? CTX_STATE.lastBlockNoSpace : CTX_STATE.none;
  result.ctxDw1 = 0;
  result.ctxDw2 = state.historyBytes;
  return { result, contextBytes: saveCompressState(whole, context, state) };
}

/** Delivers output that earlier jobs had no room for. @returns how many bytes */
function drain(
  whole: Uint8Array,
  context: MemoryRange,
  state: CompressState,
  destination: MemoryRange,
): number {
  const bytes = Math.min(state.pendingBytes, destination.bytes);
  const from = pendingOffset(context);
  whole.copyWithin(destination.offset, from, from + bytes);
  whole.copyWithin(from, from + bytes, from + state.pendingBytes);
  state.pendingBytes -= bytes;
  return bytes;
}

/** The job's input with its history right before it: in place while there is no history, else behind what lies there already. */
function joinHistory(
  whole: Uint8Array,
  { source, staging, context, kept }: CompressRanges,
  { historyBytes }: CompressState,
  bytes: number,
): { input: MemoryRange; continues: boolean } {
  if (historyBytes === 0) {
    kept.end = 0;
    return { input: { offset: source.offset, bytes }, continues: false };
  }
  const from = historyOffset(context);
  const history = whole.subarray(from, from + historyBytes);
  const limit = staging.offset + Math.min(staging.bytes, KEPT_BYTES);
  // compared, not believed: clients can write to the context
  const continues =
    kept.end > 0 &&
    kept.end + bytes <= limit &&
    Buffer.compare(history, whole.subarray(kept.end - historyBytes, kept.end)) === 0;
  const offset = continues ? kept.end : staging.offset;
  if (!continues) whole.copyWithin(offset - historyBytes, from, from + historyBytes);
  if (source.offset !== offset) whole.copyWithin(offset, source.offset, source.offset + bytes);
  kept.end = offset + bytes;
  return { input: { offset, bytes }, continues };
}

/** The newest bytes of history and input become the next job's history. */
function keepHistory(
  whole: Uint8Array,
  context: MemoryRange,
  state: CompressState,
  { offset, bytes }: MemoryRange,
): void {
  if (bytes === 0) return;
  const end = offset + bytes;
  state.historyBytes = Math.min(HISTORY_BYTES, state.historyBytes + bytes);
  whole.copyWithin(historyOffset(context), end - state.historyBytes, end);
}
