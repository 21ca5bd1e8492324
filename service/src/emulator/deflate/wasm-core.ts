import { existsSync, readFileSync } from 'node:fs';
import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { DeflateCore, DeflateJob, InflateJob, InflateOutcome, MemoryRange } from './core.ts';
import { type ChecksumKind, INFLATE_CONTEXT_BYTES } from './core.ts';

/** Scratch bytes that one instance of the core needs, 64-byte aligned; private to it. */
export const WASM_SCRATCH_BYTES = 0xc0000;

const CHECKSUMS: Record<ChecksumKind, number> = { none: 0, crc32: 1, adler32: 2 };

/** Outcome words of the module, by number. */
const INFLATE_OUTCOMES: readonly InflateOutcome[] = ['more', 'end', 'more', 'output-full', 'corrupt'];
const DEFLATE_DONE = 1;

/** Reason words of a corrupt stream, by number; see inflate-header.ts of the assembly. */
const REASONS = [
  'unknown',
  'invalid block type 3',
  'stored block length does not match its complement',
  'too many literal/length or distance codes',
  'invalid code length code',
  'code length repeat without a length or past the last code',
  'no end-of-block code',
  'invalid literal/length code',
  'invalid distance code',
  'literal/length code stands for no symbol',
  'distance code stands for no symbol',
  'distance reaches before the start of the data',
  'context holds no stream of this core',
] as const;

/** Result words at the start of the scratch range. */
const PRODUCED = 0;
const CONSUMED = 1;
const CHECKSUM = 2;
const REASON = 3;
const POSITION = 4;
const STORED_LEFT = 5;
const WINDOW_FILL = 6;
const RESULT_WORDS = 7;

/** Bits of the position word. */
const HELD_BITS = 0xff;
const IS_LAST_BLOCK = 0x100;
const IS_IN_HEADER = 0x200;
const LARGEST_WINDOW_BYTES = 32768;

interface CoreExports {
  init(scratch: number): void;
  scratchBytes(): number;
  checksum(kind: number, seed: number, start: number, bytes: number): number;
  deflateJob(
    source: number,
    sourceBytes: number,
    destination: number,
    destinationBytes: number,
    level: number,
    windowBytes: number,
    isFinal: number,
    checksumKind: number,
    checksumSeed: number,
    historyBytes: number,
    continues: number,
  ): number;
  inflateJob(
    source: number,
    sourceBytes: number,
    destination: number,
    destinationBytes: number,
    context: number,
    isNew: number,
    checksumKind: number,
    checksumSeed: number,
    windowBytes: number,
  ): number;
}

let compiled: WebAssembly.Module | undefined;

/** The compiled module: beside this file in dist/; run from the sources, the build's product is used. */
export function wasmModuleFile(): URL {
  const beside = new URL('./core.wasm', import.meta.url);
  if (existsSync(beside)) return beside;
  return new URL('../../../../dist/service/src/emulator/deflate/core.wasm', import.meta.url);
}

/** The module, compiled once per thread; give it to workers by `workerData` to spare them the compilation. */
export function wasmModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(wasmModuleFile()));
  return compiled;
}

export interface WasmCoreOptions {
  /** Shared memory that holds all jobs' buffers; may grow later. */
  memory: WebAssembly.Memory;
  /** At least WASM_SCRATCH_BYTES, 64-byte aligned, used by nobody else until `dispose`. */
  scratch: MemoryRange;
  /** From `wasmModule()` of another thread. */
  module?: WebAssembly.Module;
}

