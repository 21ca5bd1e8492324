/**
 * Random SQEs, scatter lists and context words: each completes with a named status, and no byte changes but those that
 * it named. Input: operation (byte 0), the SQE (128 bytes), the start of the source window, where lists lie too.
 */
import { deflateRawSync } from 'node:zlib';
import { IOVA, openRig, type Range } from './sqe-rig.ts';
import type { FuzzTarget } from './target.ts';

const SQE_BYTES = 128;
const CONTEXT_BYTES = 0x1_0000 - 64;
const SGE_BYTES = 32;
/** In the source window, behind the data of a seed. */
const [LIST_IN, LIST_OUT] = [0x400, 0x600] as const;

/** Where the parts of an input begin. */
export const FIRST_BYTE = {
  sqe: 1,
  listIn: 1 + SQE_BYTES + LIST_IN,
  listOut: 1 + SQE_BYTES + LIST_OUT,
} as const;

/** All that the SQE names as a place to write. Of lists: whatever looks like an entry, in any window. */
function writableOf(sqe: DataView, windows: Record<string, Uint8Array>): Range[] {
  const at = (word: number): number => Number(sqe.getBigUint64(word * 4, true));
  const ranges: Range[] = [{ from: at(22), bytes: CONTEXT_BYTES }];
  if (((sqe.getUint32(36, true) >> 8) & 15) !== 1)
    return [...ranges, { from: at(20), bytes: sqe.getUint32(56, true) }];
  for (const memory of Object.values(windows)) {
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    for (let entry = 0; entry + SGE_BYTES <= memory.length; entry += SGE_BYTES) {
      const from = Number(view.getBigUint64(entry, true));
      const isPlace = from >= IOVA.source && from < IOVA.context + 0x1_0000;
      if (isPlace) ranges.push({ from, bytes: view.getUint32(entry + 16, true) });
    }
  }
  return ranges;
}

interface Shape {
  operation: number;
  type: number;
  data: Uint8Array;
  isFinal?: boolean;
  isStateful?: boolean;
  isScattered?: boolean;
  room?: number;
}

function seed({
  operation,
  type,
  data,
  isFinal = true,
  isStateful,
  isScattered,
  room = 8192,
}: Shape): Uint8Array {
  const bytes = Buffer.alloc(1 + SQE_BYTES + (isScattered ? 0x800 : 0x400));
  bytes[0] = operation;
  const word = (index: number, value: number): unknown => bytes.writeUInt32LE(value >>> 0, 1 + index * 4);
  word(4, data.length);
  word(7, ((isFinal ? 1 : 0) << 25) | (isStateful ? 3 << 26 : 0) | (3 << 28));
  word(9, type | (isScattered ? 0x100 : 0) | (4 << 12));
  word(14, room);
  word(18, IOVA.source + (isScattered ? LIST_IN : 0));
  word(20, isScattered ? IOVA.source + LIST_OUT : IOVA.destination);
  word(22, IOVA.context + 64);
  bytes.set(data, 1 + SQE_BYTES);
  if (isScattered) {
    list(bytes.subarray(1 + SQE_BYTES + LIST_IN), IOVA.source, data.length);
    list(bytes.subarray(1 + SQE_BYTES + LIST_OUT), IOVA.destination, room);
  }
  return bytes;
}

/** A scatter list over `bytes` bytes in two pieces. */
function list(at: Buffer, address: number, bytes: number): void {
  for (const field of [8, 10, 12]) at.writeUInt16LE(2, field);
  const half = bytes >> 1;
  for (const [index, [from, length]] of [
    [address, half],
    [address + half, bytes - half],
  ].entries()) {
    at.writeBigUInt64LE(BigInt(from ?? 0), 64 + SGE_BYTES * index);
    at.writeUInt32LE(length ?? 0, 64 + SGE_BYTES * index + 16);
  }
}

const PLAIN = Buffer.from('what a queue is asked for, again and again. '.repeat(10));
const address = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

export const sqe: FuzzTarget = {
  name: 'sqe',
  width: 1,
  maxBytes: 4096,
  dictionary: [
    ...Object.values(IOVA).flatMap((base) =>
      [base, base + 64, base + 0xffc0, base + 0x1_0000, base - 64].map(address),
    ),
    ...[0, 2 ** 32, 2 ** 48 - 4096, 2 ** 53, IOVA.source + LIST_IN, IOVA.source + LIST_OUT].map(address),
    Buffer.alloc(8, 255),
    Buffer.from([0, 0, 0x80, 0]),
    Buffer.from([1, 0, 0x80, 0]),
  ],
  seeds: () => [
    seed({ operation: 0, type: 1, data: PLAIN }),
    seed({ operation: 0, type: 3, data: PLAIN, isFinal: false, isStateful: true }),
    seed({ operation: 0, type: 2, data: PLAIN, isScattered: true }),
    seed({ operation: 0, type: 1, data: PLAIN, room: 20 }),
    seed({ operation: 1, type: 1, data: deflateRawSync(PLAIN) }),
    seed({ operation: 1, type: 1, data: deflateRawSync(PLAIN), isStateful: true, room: 200 }),
    seed({ operation: 1, type: 1, data: deflateRawSync(PLAIN), isStateful: true, isScattered: true }),
  ],
  async open() {
    const rig = await openRig();
    return {
      async run(input) {
        const operation = (input[0] ?? 0) & 1;
        const bytes = new Uint8Array(SQE_BYTES);
        bytes.set(input.subarray(1, 1 + SQE_BYTES));
        rig.reset();
        rig.windows.source.set(input.subarray(1 + SQE_BYTES));
        const done = await rig.run(operation, bytes, writableOf(new DataView(bytes.buffer), rig.windows));
        return `0x${(done.getUint32(12, true) & 0xff).toString(16)}`;
      },
      settle: () => rig.checkAlive(),
      close: () => rig.close(),
    };
  },
};
