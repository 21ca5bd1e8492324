import { crc32 } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import { copyBytes } from '../platform/copy-bytes.ts';
import type { AcceleratorLibrary, OpenStream, ZipCompletion } from '../warpdrive/accelerator-library.ts';
import type { JobSlot } from '../warpdrive/slot-pool.ts';
import { ByteQueue } from './byte-queue.ts';
import { combineCrc32 } from './checksum-combine.ts';
import type { DecompressOptions, StreamResult } from './codec.ts';
import { corruptAt, errorOf, truncatedAt } from './completion-error.ts';
import {
  detectFormat,
  headerOf,
  MAX_GZIP_HEADER_BYTES,
  parseGzipHeader,
  parseZlibHeader,
} from './container.ts';
import type { FairTurns } from './fair-turns.ts';
import { JobStream } from './job-stream.ts';
import { MemberReplay, type ReplayBudget } from './member-replay.ts';
import type { OutputBuffers } from './output-buffers.ts';
import { checkOutputLimits } from './output-limits.ts';
import { mayFallBack } from './software.ts';
import { SoftwareInflater } from './software-inflater.ts';

const HIGH_WATER_BYTES = 64 * 1024;
/** Input of one job: its output mostly fits the slot then, so little is handed over twice. */
const JOB_INPUT_BYTES = 64 * 1024;
/** Room given to a job's output: every page of it is translated, so a small job gets little; more follows. */
const MIN_OUTPUT_BYTES = 32 * 1024;
const OUTPUT_FACTOR = 8;
/** The same for a stream's first outputs, until its reader is known to read. */
const FIRST_OUTPUT_BYTES = 192 * 1024;
const FIRST_OUTPUTS_BYTES = 512 * 1024;

/** Failed jobs of one stream that the device may have another try at; then software goes on. */
const DEVICE_RETRIES = 2;

/**
 * `header`: before a container header; `data`: inside a member; `between`: after one; `done`: nothing may follow;
 * `software`: node:zlib has all from the start of the member that the device could not finish.
 */
type Phase = 'header' | 'data' | 'between' | 'done' | 'software';

/**
 * Parses containers in software, as the hardware wants it, and runs their DEFLATE data as one stateful stream of jobs
 * on the device, which checks the checksum; ISIZE is compared here. gzip may have several members and zero padding.
 * A job that the device fails costs a repetition of its member, on the device or in software; the client sees none of it.
 */
export class DecompressStream extends JobStream {
  private readonly pending = new ByteQueue();
  private format: Format | undefined;
  private phase: Phase = 'header';
  private device: OpenStream | undefined;
  private memberBytes = 0;
  private memberCount = 0;
  private crc = 0;
  private core: CoreName | undefined;
  /** From before the wait for a slot: the device context must not go to another stream until the job is over. */
  private isJobRunning = false;
  /** The last job filled its slot: there may be more output without more input. */
  private isOutputFull = false;
  private readonly replay: MemberReplay;
  private retries = 0;
  private software: SoftwareInflater | undefined;
  private fallbackReason: string | undefined;

  constructor(
    private readonly library: AcceleratorLibrary,
    private readonly options: DecompressOptions,
    private readonly fallbackCore: CoreName,
    budget: ReplayBudget,
    private readonly turns: FairTurns,
    outputs: OutputBuffers,
  ) {
    super(options, HIGH_WATER_BYTES, outputs);
    this.replay = new MemberReplay(budget);
    this.format = options.format === 'auto' ? undefined : options.format;
  }

  result(): StreamResult {
    return {
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      crc32: this.crc,
      core: this.core ?? this.fallbackCore,
      ...(this.retries === 0 ? {} : { retries: this.retries }),
      ...(this.fallbackReason === undefined ? {} : { fallbackReason: this.fallbackReason }),
    };
  }

  protected accept(chunk: Uint8Array): Promise<void> {
    this.pending.push(chunk);
    return this.advance();
  }

  protected async finish(): Promise<void> {
    await this.advance();
    if (this.software) return this.software.end();
    if (this.phase === 'done' || (this.phase === 'between' && this.pending.length === 0)) return;
    throw this.truncated(this.where());
  }

  protected async emitPending(): Promise<void> {
    await this.advance();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.pending.clear();
    this.replay.clear();
    this.software?.destroy();
    if (!this.isJobRunning) this.closeDevice(); // else the job's end does it: the engine may still write its context
    super._destroy(error, callback);
  }

