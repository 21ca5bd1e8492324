import { gunzipSync, inflateSync } from 'node:zlib';
import { parseGzipHeader, parseZlibHeader } from '../codec/container.ts';
import { type ContextOwner, type Engine, INFLATE_OUTPUT_BYTES, type OutputRoom } from './engine.ts';
import { CHECKSUM_OF, INITIAL_CHECKSUM, type Wrapper } from './wrapper.ts';
import { corrupt, truncated, zlibError } from './zlib-error.ts';

/** `between`: a gzip member is complete, another may follow. `done`: what follows is not ours. */
type Phase = 'header' | 'data' | 'checksum' | 'length' | 'between' | 'done';

const NOTHING = new Uint8Array(0);
const WORD_BYTES = 4;
const GZIP_ID1 = 0x1f;
const GZIP_ID2 = 0x8b;

/** Decompression of one stream: `feed` a chunk, then `next` until it gives nothing. */
export class InflateMembers implements ContextOwner {
  savedContext: Uint8Array | undefined;
  /** Input that belongs to the stream; trailing bytes do not count. */
  bytesIn = 0;
  /** Input was left over behind the stream's end. */
  hasTrailing = false;
  private phase: Phase;
  private input: Uint8Array = NOTHING;
  private at = 0;
  /** Header or trailer bytes from earlier chunks. */
  private held: Uint8Array = NOTHING;
  private isNew = true;
  private checksum = 0;
  private memberBytes = 0;
  private wrapper: Wrapper | undefined;

  /** @param asked undefined: gzip or zlib, whichever the first bytes announce */
  constructor(
    private readonly engine: Engine,
    private readonly asked: Wrapper | undefined,
  ) {
    this.wrapper = asked;
    this.phase = 'header';
    if (asked === 'raw') this.begin();
  }

  get isDone(): boolean {
    return this.phase === 'done';
  }

  /** The next chunk, once `next` has given all of the one before. It must not change until then. */
  feed(chunk: Uint8Array): void {
    this.input = chunk;
    this.at = 0;
    if (this.isDone && chunk.length > 0) this.hasTrailing = true;
  }

  /**
   * More output, in the engine's memory: copy it before anything else is asked of the engine.
   * @param limit largest length @param place where its first byte will be copied to: equal places in a word copy faster
   * @returns undefined when the chunk is used up, or the stream is over
   * @throws Z_DATA_ERROR, Z_NEED_DICT as node:zlib
   */
  next(limit = INFLATE_OUTPUT_BYTES, place = 0): Uint8Array | undefined {
    for (;;) {
      if (this.phase === 'done') return undefined;
      if (this.phase === 'data') {
        const view = this.inflate({ limit, place });
        if (view.length > 0) return view;
        if (this.phase === 'data') return undefined;
      }
      if (this.at === this.input.length) return undefined;
      if (this.phase === 'between') this.startAnother();
      else if (this.phase === 'header') this.readHeader();
      else if (this.phase === 'checksum') this.readChecksum();
      else if (this.phase === 'length') this.readLength();
    }
  }

  /** No more input. @throws Z_BUF_ERROR when the stream is not complete */
  finish(): void {
    this.dispose();
    if (this.phase !== 'done' && this.phase !== 'between') throw truncated();
  }

  /** Back to the start, as a new stream. */
  reset(): void {
    this.dispose();
    this.held = NOTHING;
    this.input = NOTHING;
    this.at = 0;
    this.hasTrailing = false;
    this.wrapper = this.asked;
    this.phase = 'header';
    if (this.asked === 'raw') this.begin();
  }

  dispose(): void {
    this.engine.release(this);
  }

  private begin(): void {
    this.phase = 'data';
    this.isNew = true;
    this.checksum = INITIAL_CHECKSUM[this.wrapper ?? 'raw'];
    this.memberBytes = 0;
  }

