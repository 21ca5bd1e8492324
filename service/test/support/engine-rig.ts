import type { CoreName, Operation } from '../../../shared/src/telemetry.ts';
import { type PhysAddr, physAddr } from '../../../shared/src/units.ts';
import type { ChecksumKind } from '../../src/emulator/deflate/core.ts';
import { allocateCoreRanges } from '../../src/emulator/engine/core-ranges.ts';
import { createDataPaths } from '../../src/emulator/engine/data-paths.ts';
import { EngineCore } from '../../src/emulator/engine/engine-core.ts';
import type { EngineJob, EngineResult } from '../../src/emulator/engine/job.ts';
import { STREAM_CONTEXT_BYTES, STREAM_CONTEXT_HW_OFFSET } from '../../src/hw-abi/zip-sqe.ts';
import type { Extent } from '../../src/kernel/iommu/translator.ts';
import { PhysicalMemory } from '../../src/platform/physical-memory.ts';

export const TRAILER_OF: Record<ChecksumKind, number> = { none: 0, crc32: 8, adler32: 4 };

/** Cores that this machine has: ISA-L is a library that may be missing. */
export const ENGINE_CORES: CoreName[] = (['wasm', 'zlib', 'isal'] as const).filter((name) => {
  if (name !== 'isal') return true;
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });
  try {
    createDataPaths(name, memory, { offset: 0, bytes: 1 << 20 });
    return true;
  } catch {
    return false;
  }
});
export const NO_ISAL = ENGINE_CORES.includes('isal') ? false : 'libisal.so.2 is not installed';

const BUFFER_BYTES = 2 << 20;

export interface JobOptions {
  core?: CoreName;
  level?: number;
  windowBytes?: number;
  checksum?: ChecksumKind;
  isFinal?: boolean;
  room?: number;
  /** Cuts both buffers into pieces that lie apart, as a scatter list does. */
  pieces?: number;
}

/** What travels in the SQE from job to job. */
export interface StreamWords {
  isNew: boolean;
  ctxDw0: number;
  ctxDw1: number;
  ctxDw2: number;
  checksum: number;
  isize: number;
}

/** Engine cores of every kind over one memory, given jobs as the device's front end gives them. */
export class EngineRig {
  readonly memory = new PhysicalMemory(256 * 1024 * 1024);
  private readonly engines = new Map<CoreName, EngineCore>();
  private readonly source = this.memory.allocate(BUFFER_BYTES);
  private readonly destination = this.memory.allocate(BUFFER_BYTES);
  readonly contexts = Array.from({ length: 3 }, () => this.memory.allocate(STREAM_CONTEXT_BYTES));

  constructor() {
    for (const name of ENGINE_CORES) {
      const ranges = allocateCoreRanges(this.memory);
      const paths = createDataPaths(name, this.memory.wasm, ranges.scratch);
      this.engines.set(name, new EngineCore(this.memory.wasm, paths, ranges));
    }
  }

  /** @param stream absent: stateless */
  run(
    operation: Operation,
    input: Uint8Array,
    options: JobOptions = {},
    stream?: { words: StreamWords; context?: number },
  ): { result: EngineResult; output: Buffer } {
    const { core = 'wasm', room = BUFFER_BYTES / 2, pieces = 1 } = options;
    const engine = this.engines.get(core);
    if (!engine) throw new Error(`no core ${core}`);
    const source = scatter(this.source, input.length, pieces);
    const destination = scatter(this.destination, room, pieces);
    let at = 0;
    for (const { address, bytes } of source) {
      this.memory.view(address, bytes).set(input.subarray(at, at + bytes));
      at += bytes;
    }
    const words = stream?.words;
    const context = this.contexts[stream?.context ?? 0] ?? 0;
    const job: EngineJob = {
      operation,
      checksum: options.checksum ?? 'none',
      level: options.level ?? 6,
      windowBytes: options.windowBytes ?? 32768,
      isFinal: options.isFinal ?? true,
      isStateful: stream !== undefined,
      isStreamNew: words?.isNew ?? false,
      source,
      destination,
      context: stream
        ? [
            {
              address: physAddr(context + STREAM_CONTEXT_HW_OFFSET),
              bytes: STREAM_CONTEXT_BYTES - STREAM_CONTEXT_HW_OFFSET,
            },
          ]
        : [],
      ctxDw0: words?.ctxDw0 ?? 0,
      ctxDw1: words?.ctxDw1 ?? 0,
      ctxDw2: words?.ctxDw2 ?? 0,
      checksumIn: words?.checksum ?? 0,
      isizeIn: words?.isize ?? 0,
    };
    const result = engine.run(job);
    if (words) {
      const { ctxDw0, ctxDw1, ctxDw2, checksum, isize } = result;
      Object.assign(words, { isNew: false, ctxDw0, ctxDw1, ctxDw2, checksum, isize });
    }
    const output = Buffer.concat(
      destination.map(({ address, bytes }) => Buffer.from(this.memory.view(address, bytes))),
    ).subarray(0, result.produced);
    return { result, output };
  }
}

export const newWords = (): StreamWords => ({
  isNew: true,
  ctxDw0: 0,
  ctxDw1: 0,
  ctxDw2: 0,
  checksum: 0,
  isize: 0,
});

/** `bytes` bytes from `base` on in `pieces` pieces with gaps between them. */
function scatter(base: PhysAddr, bytes: number, pieces: number): Extent[] {
  const extents: Extent[] = [];
  let left = bytes;
  let at: number = base;
  for (let piece = pieces; piece > 0 && left > 0; piece--) {
    const size = piece === 1 ? left : Math.min(left, Math.ceil(bytes / pieces));
    extents.push({ address: physAddr(at), bytes: size });
    at += size + (pieces > 1 ? 96 : 0);
    left -= size;
  }
  return extents;
}