  /** Goes as far as the input allows. */
  private async advance(): Promise<void> {
    for (;;) {
      switch (this.phase) {
        case 'header':
          if (!this.readHeader()) return;
          break;
        case 'data':
          if (!(await this.runJob())) return;
          break;
        case 'between':
          if (!this.startNextMember()) return;
          break;
        case 'software':
          return this.inflateInSoftware();
        case 'done':
          if (this.pending.length > 0) throw this.corrupt('bytes follow the end of the stream');
          return;
      }
    }
  }

  /** @returns false when more input is needed */
  private readHeader(): boolean {
    this.format ??= detectFormat(this.pending.peek(2));
    if (!this.format) return false;
    if (this.format !== 'deflate') {
      const start = this.pending.peek(MAX_GZIP_HEADER_BYTES + 1);
      const header = this.format === 'gzip' ? parseGzipHeader(start) : parseZlibHeader(start);
      if (header.kind === 'corrupt') throw this.corrupt(header.reason);
      if (header.kind === 'incomplete') return false;
      this.pending.drop(header.bytes);
    }
    if (!this.library.supports(this.format))
      throw new WarpDriveError('WD_E_EINVAL', `the device has no ${this.format}; ask for it by name`, {
        field: 'format',
        allowed: ['gzip', 'zlib'],
      });
    this.device ??= this.library.openStream();
    this.memberBytes = 0;
    this.phase = 'data';
    return true;
  }

  /** Zero bytes after a gzip member are padding, as tar writes it; anything else must be the next member. */
  private startNextMember(): boolean {
    while (this.pending.length > 0 && this.pending.peek(1)[0] === 0) this.pending.drop(1);
    if (this.pending.length === 0) return false;
    this.phase = 'header';
    return true;
  }

  /** One job of the member's data. @returns false when more input is needed */
  private async runJob(): Promise<boolean> {
    await this.readerReady();
    this.checkAlive();
    let completion: ZipCompletion;
    try {
      completion = await this.inflateSome();
    } catch (error) {
      this.checkAlive();
      this.recover(error);
      return true;
    }
    this.checkAlive();
    const error = errorOf(completion);
    if (error) throw error.code === 'WD_E_INPUT_CORRUPT' ? this.corrupt(error.message) : error;
    this.core = completion.core ?? this.core;
    if (completion.outcome === 'end') {
      this.endMember(completion);
      return true;
    }
    if (this.pending.length === 0) return this.isOutputFull;
    return completion.produced > 0 || completion.consumed > 0;
  }

  private jobInputBytes(): number {
    return Math.min(this.pending.length, JOB_INPUT_BYTES, this.library.jobBytes);
  }

  private roomFor(inputBytes: number): number {
    const room = Math.max(MIN_OUTPUT_BYTES, inputBytes * OUTPUT_FACTOR);
    return this.bytesOut < FIRST_OUTPUTS_BYTES ? Math.min(room, FIRST_OUTPUT_BYTES) : room;
  }

  /** What it costs this thread is taken in turns: the way in, a polled core's work, the way out. */
  private async inflateSome(): Promise<ZipCompletion> {
    const bytes = this.jobInputBytes();
    const room = this.roomFor(bytes);
    const slots = this.library.slotsFor(bytes, room);
    this.isJobRunning = true;
    let taken: JobSlot | undefined;
    try {
      const slot = slots.tryAcquire() ?? (await slots.acquire(this.options.signal));
      taken = slot;
      const late = await this.turns.run(() => {
        const done = this.startJob(slot, bytes, room);
        return done instanceof Promise ? { done } : this.takeResult(slot, room, done);
      });
      if (!('done' in late)) return late;
      const completion = await late.done;
      return await this.turns.run(() => this.takeResult(slot, room, completion));
    } finally {
      this.isJobRunning = false;
      if (taken) slots.release(taken);
      if (this.destroyed) this.closeDevice();
    }
  }

  private startJob(slot: JobSlot, bytes: number, room: number): ZipCompletion | Promise<ZipCompletion> {
    const { device, format } = this;
    if (!device || !format) throw new WarpDriveError('WD_E_INTERNAL', 'inflate before the header');
    this.checkAlive(); // the stream may have gone while it waited for the slot, or for its turn
    this.pending.peekInto(slot.source.bytes, bytes);
    return this.library.run('decompress', {
      format,
      level: 0,
      source: slot.source.address,
      sourceBytes: bytes,
      destination: slot.destination.address,
      destinationBytes: Math.min(slot.destination.bytes.length, room),
      isFinal: false,
      stream: device.state,
    });
  }