  private inflate(room: OutputRoom): Uint8Array {
    const kind = CHECKSUM_OF[this.wrapper ?? 'raw'];
    const input = this.input.subarray(this.at);
    const { result, view } = this.engine.inflate(this, input, room, kind, this.checksum, this.isNew);
    this.isNew = false;
    if (result.outcome === 'corrupt') throw corrupt(result.reason);
    this.at += result.consumed;
    this.bytesIn += result.consumed;
    this.memberBytes += result.produced;
    this.checksum = result.checksum;
    if (result.outcome === 'end') {
      this.engine.release(this);
      if (this.wrapper === 'raw') this.end();
      else this.phase = 'checksum';
    } else if (result.outcome === 'more' && result.produced === 0 && this.at < this.input.length)
      return this.inflate(room); // the engine takes 64 KiB at a time, and these held no output
    return view;
  }

  /** As much of `input` as completes `bytes` together with what is held; undefined and kept while that is too little. */
  private collect(bytes: number): Uint8Array | undefined {
    const fresh = this.input.subarray(this.at, this.at + bytes - this.held.length);
    const all = this.held.length === 0 ? fresh : Buffer.concat([this.held, fresh]);
    this.at += fresh.length;
    this.bytesIn += fresh.length;
    this.held = all.length < bytes ? Uint8Array.from(all) : NOTHING;
    return all.length < bytes ? undefined : all;
  }

  private readChecksum(): void {
    const sum = this.readWord();
    if (sum === undefined) return;
    if (sum !== this.checksum >>> 0) throw zlibError('Z_DATA_ERROR', 'incorrect data check');
    if (this.wrapper === 'gzip') this.phase = 'length';
    else this.end();
  }

  private readLength(): void {
    const length = this.readWord();
    if (length === undefined) return;
    if (length !== this.memberBytes % 2 ** 32) throw zlibError('Z_DATA_ERROR', 'incorrect length check');
    this.phase = 'between';
  }

  /** A word of the trailer, once its four bytes are there. */
  private readWord(): number | undefined {
    const bytes = this.collect(WORD_BYTES);
    return bytes && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, this.wrapper === 'gzip');
  }

  /** zlib takes padding zeros behind a gzip member as its end, and anything else as another member. */
  private startAnother(): void {
    if (this.input[this.at] === 0) this.end();
    else this.phase = 'header';
  }

  private end(): void {
    this.phase = 'done';
    if (this.at < this.input.length) this.hasTrailing = true;
  }

  private readHeader(): void {
    const fresh = this.input.subarray(this.at);
    const all = this.held.length === 0 ? fresh : Buffer.concat([this.held, fresh]);
    const wrapper = this.wrapper ?? detect(all);
    const header = wrapper && (wrapper === 'gzip' ? parseGzipHeader(all) : parseZlibHeader(all));
    if (header?.kind === 'corrupt') throwIfRefused(wrapper === 'gzip' ? gunzipSync : inflateSync, all);
    if (header?.kind !== 'header') {
      this.held = Uint8Array.from(all);
      this.advance(fresh.length);
      return;
    }
    this.advance(header.bytes - this.held.length);
    this.held = NOTHING;
    this.wrapper = wrapper;
    this.begin();
  }

  private advance(bytes: number): void {
    this.at += bytes;
    this.bytesIn += bytes;
  }
}

function detect(bytes: Uint8Array): 'gzip' | 'zlib' | undefined {
  if (bytes[0] !== GZIP_ID1) return bytes.length > 0 ? 'zlib' : undefined;
  if (bytes.length < 2) return undefined;
  return bytes[1] === GZIP_ID2 ? 'gzip' : 'zlib';
}

/** Throws node:zlib's own error for a header that it refuses too; a header that it only finds short goes on. */
function throwIfRefused(decode: (bytes: Uint8Array) => Buffer, header: Uint8Array): void {
  try {
    decode(header);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw error;
  }
}
