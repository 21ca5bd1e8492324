import type { Operation } from '../../../shared/src/telemetry.ts';
import { type Iova, iova } from '../../../shared/src/units.ts';
import { scatterListBytes, writeScatterList } from '../../src/driver/zip/scatter-list.ts';
import {
  newStream,
  STREAM_CONTEXT_BYTES,
  type StreamState,
  type ZipCompletion,
  ZipQueue,
  type ZipRequest,
} from '../../src/driver/zip/zip-queue.ts';
import type { Host, HostOptions } from '../../src/host.ts';
import { DUS_SQ_OFFSET } from '../../src/hw-abi/dus.ts';
import { type Field, setField } from '../../src/hw-abi/field.ts';
import { QUEUE_DEPTH } from '../../src/hw-abi/qm.ts';
import { SQE, SQE_WORDS } from '../../src/hw-abi/zip-sqe.ts';
import type { DmaBuffer, ProcessContext, QueueHandle } from '../../src/platform/accelerator.ts';
import { openHost } from './hosts.ts';

/** Queues that a client may open. */
const MDEVS = 6;
const SOURCE_BYTES = 1 << 20;

export interface RunOptions extends Partial<Omit<ZipRequest, 'source' | 'destination' | 'stream'>> {
  /** Both buffers as scatter lists: so many pieces, and so many entries a head. */
  pieces?: number;
  perHead?: number;
  stream?: StreamState;
}

/**
 * A process with queues of its own on a host whose engine core is polled, so that a job is complete when `run`
 * returns: every byte goes through the driver, the ring, the IOMMU and an engine core.
 */
export class ZipClient {
  readonly process: ProcessContext;
  private readonly queues = new Map<string, { handle: QueueHandle; queue: ZipQueue }>();
  readonly source: DmaBuffer;
  readonly destination: DmaBuffer;
  private readonly lists: DmaBuffer;
  /** Jobs of the first queue of each operation. */
  private readonly jobs = new Map<Operation, number>();

  private constructor(readonly host: Host) {
    this.process = host.kernel.attach({ mode: 'sva', owner: { pid: process.pid, name: 'zip-client' } });
    this.source = this.process.allocate(SOURCE_BYTES);
    this.destination = this.process.allocate(2 * SOURCE_BYTES);
    this.lists = this.process.allocate(256 * 1024);
  }

  static async open(options: Partial<HostOptions> = {}): Promise<ZipClient> {
    const host = await openHost({ queues: 2, inlineBytes: 8 << 20, ...options });
    for (let i = 0; i < MDEVS; i++) host.kernel.createMdev({ type: 'hisi_zip-zip' }, true);
    return new ZipClient(host);
  }

  /** @param number which of this process's queues for the operation; opened at first use */
  queue(operation: Operation, number = 0): { handle: QueueHandle; queue: ZipQueue } {
    const key = `${operation} ${number}`;
    let open = this.queues.get(key);
    if (!open) {
      const handle = this.process.openQueue({ operation, priority: 0 });
      open = { handle, queue: new ZipQueue(handle) };
      handle.start();
      this.queues.set(key, open);
    }
    return open;
  }

  newStream(): StreamState {
    return newStream(this.process.allocate(STREAM_CONTEXT_BYTES).address);
  }

  /** One job, from `input` to a copy of its output. */
  run(
    operation: Operation,
    input: Uint8Array,
    options: RunOptions = {},
    queueNumber = 0,
  ): ZipCompletion & { output: Buffer } {
    const { pieces, perHead = 3, ...rest } = options;
    const room = options.destinationBytes ?? this.destination.bytes.length / 2;
    const request: ZipRequest = {
      format: 'gzip',
      level: 1,
      isFinal: true,
      sourceBytes: input.length,
      destinationBytes: room,
      ...rest,
      source: this.source.address,
      destination: this.destination.address,
    };
    const gap = pieces === undefined ? 0 : 40;
    const from = split(input.length, pieces ?? 1);
    const to = split(room, pieces ?? 1);
    let at = 0;
    for (const [index, bytes] of from.entries()) {
      this.source.bytes.set(input.subarray(at, at + bytes), at + index * gap);
      at += bytes;
    }
    if (pieces !== undefined) {
      const half = 128 * 1024;
      request.lists = options.lists ?? { sourceOffset: 0, destinationOffset: 0 };
      request.source = this.writeList(0, half, this.source.address, from, gap, perHead);
      request.destination = this.writeList(half, half, this.destination.address, to, gap, perHead);
    }
    const completion = this.submit(operation, request, queueNumber);
    const whole = Buffer.concat(
      to.map((bytes, index) => {
        const start = to.slice(0, index).reduce((sum, size) => sum + size, 0) + index * gap;
        return Buffer.from(this.destination.bytes.subarray(start, start + bytes));
      }),
    );
    return { ...completion, output: whole.subarray(0, completion.produced) };
  }

