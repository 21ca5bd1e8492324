import { performance } from 'node:perf_hooks';
import type { CoreName } from '../../../../shared/src/telemetry.ts';
import {
  CTX,
  LARGEST_WINDOW_BYTES,
  MIN_STATEFUL_OUTPUT_BYTES,
  STATUS,
  STREAM_CONTEXT_HW_OFFSET,
} from '../../hw-abi/zip-sqe.ts';
import type { Extent } from '../../kernel/iommu/translator.ts';
import type { Deflater, Inflater, MemoryRange } from '../deflate/core.ts';
import { contextWords } from './context-words.ts';
import { type CoreRanges, Dma, DmaFault, totalBytes } from './dma.ts';
import { CHECKSUM_START, type EngineJob, type EngineResult, failedResult } from './job.ts';
import { compressStateful, type KeptInput } from './stateful-compress.ts';
import { TRAILER_BYTES, trailerMatches, writeTrailer } from './trailer.ts';

/** The data paths of one engine core. */
export interface DataPaths {
  /** Which one compresses depends on the level. */
  forLevel(level: number): Deflater;
  /** For stateful streams: takes history. */
  readonly forHistory: Deflater;
  readonly inflater: Inflater;
  /** For streams whose context is brought here for each job: keeps all its state in the context. */
  readonly portableInflater: Inflater;
}

const FINAL_BLOCK_SEEN = 1 << CTX.finalBlockSeen.shift;
const DATA_ENDED = 1 << CTX.dataEnded.shift;

/**
 * One engine core: runs jobs one at a time on the shared memory, adds and checks trailers, keeps running checksums.
 * The same code is a worker thread's core and the polled core.
 */
