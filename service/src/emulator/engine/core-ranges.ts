import { MAX_FLAT_BYTES, STREAM_CONTEXT_BYTES } from '../../hw-abi/zip-sqe.ts';
import type { PhysicalMemory } from '../../platform/physical-memory.ts';
import type { MemoryRange } from '../deflate/core.ts';
import { WASM_SCRATCH_BYTES } from '../deflate/wasm-core.ts';
import { HISTORY_BYTES } from './compress-context.ts';
import type { CoreRanges } from './dma.ts';

/** Takes one core's share of RAM. The host commits it page by page on first touch, so unused staging costs nothing. */
export function allocateCoreRanges(memory: PhysicalMemory): CoreRanges {
  const range = (bytes: number): MemoryRange => ({ offset: memory.allocate(bytes), bytes });
  const input = range(HISTORY_BYTES + MAX_FLAT_BYTES);
  return {
    history: { offset: input.offset, bytes: HISTORY_BYTES },
    source: { offset: input.offset + HISTORY_BYTES, bytes: MAX_FLAT_BYTES },
    destination: range(MAX_FLAT_BYTES),
    context: range(STREAM_CONTEXT_BYTES),
    scratch: range(WASM_SCRATCH_BYTES),
  };
}
