import { kMaxLength } from 'node:buffer';
import { isAnyArrayBuffer } from 'node:util/types';
import { constants, type InputType, type ZlibOptions } from 'node:zlib';
import { DeflateMember } from './deflate-member.ts';
import { type Engine, JOB_BYTES } from './engine.ts';
import { InflateMembers } from './inflate-members.ts';
import { engineLevel, type Kind } from './plain-options.ts';
import type { Wrapper } from './wrapper.ts';
import { bufferTooLarge } from './zlib-error.ts';

/** More than this part of a result's memory unused: it is copied to memory of its own length. */
const LARGEST_SLACK = 1 / 8;
const SMALLEST_RESULT_BYTES = 4096;
/** DEFLATE cannot expand more than 1032 times. */
const LARGEST_RATIO = 1032;
/** Largest result whose memory is taken before any of it is there: ISIZE may lie. */
const LARGEST_GUESS_BYTES = 16 * 1024 * 1024;
const GZIP_TRAILER_BYTES = 8;

/** The bytes of what node:zlib takes as input; undefined for what it refuses. */
export function bytesOf(input: InputType): Uint8Array | undefined {
  if (typeof input === 'string') return Buffer.from(input);
  if (input instanceof Uint8Array) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (isAnyArrayBuffer(input)) return new Uint8Array(input);
  return undefined;
}

/** A conversion of one buffer, in steps of at most a job. */
export interface OneShot {
  /** Input that was used; less than all of it where something follows the compressed data. */
  readonly bytesIn: number;
  /** @returns bytes worked on, 0 when it is complete @throws as node:zlib */
  step(): number;
  result(): Buffer;
}

export function startOneShot(
  engine: Engine,
  { direction, wrapper }: Kind,
  input: Uint8Array,
  options: ZlibOptions | undefined,
): OneShot {
  return direction === 'compress'
    ? new CompressOnce(engine, wrapper ?? 'gzip', input, options)
    : new DecompressOnce(engine, wrapper, input, options);
}

class CompressOnce implements OneShot {
  private readonly member: DeflateMember;
  private readonly parts: Buffer[] = [];
  private readonly limit: number;
  private at = 0;
  private bytesOut = 0;
  private isComplete = false;

  constructor(
    engine: Engine,
    wrapper: Wrapper,
    private readonly input: Uint8Array,
    options: ZlibOptions | undefined,
  ) {
    this.member = new DeflateMember(engine, wrapper, engineLevel(options?.level));
    this.limit = options?.maxOutputLength ?? kMaxLength;
  }

  get bytesIn(): number {
    return this.member.bytesIn;
  }

  step(): number {
    if (this.isComplete) return 0;
    const { input, at } = this;
    const end = at + JOB_BYTES;
    this.isComplete = end >= input.length;
    const part = this.member.compress(input.subarray(at, end), this.isComplete ? 'final' : 'more');
    this.parts.push(part);
    this.bytesOut += part.length;
    if (this.bytesOut > this.limit) throw bufferTooLarge(this.limit);
    this.at = end;
    return Math.max(1, Math.min(end, input.length) - at);
  }

  result(): Buffer {
    const [first] = this.parts;
    return first && this.parts.length === 1 ? first : Buffer.concat(this.parts, this.bytesOut);
  }
}

class DecompressOnce implements OneShot {
  private readonly members: InflateMembers;
  private readonly limit: number;
  private output: Buffer;
  private bytesOut = 0;
  private isComplete = false;

  constructor(
    engine: Engine,
    wrapper: Wrapper | undefined,
    input: Uint8Array,
    private readonly options: ZlibOptions | undefined,
  ) {
    this.members = new InflateMembers(engine, wrapper);
    this.members.feed(input);
    this.limit = options?.maxOutputLength ?? kMaxLength;
    this.output = Buffer.allocUnsafe(Math.min(guessedBytes(wrapper, input), this.limit));
  }

  get bytesIn(): number {
    return this.members.bytesIn;
  }

  step(): number {
    if (this.isComplete) return 0;
    try {
      const view = this.members.next(undefined, this.output.byteOffset + this.bytesOut);
      if (view) {
        this.append(view);
        return view.length;
      }
      if (this.options?.finishFlush === undefined || this.options.finishFlush === constants.Z_FINISH)
        this.members.finish();
    } catch (error) {
      this.members.dispose();
      throw error;
    }
    this.members.dispose();
    this.isComplete = true;
    return 0;
  }

  result(): Buffer {
    const { output, bytesOut } = this;
    if (output.length === bytesOut) return output;
    const used = output.subarray(0, bytesOut);
    return output.length - bytesOut > bytesOut * LARGEST_SLACK ? Buffer.from(used) : used;
  }

  private append(view: Uint8Array): void {
    const needed = this.bytesOut + view.length;
    if (needed > this.limit) throw bufferTooLarge(this.limit);
    if (needed > this.output.length) {
      const grown = Buffer.allocUnsafe(Math.min(Math.max(needed, 2 * this.output.length), this.limit));
      grown.set(this.output.subarray(0, this.bytesOut));
      this.output = grown;
    }
    this.output.set(view, this.bytesOut);
    this.bytesOut = needed;
  }
}

/** What comes out, if it is one gzip member: ISIZE in its last four bytes. Else a guess to grow from. */
function guessedBytes(wrapper: Wrapper | undefined, input: Uint8Array): number {
  const isGzip = wrapper === 'gzip' || (wrapper === undefined && input[0] === 0x1f);
  if (!isGzip || input.length < GZIP_TRAILER_BYTES) return Math.max(SMALLEST_RESULT_BYTES, 4 * input.length);
  const isize = new DataView(input.buffer, input.byteOffset + input.length - 4).getUint32(0, true);
  return Math.min(isize, input.length * LARGEST_RATIO, LARGEST_GUESS_BYTES);
}