  /** A request as it is. */
  submit(operation: Operation, request: ZipRequest, queueNumber = 0): ZipCompletion {
    const { queue } = this.queue(operation, queueNumber);
    let completion: ZipCompletion | undefined;
    if (!queue.trySubmit(request, (done) => (completion = done))) throw new Error('the ring is full');
    if (queueNumber === 0) this.jobs.set(operation, (this.jobs.get(operation) ?? 0) + 1);
    queue.poll();
    if (!completion) throw new Error('the polled core has not finished');
    return completion;
  }

  /** The ring's SQEs; entries are of 32 words. */
  private ring(operation: Operation): Uint32Array {
    const { dus } = this.queue(operation).handle.region;
    return new Uint32Array(dus.buffer, dus.byteOffset + DUS_SQ_OFFSET, QUEUE_DEPTH * SQE_WORDS);
  }

  /** The SQE of the newest job of the first queue. */
  lastSqe(operation: Operation): Uint32Array {
    const jobs = this.jobs.get(operation) ?? 0;
    const base = ((jobs - 1 + QUEUE_DEPTH) % QUEUE_DEPTH) * SQE_WORDS;
    return this.ring(operation).slice(base, base + SQE_WORDS);
  }

  /** A good gzip job whose SQE is changed behind the driver's back, before the doorbell. @returns its status */
  raw(change: Partial<Record<keyof typeof SQE | 'sourceHigh' | 'destinationHigh', number>>): number {
    const { handle } = this.queue('compress');
    const { mmio } = handle.region;
    const ring = this.ring('compress');
    const base = ((this.jobs.get('compress') ?? 0) % QUEUE_DEPTH) * SQE_WORDS;
    const { write64 } = mmio;
    mmio.write64 = (...words) => {
      mmio.write64 = write64;
      for (const [name, value] of Object.entries(change)) {
        if (name === 'sourceHigh') setField(ring, base, SQE.source.high, value);
        else if (name === 'destinationHigh') setField(ring, base, SQE.destination.high, value);
        else setField(ring, base, SQE[name as keyof typeof SQE] as Field, value);
      }
      write64.apply(mmio, words);
    };
    return this.run('compress', Buffer.from('raw '.repeat(100))).status;
  }

  private writeList(
    at: number,
    room: number,
    base: Iova,
    sizes: readonly number[],
    gap: number,
    perHead: number,
  ): Iova {
    let offset = 0;
    const entries = sizes.map((bytes, index) => {
      const entry = { address: iova(base + offset + index * gap), bytes };
      offset += bytes;
      return entry;
    });
    const bytes = scatterListBytes(entries.length, perHead);
    if (bytes > room) throw new Error('the list memory is too small');
    const memory = {
      address: iova(this.lists.address + at),
      bytes: this.lists.bytes.subarray(at, at + bytes),
    };
    return entries.length === 0 ? memory.address : writeScatterList(memory, entries, perHead);
  }

  async close(): Promise<void> {
    this.process.close();
    await this.host.close();
  }
}

/** `bytes` in up to `pieces` pieces of at least one byte. */
function split(bytes: number, pieces: number): number[] {
  const size = Math.max(1, Math.ceil(bytes / pieces));
  const sizes: number[] = [];
  for (let left = bytes; left > 0; left -= size) sizes.push(Math.min(size, left));
  return sizes;
}