export class EngineCore {
  private whole: Uint8Array;
  private dma: Dma;
  private readonly kept: KeptInput = { end: 0 };

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly paths: DataPaths,
    private readonly ranges: CoreRanges,
  ) {
    this.whole = new Uint8Array(memory.buffer);
    this.dma = new Dma(this.whole);
  }

  run(job: EngineJob): EngineResult {
    if (this.isBeyond(job.source) || this.isBeyond(job.destination) || this.isBeyond(job.context)) {
      this.whole = new Uint8Array(this.memory.buffer);
      this.dma = new Dma(this.whole);
    }
    const started = performance.now();
    try {
      const result = this.dispatch(job);
      result.busyUs = (performance.now() - started) * 1000;
      return result;
    } catch (error) {
      if (!(error instanceof DmaFault)) throw error;
      const { offset, access } = error;
      const part = access === 'read' ? 'source' : 'destination';
      return {
        ...failedResult(job, STATUS.busError, this.paths.inflater.name),
        fault: { part, offset, access },
      };
    }
  }

  /** Whether the memory has grown since it was looked at. To ask `memory.buffer` for each job costs as much as the IOMMU. */
  private isBeyond(extents: readonly Extent[]): boolean {
    for (const { address, bytes, pid } of extents)
      if (pid === undefined && address + bytes > this.whole.length) return true;
    return false;
  }

  private dispatch(job: EngineJob): EngineResult {
    if (job.isStateful && totalBytes(job.destination) < MIN_STATEFUL_OUTPUT_BYTES)
      return failedResult(job, STATUS.outputExhausted, this.paths.inflater.name);
    if (job.operation === 'decompress') return this.decompress(job);
    return job.isStateful ? this.compressStateful(job) : this.compress(job);
  }

  private compress(job: EngineJob): EngineResult {
    const path = this.paths.forLevel(job.level);
    const source = this.dma.read(job.source, this.ranges.source);
    const destination = this.dma.place(job.destination, this.ranges.destination);
    if (!source || !destination) return failedResult(job, STATUS.badRequest, path.name);
    const trailerBytes = job.isFinal ? TRAILER_BYTES[job.checksum] : 0;
    const room = { offset: destination.offset, bytes: destination.bytes - trailerBytes };
    if (room.bytes < 0) return failedResult(job, STATUS.outputExhausted, path.name);
    const result = path.deflate({
      level: job.level,
      windowBytes: job.windowBytes,
      isFinal: job.isFinal,
      checksum: job.checksum,
      checksumSeed: CHECKSUM_START[job.checksum],
      source,
      destination: room,
    });
    if (result.outcome === 'output-full') return failedResult(job, STATUS.outputExhausted, path.name);
    const isize = source.bytes;
    const produced = result.produced + trailerBytes;
    if (trailerBytes > 0)
      writeTrailer(this.whole, destination.offset + result.produced, job.checksum, result.checksum, isize);
    this.dma.write(destination, this.ranges.destination, job.destination, produced);
    const status = produced > source.bytes ? STATUS.negativeCompression : STATUS.ok;
    const answer = failedResult(job, status, path.name);
    answer.isLastBlock = job.isFinal;
    answer.consumed = source.bytes;
    answer.produced = produced;
    answer.checksum = result.checksum;
    answer.isize = isize;
    return answer;
  }

  private compressStateful(job: EngineJob): EngineResult {
    const path = this.paths.forHistory;
    const source = this.dma.read(job.source, this.ranges.source);
    const destination = this.dma.place(job.destination, this.ranges.destination);
    if (!source || !destination) return failedResult(job, STATUS.badRequest, path.name);
    const context = this.bringContext(job, !job.isStreamNew);
    const { result, contextBytes } = compressStateful(this.whole, path, job, {
      source,
      destination,
      context,
      staging: this.ranges.source,
      overflow: this.ranges.destination,
      kept: this.kept,
    });
    this.dma.write(destination, this.ranges.destination, job.destination, result.produced);
    this.dma.write(context, this.contextStaging, job.context, contextBytes);
    return result;
  }

  private decompress(job: EngineJob): EngineResult {
    // a context that is staged has no address of its own by which a core could keep state
    const isStaged = job.context.length > 1 || job.context.some(({ pid }) => pid !== undefined);
    const { inflater, portableInflater } = this.paths;
    const isLimited = job.windowBytes < LARGEST_WINDOW_BYTES && !inflater.checksWindow;
    const path = isStaged || isLimited ? portableInflater : inflater;
    const source = this.dma.read(job.source, this.ranges.source);
    const destination = this.dma.place(job.destination, this.ranges.destination);
    if (!source || !destination) return failedResult(job, STATUS.badRequest, path.name);
    const isContinued = job.isStateful && !job.isStreamNew;
    if (isContinued && (job.ctxDw0 & DATA_ENDED) !== 0)
      return this.endOfStream(job, path.name, source, 0, {
        produced: 0,
        checksum: job.checksumIn,
        isize: job.isizeIn,
      });
    const context = this.bringContext(job, isContinued);
    const result = path.inflate({
      checksum: job.checksum,
      checksumSeed: isContinued ? job.checksumIn : CHECKSUM_START[job.checksum],
      source,
      destination,
      windowBytes: job.windowBytes,
      context: context.offset - STREAM_CONTEXT_HW_OFFSET,
      isNew: !isContinued,
    });
    this.dma.write(destination, this.ranges.destination, job.destination, result.produced);
    this.dma.write(context, this.contextStaging, job.context, context.bytes);
    const isize = ((isContinued ? job.isizeIn : 0) + result.produced) >>> 0;
    const state = { produced: result.produced, checksum: result.checksum, isize };
    const answer = {
      ...failedResult(job, STATUS.ok, path.name),
      ...state,
      ...contextWords(result),
      consumed: result.consumed,
    };
    switch (result.outcome) {
      case 'end':
        return this.endOfStream(job, path.name, source, result.consumed, state);
      case 'more':
        return answer;
      case 'output-full':
        return { ...answer, status: job.isStateful ? STATUS.ok : STATUS.outputExhausted };
      case 'corrupt':
        return { ...answer, status: STATUS.corruptData };
      case 'state-lost':
        return { ...answer, status: STATUS.coreFailure };
    }
  }

  /** The device's part of a context, behind the software words. */
  private get contextStaging(): MemoryRange {
    const { offset, bytes } = this.ranges.context;
    return { offset: offset + STREAM_CONTEXT_HW_OFFSET, bytes: bytes - STREAM_CONTEXT_HW_OFFSET };
  }

  /** The stream's context, in place or brought here; a context of the core's own for a stateless job. */
  private bringContext(job: EngineJob, isContinued: boolean): MemoryRange {
    const staging = this.contextStaging;
    const range = isContinued ? this.dma.read(job.context, staging) : this.dma.place(job.context, staging);
    return range ?? staging;
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
      return {
        ...answer,
        status: STATUS.ok,
        isLastBlock: false,
        consumed,
        ctxDw0: DATA_ENDED | FINAL_BLOCK_SEEN,
      };
    const matches = trailerMatches(this.whole, source.offset + consumed, job.checksum, state.checksum);
    return {
      ...answer,
      status: matches ? STATUS.decompressionEnd : STATUS.checksum,
      consumed: consumed + trailerBytes,
    };
  }
}
