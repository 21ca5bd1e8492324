/** SQEs of the ZIP engine in plain bytes: dword numbers and bits as published, no table of this project. */
import { addressOf, u16 } from './plain-driver.ts';

/** dw9 [7:0]. */
export const FORMATS = { deflate: 1, zlib: 2, gzip: 3 } as const;
export type Format = keyof typeof FORMATS;

export interface Request {
  /** dw9 [7:0]. */
  type: number;
  source: Uint8Array;
  destination: Uint8Array;
  /** Finish instead of sync flush; default true. */
  isFinal?: boolean;
  /** The 64 KiB context of a stream; absent: stateless. */
  context?: Uint8Array;
  /** Words that the last job of the stream gave back; absent: its first job. */
  carried?: Carried;
  /** Window code, 0 = 4 KiB to 4 = 32 KiB. */
  window?: number;
  /** Scatter lists instead of flat buffers, cut into pieces of so many bytes. */
  sglBytes?: number;
  /** 3, or 0 for the V2 form. */
  sqeType?: number;
  tag?: number;
  /** Overwrites dwords at the end. */
  patch?: Record<number, number>;
}

export interface Carried {
  ctx0: number;
  ctx1: number;
  ctx2: number;
  isize: number;
  checksum: number;
}

/** The engine's part of the context lies behind the software's words. */
const HARDWARE_CONTEXT = 64n;

/** @returns the SQE, and what must stay alive until it is done */
export function sqeOf(request: Request): { sqe: Uint8Array; keep: unknown } {
  const { type, source, destination, isFinal = true, context, carried, window = 4, sglBytes } = request;
  const { sqeType = 3, tag = 0x1234_5678, patch = {} } = request;
  const sqe = new Uint8Array(128);
  const view = new DataView(sqe.buffer);
  const dw = (index: number, value: number) => view.setUint32(index * 4, value >>> 0, true);
  const address = (index: number, value: bigint) => view.setBigUint64(index * 4, value, true);
  const lists = sglBytes === undefined ? undefined : [sglOf(source, sglBytes), sglOf(destination, sglBytes)];
  dw(4, source.length);
  dw(7, ((isFinal ? 1 : 0) << 25) | ((context ? 1 : 0) << 26) | ((carried ? 0 : 1) << 27) | (sqeType << 28));
  dw(9, type | ((lists ? 1 : 0) << 8) | (window << 12));
  dw(14, destination.length);
  address(18, lists?.[0] ? addressOf(lists[0].head) : addressOf(source));
  address(20, lists?.[1] ? addressOf(lists[1].head) : addressOf(destination));
  if (context) address(22, addressOf(context) + HARDWARE_CONTEXT);
  dw(sqeType === 3 ? 26 : 13, tag);
  if (carried) {
    dw(15, carried.ctx0);
    dw(28, carried.ctx1);
    dw(29, carried.ctx2);
    dw(30, carried.isize);
    dw(31, carried.checksum);
  }
  for (const [index, value] of Object.entries(patch)) dw(Number(index), value);
  return { sqe, keep: [source, destination, context, lists] };
}

export interface Result {
  status: number;
  isLastBlock: boolean;
  consumed: number;
  produced: number;
  tag: number;
  carried: Carried;
}

export function resultOf(sqe: DataView, sqeType = 3): Result {
  const dw = (index: number) => sqe.getUint32(index * 4, true);
  return {
    consumed: dw(0),
    produced: dw(1),
    status: dw(3) & 0xff,
    isLastBlock: (dw(3) & 0x100) !== 0,
    tag: dw(sqeType === 3 ? 26 : 13),
    carried: { ctx0: dw(15), ctx1: dw(28), ctx2: dw(29), isize: dw(30), checksum: dw(31) },
  };
}

/** One scatter list: a 64-byte head, 64-byte aligned, and an entry of 32 bytes for each piece. */
function sglOf(bytes: Uint8Array, pieceBytes: number): { head: Uint8Array; keep: Uint8Array[] } {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    pieces.push(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)));
  const memory = new Uint8Array(64 + 64 + 32 * pieces.length);
  const head = memory.subarray(Number((64n - (addressOf(memory) % 64n)) % 64n));
  head.set(u16(pieces.length), 8);
  head.set(u16(pieces.length), 10);
  head.set(u16(pieces.length), 12);
  const view = new DataView(head.buffer, head.byteOffset);
  view.setBigUint64(56, BigInt(bytes.length), true);
  pieces.forEach((piece, i) => {
    view.setBigUint64(64 + 32 * i, addressOf(piece), true);
    view.setUint32(64 + 32 * i + 16, piece.length, true);
  });
  return { head, keep: [memory, bytes] };
}
