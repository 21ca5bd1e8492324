import type { CoreName } from '../../../../shared/src/telemetry.ts';
import { CTX, CTX_STATE, STATUS, STREAM_CONTEXT_HW_OFFSET } from '../../hw-abi/zip-sqe.ts';
import type { Deflater, Inflater, MemoryRange } from '../deflate/core.ts';
import { type EngineJob, type EngineResult, failedResult } from './job.ts';
import { type CoreRanges, gather, outputRange, scatter } from './staging.ts';
import { TRAILER_BYTES, trailerMatches, writeTrailer } from './trailer.ts';

/** The data paths of one engine core: which one compresses depends on the level. */
export interface DataPaths {
  forLevel(level: number): Deflater;
  readonly inflater: Inflater;
}

const FINAL_BLOCK_SEEN = 1 << CTX.finalBlockSeen.shift;
const CHECKSUM_START = { none: 0, crc32: 0, adler32: 1 } as const;

/**
 * One engine core: runs jobs one at a time on the shared memory, adds and checks trailers, keeps running checksums.
 * The same code is a worker thread's core and the polled core.
 */
export class EngineCore {
  private whole: Uint8Array;

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly paths: DataPaths,
    private readonly ranges: CoreRanges,
  ) {
    this.whole = new Uint8Array(memory.buffer);
  }

  run(job: EngineJob): EngineResult {
    if (this.whole.buffer !== this.memory.buffer) this.whole = new Uint8Array(this.memory.buffer);
    return job.operation === 'compress' ? this.compress(job) : this.decompress(job);
  }

  private compress(job: EngineJob): EngineResult {
    const started = performance.now();
    const path = this.paths.forLevel(job.level);
    const source = gather(this.whole, job.source, this.ranges.source);
    const destination = outputRange(job.destination, this.ranges.destination);
    if (!source || !destination) return failedResult(job, STATUS.badRequest, path.name);
    const trailerBytes = job.isFinal ? TRAILER_BYTES[job.checksum] : 0;
    const isContinued = job.isStateful && !job.isStreamNew;
    const room = { offset: destination.offset, bytes: destination.bytes - trailerBytes };
    if (room.bytes < 0) return failedResult(job, STATUS.outputExhausted, path.name);
    const result = path.deflate({
      level: job.level,
      windowBytes: job.windowBytes,
      isFinal: job.isFinal,
      checksum: job.checksum,
      checksumSeed: isContinued ? job.checksumIn : CHECKSUM_START[job.checksum],
      source,
      destination: room,
    });
    if (result.outcome === 'output-full') return failedResult(job, STATUS.outputExhausted, path.name);
    const isize = ((isContinued ? job.isizeIn : 0) + source.bytes) >>> 0;
    const produced = result.produced + trailerBytes;
    if (trailerBytes > 0)
      writeTrailer(this.whole, destination.offset + result.produced, job.checksum, result.checksum, isize);
    scatter(this.whole, destination, job.destination, produced);
    return {
      ...failedResult(job, produced > source.bytes ? STATUS.negativeCompression : STATUS.ok, path.name),
      isLastBlock: job.isFinal,
      consumed: source.bytes,
      produced,
      checksum: result.checksum,
      isize,
      busyUs: (performance.now() - started) * 1000,
    };
  }

  private decompress(job: EngineJob): EngineResult {
    const path = this.paths.inflater;
    const source = gather(this.whole, job.source, this.ranges.source);
    const destination = outputRange(job.destination, this.ranges.destination);
    if (!source || !destination) return failedResult(job, STATUS.badRequest, path.name);
    const started = performance.now();
    const isContinued = job.isStateful && !job.isStreamNew;
    if (isContinued && (job.ctxDw0 & FINAL_BLOCK_SEEN) !== 0)
      return this.endOfStream(job, path.name, source, 0, {
        produced: 0,
        checksum: job.checksumIn,
        isize: job.isizeIn,
      });
    const result = path.inflate({
      checksum: job.checksum,
      checksumSeed: isContinued ? job.checksumIn : CHECKSUM_START[job.checksum],
      source,
      destination,
      context: job.isStateful ? job.context - STREAM_CONTEXT_HW_OFFSET : this.ranges.context.offset,
      isNew: !isContinued,
    });
    scatter(this.whole, destination, job.destination, result.produced);
    const isize = ((isContinued ? job.isizeIn : 0) + result.produced) >>> 0;
    const state = { produced: result.produced, checksum: result.checksum, isize };
    const busyUs = (performance.now() - started) * 1000;
    const answer = {
      ...failedResult(job, STATUS.ok, path.name),
      ...state,
      consumed: result.consumed,
      busyUs,
    };
    switch (result.outcome) {
      case 'end':
        return { ...this.endOfStream(job, path.name, source, result.consumed, state), busyUs };
      case 'more':
        return { ...answer, ctxDw0: CTX_STATE.none };
      case 'output-full':
        return {
          ...answer,
          status: job.isStateful ? STATUS.ok : STATUS.outputExhausted,
          ctxDw0: CTX_STATE.inflateNoSpace,
        };
      case 'corrupt':
        return { ...answer, status: STATUS.corruptData };
    }
  }

  /** The DEFLATE data is complete; check the trailer if all of it is here, else ask for it. */
  private endOfStream(
    job: EngineJob,
    core: CoreName,
    source: MemoryRange,
    consumed: number,
    state: { produced: number; checksum: number; isize: number },
  ): EngineResult {
    const trailerBytes = TRAILER_BYTES[job.checksum];
    const answer = { ...failedResult(job, STATUS.decompressionEnd, core), ...state, isLastBlock: true };
    if (source.bytes - consumed < trailerBytes)
      return { ...answer, status: STATUS.ok, isLastBlock: false, consumed, ctxDw0: FINAL_BLOCK_SEEN };
    const matches = trailerMatches(this.whole, source.offset + consumed, job.checksum, state.checksum);
    return {
      ...answer,
      status: matches ? STATUS.decompressionEnd : STATUS.checksum,
      consumed: consumed + trailerBytes,
    };
  }
}
