import { crc32 } from 'node:zlib';
import type { CoreName } from '../../../shared/src/telemetry.ts';
import type { AcceleratorLibrary } from '../warpdrive/accelerator-library.ts';
import { ByteQueue } from './byte-queue.ts';
import type { CompressOptions, StreamResult } from './codec.ts';
import { compressPiece, type TakenPiece } from './compress-piece.ts';
import { combineChecksum, endOf, headerOf, initialChecksum } from './container.ts';
import { FlushHistory } from './flush-history.ts';
import { JobStream } from './job-stream.ts';
import type { OutputBuffers } from './output-buffers.ts';
import type { CompressedPiece } from './piece.ts';

const HIGH_WATER_BYTES = 64 * 1024;
const SHORT_STREAM_BYTES = 1024 * 1024;
/**
 * Jobs of one stream in flight: enough to keep two cores busy while outputs wait for their turn and the thread that brings
 * input waits for a CPU, which the cores have.
 */
const JOBS_IN_FLIGHT = 8;

/**
 * Cuts input into jobs, which run on any cores in any order, and joins their output to one member: every piece ends
 * byte aligned by a sync flush, the member's checksum is combined from the pieces'. Input that fits one job is one
 * job whose last block is final and whose trailer is the device's.
 */
export class CompressStream extends JobStream {
  private readonly pending = new ByteQueue();
  private readonly jobs: Promise<void>[] = [];
  /** Settles when the output of all jobs so far was emitted. */
  private tail: Promise<void> = Promise.resolve();
  /** Since the first flush. */
  private history: FlushHistory | undefined;
  private isHeaderSent = false;
  private checksum: number;
  private plainCrc32 = 0;
  private core: CoreName | undefined;
  private fallbackReason: string | undefined;
  private retries = 0;

  constructor(
    private readonly library: AcceleratorLibrary,
    private readonly options: CompressOptions,
    private readonly fallbackCore: CoreName,
    outputs: OutputBuffers,
  ) {
    super(options, HIGH_WATER_BYTES, outputs);
    this.checksum = initialChecksum(options.format);
  }

  result(): StreamResult {
    return {
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      crc32: this.options.format === 'zlib' ? this.plainCrc32 : this.checksum,
      core: this.core ?? this.fallbackCore,
      ...(this.retries === 0 ? {} : { retries: this.retries }),
      ...(this.fallbackReason === undefined ? {} : { fallbackReason: this.fallbackReason }),
    };
  }

  protected accept(chunk: Uint8Array): Promise<void> | undefined {
    if (this.options.format === 'zlib') this.plainCrc32 = crc32(chunk, this.plainCrc32);
    this.pending.push(chunk);
    // ">": whole input of exactly one job may still turn out to be all of it
    return this.pending.length > this.pieceBytes ? this.submitWhole() : undefined;
  }

  protected async finish(): Promise<void> {
    const isWhole = !this.isHeaderSent && this.jobs.length === 0 && this.pending.length > 0;
    if (isWhole) {
      await this.submit(this.pending.length, true);
      await this.tail;
      return;
    }
    await this.submitAll();
    this.sendHeader();
    this.emitChunk(endOf(this.options.format, this.checksum, this.bytesIn));
  }

  /** A flush: who flushes once will flush again. */
  protected emitPending(): Promise<void> {
    this.history ??= new FlushHistory(this.library);
    return this.submitAll();
  }

  private async submitAll(): Promise<void> {
    while (this.pending.length > 0) await this.submit(Math.min(this.pending.length, this.pieceBytes), false);
    await this.tail;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.pending.clear();
    this.history?.close();
    super._destroy(error, callback);
  }

  /**
   * A long stream goes on in larger pieces, because each starts without history: pieces of 256 KiB reach 98.4 % of the
   * ratio of a single one at level 6, pieces of 512 KiB 99.2 %. A short one has smaller pieces where it shares the cores.
   */
  private get pieceBytes(): number {
    const { jobBytes, shortStreamJobBytes } = this.library;
    return this.bytesIn > SHORT_STREAM_BYTES ? jobBytes : shortStreamJobBytes;
  }

  private async submitWhole(): Promise<void> {
    while (this.pending.length > this.pieceBytes) await this.submit(this.pieceBytes, false);
  }

  /** Hands one piece to the device; resolves when the next may come. */
  private async submit(bytes: number, isWhole: boolean): Promise<void> {
    await this.readerReady();
    if (this.jobs.length >= JOBS_IN_FLIGHT) await this.jobs[0];
    this.checkAlive();
    if (this.history?.isBusy) await this.tail; // what a piece may reach back to must be made
    const { history } = this;
    const stream = isWhole ? undefined : history?.begin(bytes);
    const end = (): void => (stream ? history?.end() : undefined);
    const { outputs } = this;
    const options = { ...this.options, outputs, isWhole, ...(stream ? { stream } : {}) };
    let output: TakenPiece['output'];
    try {
      ({ output } = await compressPiece(this.library, this.pending, bytes, options));
    } catch (error) {
      end();
      throw error;
    }
    if (output instanceof Promise) output.then(end, end);
    else end();
    const before = this.tail;
    const job = (async () => {
      const [done] = await Promise.all([output, before]);
      this.join(done, bytes);
    })();
    this.tail = job;
    this.jobs.push(job);
    job.then(
      () => this.jobs.shift(),
      (error: Error) => this.destroy(error),
    );
  }

  private join(piece: CompressedPiece, bytes: number): void {
    this.core = piece.core ?? this.core;
    this.fallbackReason ??= piece.fallbackReason;
    if (piece.isRetried) this.retries++;
    this.checksum = combineChecksum(this.options.format, this.checksum, piece.checksum, bytes);
    this.sendHeader();
    this.emitChunk(piece.bytes);
  }

  private sendHeader(): void {
    if (this.isHeaderSent) return;
    this.isHeaderSent = true;
    const { format, level, name, windowBytes } = this.options;
    this.emitChunk(headerOf(format, level, name, windowBytes));
  }
}
