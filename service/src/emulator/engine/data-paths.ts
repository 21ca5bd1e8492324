import type { CoreName } from '../../../../shared/src/telemetry.ts';
import type { DeflateCore, MemoryRange } from '../deflate/core.ts';
import { createIsalCore, ISAL_MAX_LEVEL } from '../deflate/isal-core.ts';
import { createWasmCore } from '../deflate/wasm-core.ts';
import { createZlibDeflater } from '../deflate/zlib-core.ts';
import type { DataPaths } from './engine-core.ts';

/**
 * The data paths of one engine core. ISA-L knows levels 1–3 and inflate with the full window; what is above
 * goes to the WASM core, and so do stateful compression (ISA-L's own state is larger than a context, and would have to
 * be believed when it comes back from a client's memory) and inflate where node:zlib compresses.
 * @param scratch WASM_SCRATCH_BYTES of the shared memory, this core's own
 */
export function createDataPaths(
  name: CoreName,
  memory: WebAssembly.Memory,
  scratch: MemoryRange,
  module?: WebAssembly.Module,
): DataPaths {
  const wasm = (): DeflateCore => createWasmCore({ memory, scratch, ...(module ? { module } : {}) });
  switch (name) {
    case 'zlib': {
      const zlib = createZlibDeflater(memory);
      const inflater = wasm();
      return { forLevel: () => zlib, forHistory: zlib, inflater, portableInflater: inflater };
    }
    case 'isal': {
      const isal = createIsalCore(memory);
      const thorough = wasm();
      return {
        forLevel: (level) => (level <= ISAL_MAX_LEVEL ? isal : thorough),
        forHistory: thorough,
        inflater: isal,
        portableInflater: thorough,
      };
    }
    case 'wasm': {
      const core = wasm();
      return { forLevel: () => core, forHistory: core, inflater: core, portableInflater: core };
    }
  }
}
