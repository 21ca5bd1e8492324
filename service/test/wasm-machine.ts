import { type ChecksumKind, type DeflateCore, INFLATE_CONTEXT_BYTES } from '../src/emulator/deflate/core.ts';
import { createWasmCore, WASM_SCRATCH_BYTES } from '../src/emulator/deflate/wasm-core.ts';

/** What a job left behind, its bytes copied out of the shared memory. */
export interface JobAnswer {
  outcome: string;
  consumed: number;
  produced: number;
  checksum: number;
  reason?: string | undefined;
  bytes: Buffer;
}

export interface CompressOptions {
  level?: number;
  windowBytes?: number;
  isFinal?: boolean;
  checksum?: ChecksumKind;
  checksumSeed?: number;
  /** Room in the destination; by default more than any input can need. */
  capacity?: number;
}

export interface DecompressOptions {
  checksum?: ChecksumKind;
  checksumSeed?: number;
  isNew?: boolean;
  /** Which of the machine's contexts holds the stream. */
  stream?: number;
  /** Which of the machine's cores runs the job. */
  core?: number;
}

const GUARD_BYTES = 64;
const GUARD = 0xa5;
const CONTEXTS = 4;
const BUFFER_BYTES = 4 << 20;

/** Shared memory with `coreCount` instances of the wasm core in it, and guards around every buffer of a job. */
export function wasmMachine(coreCount = 1) {
  const contexts = coreCount * WASM_SCRATCH_BYTES;
  const source = contexts + CONTEXTS * INFLATE_CONTEXT_BYTES;
  const destination = source + BUFFER_BYTES;
  const pages = Math.ceil((destination + 2 * BUFFER_BYTES) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const heap = new Uint8Array(memory.buffer);
  const cores: DeflateCore[] = Array.from({ length: coreCount }, (_, i) =>
    createWasmCore({ memory, scratch: { offset: i * WASM_SCRATCH_BYTES, bytes: WASM_SCRATCH_BYTES } }),
  );

  const coreOf = (index: number): DeflateCore => {
    const core = cores[index];
    if (core === undefined) throw new RangeError(`the machine has no core ${index}`);
    return core;
  };

  /** Ends the input flush with the guard, so that a read behind it would see the guard and not zeros. */
  const putSource = (input: Uint8Array): { offset: number; bytes: number } => {
    const offset = source + GUARD_BYTES + (input.length & 7);
    heap.fill(GUARD, offset - GUARD_BYTES, offset);
    heap.set(input, offset);
    heap.fill(GUARD, offset + input.length, offset + input.length + GUARD_BYTES);
    return { offset, bytes: input.length };
  };

  const room = (capacity: number): { offset: number; bytes: number } => {
    const offset = destination + GUARD_BYTES + (capacity & 7);
    heap.fill(GUARD, offset - GUARD_BYTES, offset);
    heap.fill(GUARD, offset + capacity, offset + capacity + GUARD_BYTES);
    return { offset, bytes: capacity };
  };

  const requireGuards = ({ offset, bytes }: { offset: number; bytes: number }): void => {
    for (let i = 1; i <= GUARD_BYTES; i++) {
      if (heap[offset - i] !== GUARD) throw new Error(`byte −${i} before the destination was written`);
      if (heap[offset + bytes + i - 1] !== GUARD)
        throw new Error(`byte ${i} behind the destination was written`);
    }
  };

  return {
    memory,
    heap,
    cores,

    compress(input: Uint8Array, options: CompressOptions = {}): JobAnswer {
      const where = putSource(input);
      const to = room(options.capacity ?? input.length + (input.length >> 8) + 64);
      const result = coreOf(0).deflate({
        level: options.level ?? 6,
        windowBytes: options.windowBytes ?? 32768,
        isFinal: options.isFinal ?? true,
        checksum: options.checksum ?? 'none',
        checksumSeed: options.checksumSeed ?? 0,
        source: where,
        destination: to,
      });
      requireGuards(to);
      const bytes = Buffer.from(heap.slice(to.offset, to.offset + result.produced));
      return { ...result, consumed: input.length, bytes };
    },

    decompress(input: Uint8Array, capacity: number, options: DecompressOptions = {}): JobAnswer {
      const where = putSource(input);
      const to = room(capacity);
      const result = coreOf(options.core ?? 0).inflate({
        checksum: options.checksum ?? 'none',
        checksumSeed: options.checksumSeed ?? 0,
        source: where,
        destination: to,
        context: contexts + (options.stream ?? 0) * INFLATE_CONTEXT_BYTES,
        isNew: options.isNew ?? true,
      });
      if (result instanceof Promise) throw new Error('the wasm core answers at once');
      requireGuards(to);
      const bytes = Buffer.from(heap.slice(to.offset, to.offset + result.produced));
      return { ...result, bytes };
    },

    /**
     * A whole stream in many jobs: `inputSize` and `room` say how much each job gets, `core` which core runs it.
     * Ends at the first outcome that is neither "more" with input left nor "output-full", or, as output-full, after `jobs`.
     */
    decompressInJobs(
      input: Uint8Array,
      sizes: {
        inputSize: () => number;
        room: () => number;
        core?: () => number;
        checksum?: ChecksumKind;
        jobs?: number;
      },
    ): JobAnswer {
      const parts: Buffer[] = [];
      let at = 0;
      let isNew = true;
      let jobs = sizes.jobs ?? Number.POSITIVE_INFINITY;
      let checksumSeed = sizes.checksum === 'adler32' ? 1 : 0;
      for (;;) {
        const piece = input.subarray(at, at + sizes.inputSize());
        const answer = this.decompress(piece, sizes.room(), {
          isNew,
          checksumSeed,
          checksum: sizes.checksum ?? 'none',
          core: sizes.core?.() ?? 0,
        });
        isNew = false;
        at += answer.consumed;
        checksumSeed = answer.checksum;
        parts.push(answer.bytes);
        const isOver = answer.outcome === 'more' && at >= input.length;
        const isCut = --jobs === 0;
        if (answer.outcome === 'end' || answer.outcome === 'corrupt' || isOver || isCut) {
          const bytes = Buffer.concat(parts);
          const outcome = isCut ? 'output-full' : answer.outcome;
          return { ...answer, outcome, consumed: at, produced: bytes.length, bytes };
        }
      }
    },
  };
}

export type WasmMachine = ReturnType<typeof wasmMachine>;