  private takeResult(slot: JobSlot, room: number, completion: ZipCompletion): ZipCompletion {
    const failure = errorOf(completion);
    if (mayFallBack(failure)) throw failure;
    if (!this.destroyed) {
      this.takeOutput(slot.destination.bytes.subarray(0, completion.produced), completion);
      if (completion.outcome === 'end' && this.format === 'gzip')
        this.checkLength(slot.source.bytes.subarray(0, completion.consumed), completion.isize);
      if (completion.outcome === 'ok')
        this.replay.keep(this.pending.take(completion.consumed), this.memberBytes);
      else this.pending.drop(completion.consumed);
    }
    this.isOutputFull = completion.produced === Math.min(slot.destination.bytes.length, room);
    return completion;
  }

  private takeOutput(output: Uint8Array, completion: ZipCompletion): void {
    if (output.length === 0) return;
    this.memberBytes += output.length;
    const copy = this.outputs?.take(output.length) ?? Buffer.allocUnsafe(output.length);
    copyBytes(copy, 0, output);
    if (this.format !== 'gzip') this.crc = crc32(copy, this.crc); // the device keeps none, or Adler-32
    this.giveOut(copy, this.bytesIn - this.pending.length + completion.consumed);
  }

  /** @param read bytes of input that went into it */
  private giveOut(output: Buffer, read: number): void {
    const fresh = this.replay.fresh(output);
    checkOutputLimits(this.bytesOut + fresh.length, read, this.options);
    this.emitChunk(fresh);
  }

  /**
   * After a job that failed: goes back to the start of the member, for the device while it has tries left, else for software.
   * @throws the error itself if the same bytes would not do better elsewhere, or are not all here any more
   */
  private recover(error: unknown): void {
    if (!mayFallBack(error)) throw error;
    const { library, format, device } = this;
    const unavailable = library.unavailable();
    const isForDevice = unavailable === undefined && this.retries < DEVICE_RETRIES;
    if (!format || !(isForDevice || library.allowsSoftware)) throw error;
    const isGzip = format === 'gzip';
    const input = this.replay.begin(this.memberBytes, isGzip ? (device?.state.checksum ?? 0) : this.crc);
    if (!input) throw error;
    this.pending.putBack(input);
    this.memberBytes = 0;
    this.isOutputFull = false;
    if (!isGzip) this.crc = 0;
    if (isForDevice) {
      this.retries++;
      if (device) startAnew(device.state);
      return;
    }
    this.closeDevice();
    this.core = 'zlib';
    this.fallbackReason = unavailable ?? error.code;
    this.pending.putBack([headerOf(format, 1)]);
    this.phase = 'software';
  }

  private async inflateInSoftware(): Promise<void> {
    const { format } = this;
    if (!format || this.pending.length === 0) return;
    this.software ??= new SoftwareInflater(format, {
      onOutput: (chunk) => {
        this.crc = crc32(chunk, this.crc);
        this.giveOut(chunk, this.bytesIn);
        return this.readerReady();
      },
      errorOf: ({ code, message }) =>
        code === 'Z_BUF_ERROR' ? this.truncated('data') : this.corrupt(message),
    });
    for (const chunk of this.pending.take(this.pending.length)) await this.software.write(chunk);
  }

  /** The device checked the CRC; ISIZE is software's to check (sources.md 11, item 15). */
  private checkLength(consumed: Uint8Array, isize: number): void {
    const { buffer, byteOffset, length } = consumed;
    const stored = new DataView(buffer, byteOffset + length - 4, 4).getUint32(0, true);
    if (stored !== isize) throw this.corrupt(`the trailer says ${stored} bytes, the member has ${isize}`);
  }

  private endMember(completion: ZipCompletion): void {
    this.memberCount++;
    this.replay.end();
    const { device } = this;
    if (this.format === 'gzip') {
      this.crc = combineCrc32(this.crc, completion.checksum, this.memberBytes);
      this.phase = 'between';
      if (device) startAnew(device.state);
    } else {
      this.phase = 'done';
      this.closeDevice();
    }
  }

  private closeDevice(): void {
    this.device?.close();
    this.device = undefined;
  }

  private corrupt(reason: string): WarpDriveError {
    return corruptAt(this.bytesIn - this.pending.length, reason, this.format);
  }

  private truncated(where: string): WarpDriveError {
    return truncatedAt(this.bytesIn, where, this.format);
  }

  private where(): string {
    if (this.phase === 'header') return this.memberCount === 0 ? 'header' : 'next member’s header';
    return this.phase === 'data' ? 'data' : 'padding';
  }
}

const startAnew = (state: OpenStream['state']): void =>
  void Object.assign(state, { isNew: true, ctxDw0: 0, ctxDw1: 0, ctxDw2: 0, checksum: 0, isize: 0 });