/** The core that is always there: DEFLATE and INFLATE in WebAssembly, in place on the shared memory. */
export function createWasmCore({ memory, scratch, module = wasmModule() }: WasmCoreOptions): DeflateCore {
  let memoryBytes = memory.buffer.byteLength;
  const isInside = ({ offset, bytes }: MemoryRange): boolean => {
    if (!(offset >= 0 && bytes >= 0)) return false;
    if (offset + bytes > memoryBytes) memoryBytes = memory.buffer.byteLength;
    return offset + bytes <= memoryBytes;
  };
  const requireInside = (what: string, range: MemoryRange): void => {
    if (isInside(range)) return;
    throw new WarpDriveError(
      'WD_E_EINVAL',
      `${what} of ${range.bytes} bytes at ${range.offset} is not inside the memory of ${memoryBytes} bytes`,
      { field: what },
    );
  };

  requireInside('scratch', scratch);
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  const core = instance.exports as unknown as CoreExports;
  if (scratch.bytes < core.scratchBytes() || scratch.offset % 64 !== 0) {
    throw new WarpDriveError(
      'WD_E_EINVAL',
      `scratch of ${scratch.bytes} bytes at ${scratch.offset} must have ${core.scratchBytes()} bytes at a multiple of 64`,
      { field: 'scratch' },
    );
  }
  core.init(scratch.offset);
  const results = new Uint32Array(memory.buffer, scratch.offset, RESULT_WORDS);
  const result = (word: number): number => results[word] ?? 0;
  /** Of the last job: where its source ended, and how many bytes before that the tables know. */
  let knownEnd = 0;
  let knownBytes = 0;

  return {
    name: 'wasm',
    takesHistory: true,
    checksWindow: true,
    keepsStateInContext: true,

    deflate(job: DeflateJob) {
      const historyBytes = job.historyBytes ?? 0;
      requireInside('source', {
        offset: job.source.offset - historyBytes,
        bytes: job.source.bytes + historyBytes,
      });
      requireInside('destination', job.destination);
      // what the tables know beyond the history must be out of the window's reach
      const isKnown = historyBytes === knownBytes || historyBytes >= job.windowBytes;
      const continues = job.continues === true && isKnown && job.source.offset === knownEnd;
      const outcome = core.deflateJob(
        job.source.offset,
        job.source.bytes,
        job.destination.offset,
        job.destination.bytes,
        job.level,
        job.windowBytes,
        job.isFinal ? 1 : 0,
        CHECKSUMS[job.checksum],
        job.checksumSeed,
        historyBytes,
        continues ? 1 : 0,
      );
      knownEnd = outcome === DEFLATE_DONE ? job.source.offset + job.source.bytes : 0;
      knownBytes = (continues ? knownBytes : historyBytes) + job.source.bytes;
      return {
        outcome: outcome === DEFLATE_DONE ? 'done' : 'output-full',
        produced: result(PRODUCED),
        checksum: result(CHECKSUM),
      };
    },

    inflate(job: InflateJob) {
      requireInside('source', job.source);
      requireInside('destination', job.destination);
      requireInside('context', { offset: job.context, bytes: INFLATE_CONTEXT_BYTES });
      const code = core.inflateJob(
        job.source.offset,
        job.source.bytes,
        job.destination.offset,
        job.destination.bytes,
        job.context,
        job.isNew ? 1 : 0,
        CHECKSUMS[job.checksum],
        job.checksumSeed,
        job.windowBytes ?? LARGEST_WINDOW_BYTES,
      );
      const outcome = INFLATE_OUTCOMES[code] ?? 'corrupt';
      const answer = {
        outcome,
        consumed: result(CONSUMED),
        produced: result(PRODUCED),
        checksum: result(CHECKSUM),
        position: {
          isLastBlock: (result(POSITION) & IS_LAST_BLOCK) !== 0,
          isInHeader: (result(POSITION) & IS_IN_HEADER) !== 0,
          heldBits: result(POSITION) & HELD_BITS,
          storedLeft: result(STORED_LEFT),
          windowFill: result(WINDOW_FILL),
        },
      };
      return outcome === 'corrupt' ? { ...answer, reason: REASONS[result(REASON)] ?? REASONS[0] } : answer;
    },

    dispose() {},
  };
}
