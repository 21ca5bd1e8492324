/**
 * Runs in a process of its own: exits 0 if the core named by the argument compresses and inflates right, so that a
 * library with another ABI takes down this process and not the service.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { CORE_NAMES, type CoreName } from '../../../../shared/src/telemetry.ts';
import { INFLATE_CONTEXT_BYTES } from '../deflate/core.ts';
import { WASM_SCRATCH_BYTES } from '../deflate/wasm-core.ts';
import { createDataPaths } from './data-paths.ts';

const TEXT = Buffer.from(Array.from({ length: 3000 }, (_, i) => `line ${i % 97} of a self-test\n`).join(''));
const PAGES = 64;
const SOURCE = 0x100000;
const DESTINATION = 0x200000;
const CONTEXT = 0x300000;

function selfTest(name: CoreName): string | undefined {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const paths = createDataPaths(name, memory, { offset: 0x10000, bytes: WASM_SCRATCH_BYTES });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(TEXT, SOURCE);
  const source = { offset: SOURCE, bytes: TEXT.length };
  const destination = { offset: DESTINATION, bytes: INFLATE_CONTEXT_BYTES * 4 };
  for (const isFinal of [true, false]) {
    const job = { level: 1, windowBytes: 32768, isFinal, checksum: 'none', checksumSeed: 0 } as const;
    const made = paths.forLevel(1).deflate({ ...job, source, destination });
    if (made.outcome !== 'done') return `deflate answered ${made.outcome}`;
    const output = Buffer.from(bytes.slice(DESTINATION, DESTINATION + made.produced));
    const member = isFinal ? output : Buffer.concat([output, Buffer.of(3, 0)]);
    if (!inflateRawSync(member).equals(TEXT)) return 'deflate made wrong bytes';
  }
  const packed = deflateRawSync(TEXT);
  bytes.set(packed, SOURCE);
  const inflated = paths.inflater.inflate({
    checksum: 'crc32',
    checksumSeed: 0,
    source: { offset: SOURCE, bytes: packed.length },
    destination,
    context: CONTEXT,
    isNew: true,
  });
  if (inflated.outcome !== 'end' || inflated.consumed !== packed.length)
    return `inflate answered ${inflated.outcome}`;
  return TEXT.equals(bytes.subarray(DESTINATION, DESTINATION + inflated.produced))
    ? undefined
    : 'inflate made wrong bytes';
}

const name = CORE_NAMES.find((candidate) => candidate === process.argv[2]);
const failure = name ? selfTest(name) : `no core "${process.argv[2]}"`;
if (failure) {
  process.stderr.write(failure);
  process.exit(1);
}
