import { adler32 } from '../../platform/adler32.ts';
import { ffi } from '../../platform/ffi.ts';
import type {
  ChecksumKind,
  DeflateCore,
  DeflateJob,
  DeflateResult,
  InflateJob,
  InflatePosition,
  InflateResult,
} from './core.ts';

/**
 * Intel ISA-L's igzip through FFI: compression levels 1–3 and inflate. Structure offsets are those of libisal.so.2
 * (ABI 2, x86-64 and arm64: igzip_lib.h, struct isal_zstream and struct inflate_state); the self-test in
 * core-self-test.ts runs in a process of its own before a library is trusted with them.
 */
const LIBRARY_NAMES = ['libisal.so.2', 'libisal.2.dylib'];
export const ISAL_MAX_LEVEL = 3;

const ZSTREAM_BYTES = 82384;
const ZSTREAM = {
  nextIn: 0,
  availIn: 8,
  nextOut: 16,
  availOut: 24,
  totalOut: 28,
  level: 40,
  levelBufferBytes: 44,
  levelBuffer: 48,
  endOfStream: 56,
  flush: 58,
  gzipFlag: 60,
  histBits: 62,
} as const;
const INFLATE_BYTES = 87368;
const INFLATE = {
  nextOut: 0,
  availOut: 8,
  nextIn: 16,
  readIn: 24,
  availIn: 32,
  readInLength: 36,
  blockState: 21160,
  finalBlock: 21168,
  storedLeft: 21184,
  tmpInSize: 21206,
  windowFill: 21208,
} as const;
const WINDOW_BYTES = 32768;
/** enum isal_block_state. */
const BLOCK = { newHeader: 0, header: 1, stored: 2, finish: 5 } as const;

/** ISAL_DEF_LVLn_DEFAULT: working memory by level. */
const LEVEL_BUFFER_BYTES = [0, 282_624, 331_776, 348_160];
const FLUSH = { none: 0, full: 2 } as const;
const COMP_OK = 0;
const STATELESS_OVERFLOW = -1;

const CORRUPT_REASONS: Record<number, string> = {
  [-1]: 'invalid block',
  [-2]: 'invalid symbol',
  [-3]: 'invalid distance',
};

interface Library {
  deflateStatelessInit(stream: Buffer): void;
  deflateStateless(stream: Buffer): number;
  inflateInit(state: Buffer): void;
  inflate(state: Buffer): number;
  crc32(seed: number, address: number, length: number): number;
}

