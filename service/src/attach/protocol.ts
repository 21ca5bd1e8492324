/**
 * The attach protocol, version 1: how another process gets a queue. Little endian throughout; docs/attach.md has it
 * byte for byte. A frame is a 12-byte header and a payload:
 *
 *   u32 payload bytes · u16 opcode · u16 errno (answers; 0 = success) · u32 sequence number, echoed by the answer
 */
import { OPERATIONS, type Operation } from '../../../shared/src/telemetry.ts';

export const ATTACH_VERSION = 1;
export const FRAME_HEADER_BYTES = 12;
/** A peer that announces more is cut off. */
export const MAX_PAYLOAD_BYTES = 4096;

/** Requests 1–63 go to the service and are answered with the same opcode; notices from 64 on are not answered. */
export const OPCODE = {
  hello: 1,
  attach: 2,
  openQueue: 3,
  startQueue: 4,
  closeQueue: 5,
  mapDma: 6,
  unmapDma: 7,
  allocateDma: 8,
  /** To the service: "a doorbell was rung while you slept". */
  kick: 64,
  /** From the service: the armed completion interrupt of a queue. */
  interrupt: 65,
  /** From the service: the queue is gone (reset, removal); close it and open another. */
  queueLost: 66,
} as const;
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** Modes that another process may attach in, by wire number. */
export const ATTACH_MODES = ['sva', 'vfio', 'noiommu'] as const;
export type AttachMode = (typeof ATTACH_MODES)[number];

/** Linux errno values that answers carry (asm-generic/errno-base.h). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  ENXIO: 6,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOTTY: 25,
  EPROTO: 71,
} as const;
export type ErrnoName = keyof typeof ERRNO;

export interface Frame {
  opcode: number;
  errno: number;
  sequence: number;
  payload: Buffer;
}

export function encodeFrame(opcode: number, sequence: number, payload: Uint8Array, errno = 0): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt16LE(opcode, 4);
  frame.writeUInt16LE(errno, 6);
  frame.writeUInt32LE(sequence, 8);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  private held: Buffer = Buffer.alloc(0);

  /**
   * @returns the frames that are whole now
   * @throws RangeError when a frame announces more than MAX_PAYLOAD_BYTES
   */
  push(chunk: Buffer): Frame[] {
    this.held = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    const frames: Frame[] = [];
    while (this.held.length >= FRAME_HEADER_BYTES) {
      const bytes = this.held.readUInt32LE(0);
      if (bytes > MAX_PAYLOAD_BYTES)
        throw new RangeError(`attach frame of ${bytes} bytes, at most ${MAX_PAYLOAD_BYTES} are allowed`);
      const end = FRAME_HEADER_BYTES + bytes;
      if (this.held.length < end) break;
      frames.push({
        opcode: this.held.readUInt16LE(4),
        errno: this.held.readUInt16LE(6),
        sequence: this.held.readUInt32LE(8),
        payload: this.held.subarray(FRAME_HEADER_BYTES, end),
      });
      this.held = this.held.subarray(end);
    }
    return frames;
  }
}

/** Fixed-width fields and strings (u16 length, UTF-8) in order. */
export class PayloadWriter {
  private readonly parts: Buffer[] = [];

  u8(value: number): this {
    return this.add(1, (part) => part.writeUInt8(value));
  }
  u16(value: number): this {
    return this.add(2, (part) => part.writeUInt16LE(value));
  }
  u32(value: number): this {
    return this.add(4, (part) => part.writeUInt32LE(value));
  }
  u64(value: number): this {
    return this.add(8, (part) => part.writeBigUInt64LE(BigInt(value)));
  }
  text(value: string): this {
    const bytes = Buffer.from(value);
    this.u16(bytes.length);
    this.parts.push(bytes);
    return this;
  }
  finish(): Buffer {
    return Buffer.concat(this.parts);
  }

  private add(bytes: number, write: (part: Buffer) => void): this {
    const part = Buffer.alloc(bytes);
    write(part);
    this.parts.push(part);
    return this;
  }
}

/** Reads what PayloadWriter wrote. Every call throws RangeError past the end. */
export class PayloadReader {
  private at = 0;
  constructor(private readonly payload: Buffer) {}

  u8(): number {
    return this.payload.readUInt8(this.advance(1));
  }
  u16(): number {
    return this.payload.readUInt16LE(this.advance(2));
  }
  u32(): number {
    return this.payload.readUInt32LE(this.advance(4));
  }
  /** @returns a double; exact up to 2^53 */
  u64(): number {
    return Number(this.payload.readBigUInt64LE(this.advance(8)));
  }
  text(): string {
    const bytes = this.u16();
    const start = this.advance(bytes);
    if (start + bytes > this.payload.length) throw new RangeError('attach payload ends inside a string');
    return this.payload.toString('utf8', start, start + bytes);
  }

  private advance(bytes: number): number {
    const start = this.at;
    this.at += bytes;
    return start;
  }
}

export const operationCode = (operation: Operation): number => OPERATIONS.indexOf(operation);

/** Layout of the region file of a queue: two pages of MMIO, then the DUS region. */
export const REGION_MMIO_OFFSET = 0;
export const REGION_DUS_OFFSET = 8192;
/**
 * Memory cannot see a store happen, so each doorbell command has a word of its own in the doorbell page: the 64-bit
 * doorbell value goes to DOORBELL_OFFSET + 8 × command, and the device looks there.
 */
export const doorbellSlot = (doorbellOffset: number, command: number): number => doorbellOffset + 8 * command;
/** u32 in the MMIO page: 1 while the device does not poll; then a doorbell needs a kick. */
export const DEVICE_SLEEPS_OFFSET = 0;
