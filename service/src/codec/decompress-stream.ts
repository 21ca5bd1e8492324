import { crc32 } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import { iova } from '../../../shared/src/units.ts';
import type { AcceleratorLibrary, OpenStream, ZipCompletion } from '../warpdrive/accelerator-library.ts';
import type { JobSlot } from '../warpdrive/slot-pool.ts';
import { ByteQueue } from './byte-queue.ts';
import { combineCrc32 } from './checksum-combine.ts';
import type { DecompressOptions, StreamResult } from './codec.ts';
import { errorOf } from './completion-error.ts';
import { detectFormat, MAX_GZIP_HEADER_BYTES, parseGzipHeader, parseZlibHeader } from './container.ts';
import { JobStream } from './job-stream.ts';
import { checkOutputLimits } from './output-limits.ts';

const HIGH_WATER_BYTES = 64 * 1024;
/** Input of one job: its output mostly fits the slot then, so little is handed over twice. */
const JOB_INPUT_BYTES = 64 * 1024;
/** Room given to a job's output: every page of it is translated, so a small job gets little; more follows. */
const MIN_OUTPUT_BYTES = 32 * 1024;
const OUTPUT_FACTOR = 8;

/** `header`: before a container header; `data`: inside a member; `between`: after one; `done`: nothing may follow. */
type Phase = 'header' | 'data' | 'between' | 'done';

/**
 * Parses containers in software, as the hardware wants it, and runs their DEFLATE data as one stateful stream of jobs
 * on the device, which checks the checksum; ISIZE is compared here. gzip may have several members and zero padding.
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

  constructor(
    private readonly library: AcceleratorLibrary,
    private readonly options: DecompressOptions,
    private readonly fallbackCore: CoreName,
  ) {
    super(options, HIGH_WATER_BYTES);
    this.format = options.format === 'auto' ? undefined : options.format;
  }

  result(): StreamResult {
    return {
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      crc32: this.crc,
      core: this.core ?? this.fallbackCore,
    };
  }

  protected accept(chunk: Uint8Array): Promise<void> {
    this.pending.push(chunk);
    return this.advance();
  }

  protected async finish(): Promise<void> {
    await this.advance();
    if (this.phase === 'done' || (this.phase === 'between' && this.pending.length === 0)) return;
    throw new WarpDriveError(
      'WD_E_INPUT_TRUNCATED',
      `input ends after ${this.bytesIn} bytes, in the ${this.where()}`,
      {
        offsetBytes: this.bytesIn,
        format: this.format ?? 'auto',
      },
    );
  }

  protected async emitPending(): Promise<void> {
    await this.advance();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.pending.clear();
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
    const completion = await this.inflateSome();
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

  private async inflateSome(): Promise<ZipCompletion> {
    const { device, format } = this;
    if (!device || !format) throw new WarpDriveError('WD_E_INTERNAL', 'inflate before the header');
    const bytes = Math.min(this.pending.length, JOB_INPUT_BYTES, this.library.jobBytes);
    const slots = this.library.slotsFor(bytes);
    this.isJobRunning = true;
    let slot: JobSlot | undefined;
    try {
      slot = slots.tryAcquire() ?? (await slots.acquire(this.options.signal));
      const room = Math.min(slot.destination.bytes.length, Math.max(MIN_OUTPUT_BYTES, bytes * OUTPUT_FACTOR));
      this.checkAlive(); // the stream may have gone while it waited for the slot
      const start = this.pending.misalignment;
      this.pending.peekInto(slot.source.bytes, start, bytes);
      const completion = await this.library.run('decompress', {
        format,
        level: 0,
        source: iova(slot.source.address + start),
        sourceBytes: bytes,
        destination: slot.destination.address,
        destinationBytes: room,
        isFinal: false,
        stream: device.state,
      });
      if (!this.destroyed) {
        this.takeOutput(slot.destination.bytes.subarray(0, completion.produced), completion);
        if (completion.outcome === 'end' && format === 'gzip')
          this.checkLength(slot.source.bytes.subarray(start, start + completion.consumed), completion.isize);
        this.pending.drop(completion.consumed);
      }
      this.isOutputFull = completion.produced === room;
      return completion;
    } finally {
      this.isJobRunning = false;
      if (slot) slots.release(slot);
      if (this.destroyed) this.closeDevice();
    }
  }

  private takeOutput(output: Uint8Array, completion: ZipCompletion): void {
    if (output.length === 0) return;
    const read = this.bytesIn - this.pending.length + completion.consumed;
    checkOutputLimits(this.bytesOut + output.length, read, this.options);
    this.memberBytes += output.length;
    const copy = Buffer.from(output);
    if (this.format !== 'gzip') this.crc = crc32(copy, this.crc); // the device keeps none, or Adler-32
    this.emitChunk(copy);
  }

  /** The device checked the CRC; ISIZE is software's to check (warpdrive.md 11, item 15). */
  private checkLength(consumed: Uint8Array, isize: number): void {
    const { buffer, byteOffset, length } = consumed;
    const stored = new DataView(buffer, byteOffset + length - 4, 4).getUint32(0, true);
    if (stored !== isize) throw this.corrupt(`the trailer says ${stored} bytes, the member has ${isize}`);
  }

  private endMember(completion: ZipCompletion): void {
    this.memberCount++;
    const { device } = this;
    if (this.format === 'gzip') {
      this.crc = combineCrc32(this.crc, completion.checksum, this.memberBytes);
      this.phase = 'between';
      if (device)
        Object.assign(device.state, { isNew: true, ctxDw0: 0, ctxDw1: 0, ctxDw2: 0, checksum: 0, isize: 0 });
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
    const offsetBytes = this.bytesIn - this.pending.length;
    return new WarpDriveError('WD_E_INPUT_CORRUPT', `${reason} (near byte ${offsetBytes})`, {
      offsetBytes,
      reason,
      format: this.format ?? 'auto',
    });
  }

  private where(): string {
    if (this.phase === 'header') return this.memberCount === 0 ? 'header' : 'next member’s header';
    return this.phase === 'data' ? 'data' : 'padding';
  }
}