function loadLibrary(): Library {
  const failures: string[] = [];
  for (const name of LIBRARY_NAMES) {
    try {
      const library = ffi().load(name);
      return {
        deflateStatelessInit: library.func('void isal_deflate_stateless_init(void *stream)'),
        deflateStateless: library.func('int isal_deflate_stateless(void *stream)'),
        inflateInit: library.func('void isal_inflate_init(void *state)'),
        inflate: library.func('int isal_inflate(void *state)'),
        crc32: library.func('uint32_t crc32_gzip_refl(uint32_t seed, uintptr_t buffer, uint64_t length)'),
      };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(`no ISA-L library: ${failures.join('; ')}`);
}

/** @throws Error when the library is not there */
export function createIsalCore(memory: WebAssembly.Memory): DeflateCore {
  const library = loadLibrary();
  const zstream = Buffer.from(new ArrayBuffer(ZSTREAM_BYTES));
  // words, not Buffer's checked writers and BigInts: for a job of 2 KiB they would be a tenth of the call
  const words = new Uint32Array(zstream.buffer);
  const halfWords = new Uint16Array(zstream.buffer);
  const setAddress = (at: number, address: number): void => {
    words[at / 4] = address;
    words[at / 4 + 1] = address / 0x1_0000_0000;
  };
  const levelBuffers = LEVEL_BUFFER_BYTES.map((bytes) => {
    const buffer = Buffer.alloc(bytes);
    return { buffer, bytes, address: bytes === 0 ? 0 : Number(ffi().address(buffer)) };
  });
  /** Inflate state (85 KiB) does not fit the hardware's 64 KiB context, so it lives here, by context address. */
  const states = new Map<number, Buffer>();
  const spares: Buffer[] = [];
  /** Shared memory grows in place, so it keeps its host address. */
  const memoryBase = Number(ffi().address(new Uint8Array(memory.buffer, 0, 1)));
  const hostAddress = (offset: number): bigint => BigInt(memoryBase + offset);

  const checksum = (kind: ChecksumKind, seed: number, offset: number, bytes: number): number => {
    if (kind === 'none') return 0;
    // by address, because a view for each job costs as much as half the sum of 2 KiB
    if (kind === 'crc32') return library.crc32(seed, memoryBase + offset, bytes);
    return adler32(new Uint8Array(memory.buffer, offset, bytes), seed);
  };

  return {
    name: 'isal',
    takesHistory: false,
    checksWindow: false,
    keepsStateInContext: false,
    deflate(job: DeflateJob): DeflateResult {
      const level = Math.min(job.level, ISAL_MAX_LEVEL);
      const levelBuffer = levelBuffers[level];
      library.deflateStatelessInit(zstream);
      setAddress(ZSTREAM.nextIn, memoryBase + job.source.offset);
      words[ZSTREAM.availIn / 4] = job.source.bytes;
      setAddress(ZSTREAM.nextOut, memoryBase + job.destination.offset);
      words[ZSTREAM.availOut / 4] = job.destination.bytes;
      words[ZSTREAM.level / 4] = level;
      if (levelBuffer) {
        words[ZSTREAM.levelBufferBytes / 4] = levelBuffer.bytes;
        setAddress(ZSTREAM.levelBuffer, levelBuffer.address);
      }
      halfWords[ZSTREAM.endOfStream / 2] = job.isFinal ? 1 : 0;
      halfWords[ZSTREAM.flush / 2] = job.isFinal ? FLUSH.none : FLUSH.full;
      halfWords[ZSTREAM.histBits / 2] = 31 - Math.clz32(job.windowBytes);
      const status = library.deflateStateless(zstream);
      if (status === STATELESS_OVERFLOW) return { outcome: 'output-full', produced: 0, checksum: 0 };
      if (status !== COMP_OK) throw new Error(`isal_deflate_stateless answered ${status}`);
      return {
        outcome: 'done',
        produced: words[ZSTREAM.totalOut / 4] ?? 0,
        checksum: checksum(job.checksum, job.checksumSeed, job.source.offset, job.source.bytes),
      };
    },
    inflate(job: InflateJob): InflateResult {
      let state = states.get(job.context);
      if (!state && !job.isNew)
        return { outcome: 'state-lost', consumed: 0, produced: 0, checksum: job.checksumSeed };
      if (!state) {
        state = spares.pop() ?? Buffer.alloc(INFLATE_BYTES);
        states.set(job.context, state);
        library.inflateInit(state);
      } else if (job.isNew) library.inflateInit(state);
      state.writeBigUInt64LE(hostAddress(job.source.offset), INFLATE.nextIn);
      state.writeUInt32LE(job.source.bytes, INFLATE.availIn);
      state.writeBigUInt64LE(hostAddress(job.destination.offset), INFLATE.nextOut);
      state.writeUInt32LE(job.destination.bytes, INFLATE.availOut);
      const status = library.inflate(state);
      const produced = job.destination.bytes - state.readUInt32LE(INFLATE.availOut);
      const left = state.readUInt32LE(INFLATE.availIn);
      const sum = checksum(job.checksum, job.checksumSeed, job.destination.offset, produced);
      if (status < 0) {
        forget(job.context, state);
        return {
          outcome: 'corrupt',
          consumed: 0,
          produced,
          checksum: sum,
          reason: CORRUPT_REASONS[status] ?? 'corrupt',
        };
      }
      if (state.readInt32LE(INFLATE.blockState) === BLOCK.finish) {
        // whole bytes that it read ahead into its bit buffer are not part of the stream
        const readAhead = Math.floor(state.readInt32LE(INFLATE.readInLength) / 8);
        forget(job.context, state);
        return { outcome: 'end', consumed: job.source.bytes - left - readAhead, produced, checksum: sum };
      }
      if (produced < job.destination.bytes)
        return {
          outcome: 'more',
          consumed: job.source.bytes - left,
          produced,
          checksum: sum,
          position: positionOf(state),
        };
      const consumed = job.source.bytes - left - giveBack(state, job.source.bytes - left);
      return { outcome: 'output-full', consumed, produced, checksum: sum, position: positionOf(state) };
    },
    dispose() {
      states.clear();
      spares.length = 0;
    },
  };

  function forget(context: number, state: Buffer): void {
    states.delete(context);
    if (spares.length < 8) spares.push(state);
  }
}

function positionOf(state: Buffer): InflatePosition {
  const block = state.readInt32LE(INFLATE.blockState);
  return {
    isLastBlock: state.readUInt32LE(INFLATE.finalBlock) !== 0,
    isInHeader: block === BLOCK.newHeader || block === BLOCK.header,
    heldBits: state.readInt32LE(INFLATE.readInLength),
    storedLeft: block === BLOCK.stored ? state.readInt32LE(INFLATE.storedLeft) : 0,
    windowFill: Math.min(state.readInt32LE(INFLATE.windowFill), WINDOW_BYTES),
  };
}

/**
 * Takes whole bytes out of the bit buffer again, because the stream may end without needing them: they come again
 * with the next job. Not while the start of a block header is kept aside: that follows the bit buffer's bytes.
 * @param available bytes that this job consumed @returns how many of them were given back
 */
function giveBack(state: Buffer, available: number): number {
  if (state.readInt16LE(INFLATE.tmpInSize) > 0) return 0;
  const bits = state.readInt32LE(INFLATE.readInLength);
  const bytes = Math.min(Math.floor(bits / 8), available);
  const keptBits = bits - bytes * 8;
  state.writeBigUInt64LE(BigInt.asUintN(keptBits, state.readBigUInt64LE(INFLATE.readIn)), INFLATE.readIn);
  state.writeInt32LE(keptBits, INFLATE.readInLength);
  return bytes;
}
