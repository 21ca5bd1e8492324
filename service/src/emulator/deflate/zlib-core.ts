import { constants, crc32, deflateRawSync } from 'node:zlib';
import { adler32 } from '../../platform/adler32.ts';
import type { ChecksumKind, DeflateJob, DeflateResult, Deflater, MemoryRange } from './core.ts';

const MIN_WINDOW_BITS = 9;

function checksumOf(kind: ChecksumKind, bytes: Uint8Array, seed: number): number {
  switch (kind) {
    case 'none':
      return 0;
    case 'crc32':
      return crc32(bytes, seed);
    case 'adler32':
      return adler32(bytes, seed);
  }
}

/**
 * Node's own zlib as a compressor: the yardstick, and a second opinion. It has no inflate side, because node:zlib
 * cannot stop at a full destination or tell the end of a raw stream without bytes behind it.
 */
export function createZlibDeflater(memory: WebAssembly.Memory): Deflater {
  const view = ({ offset, bytes }: MemoryRange) => new Uint8Array(memory.buffer, offset, bytes);
  return {
    name: 'zlib',
    takesHistory: true,
    deflate(job: DeflateJob): DeflateResult {
      const source = view(job.source);
      const history = job.historyBytes ?? 0;
      const output = deflateRawSync(source, {
        level: job.level,
        windowBits: Math.max(MIN_WINDOW_BITS, Math.floor(Math.log2(job.windowBytes))),
        ...(history > 0 ? { dictionary: view({ offset: job.source.offset - history, bytes: history }) } : {}),
        finishFlush: job.isFinal ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
      });
      if (output.length > job.destination.bytes) return { outcome: 'output-full', produced: 0, checksum: 0 };
      view(job.destination).set(output);
      return {
        outcome: 'done',
        produced: output.length,
        checksum: checksumOf(job.checksum, source, job.checksumSeed),
      };
    },
  };
}
