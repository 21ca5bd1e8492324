import type { DeflateCore, MemoryRange } from '../src/emulator/deflate/core.ts';
import { createWasmCore, WASM_SCRATCH_BYTES } from '../src/emulator/deflate/wasm-core.ts';

const PAGES = 65536 / 8; // 512 MiB: one stream of 256 MiB and its output
const CONTEXT = 0x100000;
const SOURCE = 0x200000;
const DESTINATION = 0x1800_0000;
const PAGE_BYTES = 65536;
const WINDOW_BYTES = 32768;
/** What output may have beyond its input. */
const ROOM_BYTES = 4096;

export type Machine = ReturnType<typeof openMachine>;

/** Shared memory where bare core calls find their buffers, as the engine's clients have them. */
export function openMachine() {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const heap = new Uint8Array(memory.buffer);
  const destinationBytes = PAGES * PAGE_BYTES - DESTINATION;

  const compress = (core: DeflateCore, source: MemoryRange, level: number, to = DESTINATION): Uint8Array => {
    const result = core.deflate({
      level,
      windowBytes: WINDOW_BYTES,
      isFinal: true,
      checksum: 'crc32',
      checksumSeed: 0,
      source,
      destination: { offset: to, bytes: Math.min(source.bytes + ROOM_BYTES, destinationBytes) },
    });
    if (result.outcome !== 'done') throw new Error(`${core.name} level ${level}: ${result.outcome}`);
    return heap.subarray(to, to + result.produced);
  };

  return {
    memory,

    /** Lays buffers out one behind the other. */
    place(buffers: readonly Buffer[]): MemoryRange[] {
      let offset = SOURCE;
      return buffers.map((buffer) => {
        heap.set(buffer, offset);
        const range = { offset, bytes: buffer.length };
        offset += buffer.length;
        return range;
      });
    },

    /** @param to where output goes; absent: where all output goes @returns the raw DEFLATE stream, valid until the next call */
    compress,

    /** Output places of their own for `count` sources of up to `bytes`. */
    placesOf: (count: number, bytes: number): number[] =>
      Array.from({ length: count }, (_, i) => DESTINATION + i * (bytes + ROOM_BYTES)),

    /** One job over all chunks. @returns bytes of its output */
    compressWhole(core: DeflateCore, chunks: Iterable<Buffer>, bytes: number, level: number): number {
      let offset = SOURCE;
      for (const chunk of chunks) {
        heap.set(chunk, offset);
        offset += chunk.length;
      }
      return compress(core, { offset: SOURCE, bytes }, level).length;
    },

    /** @returns the bytes, valid until the next call */
    decompress(core: DeflateCore, source: MemoryRange, capacity: number): Uint8Array {
      const result = core.inflate({
        checksum: 'crc32',
        checksumSeed: 0,
        source,
        destination: { offset: DESTINATION, bytes: capacity },
        context: CONTEXT,
        isNew: true,
      });
      if (result.outcome !== 'end') throw new Error(`${core.name}: ${result.outcome} ${result.reason ?? ''}`);
      return heap.subarray(DESTINATION, DESTINATION + result.produced);
    },
  };
}

/** The cores named; ISA-L only where its library is. */
export async function loadCores(
  memory: WebAssembly.Memory,
  wanted: readonly string[],
): Promise<DeflateCore[]> {
  const cores: DeflateCore[] = [];
  if (wanted.includes('wasm')) {
    cores.push(createWasmCore({ memory, scratch: { offset: 0, bytes: WASM_SCRATCH_BYTES } }));
  }
  if (wanted.includes('isal')) {
    try {
      const { createIsalCore } = await import('../src/emulator/deflate/isal-core.ts');
      cores.push(createIsalCore(memory));
    } catch (error) {
      console.error(`isal core left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return cores;
}

export function releaseCores(cores: readonly DeflateCore[]): void {
  for (const core of cores) core.dispose();
}
