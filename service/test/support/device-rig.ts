import type { CoreName } from '../../../shared/src/telemetry.ts';
import {
  type Iova,
  PAGE_BYTES,
  type PhysAddr,
  physAddr,
  type StreamId,
  streamId,
} from '../../../shared/src/units.ts';
import { allocateCoreRanges } from '../../src/emulator/engine/core-ranges.ts';
import { createDataPaths } from '../../src/emulator/engine/data-paths.ts';
import { EngineCore } from '../../src/emulator/engine/engine-core.ts';
import { type EngineJob, type EngineResult, failedResult } from '../../src/emulator/engine/job.ts';
import { PolledCore } from '../../src/emulator/engine/polled-core.ts';
import type { SmallJobs } from '../../src/emulator/engine/small-jobs.ts';
import type { WorkerCore } from '../../src/emulator/engine/worker-core.ts';
import { ZipDevice } from '../../src/emulator/zip-device.ts';
import { ZIP_V2, ZIP_V3 } from '../../src/hw-abi/zip-variant.ts';
import type { Access, Extent, Translation, Translator } from '../../src/kernel/iommu/translator.ts';
import type { Log } from '../../src/platform/log.ts';
import { PhysicalMemory } from '../../src/platform/physical-memory.ts';
import { FakeClock } from './fake-clock.ts';

const DEPTH = 1024;
const STREAM = streamId(0x7500);

/** Identity but for the pages that a test placed elsewhere or took away; keeps what it refused. */
export class FakeTranslator implements Translator {
  readonly moved = new Map<number, number>();
  readonly unmapped = new Set<number>();
  readonly refused: { pasid: number; address: number; access: Access }[] = [];
  readonly asked: { stream: StreamId; pasid: number; access: Access; bytes: number }[] = [];

  translate(
    stream: StreamId,
    pasid: number,
    address: Iova,
    bytes: number,
    access: Access,
  ): Extent[] | undefined {
    this.asked.push({ stream, pasid, access, bytes });
    const extents: Extent[] = [];
    for (let at: number = address; at < address + bytes; ) {
      const page = Math.floor(at / PAGE_BYTES);
      const length = Math.min((page + 1) * PAGE_BYTES - at, address + bytes - at);
      if (this.unmapped.has(page)) {
        this.refused.push({ pasid, address: at, access });
        return undefined;
      }
      const target = (this.moved.get(page) ?? page) * PAGE_BYTES + (at % PAGE_BYTES);
      const last = extents.at(-1);
      if (last && last.address + last.bytes === target) last.bytes += length;
      else extents.push({ address: physAddr(target), bytes: length });
      at += length;
    }
    return extents;
  }

  translateOrStall(...access: Parameters<FakeTranslator['translate']>): Translation {
    return this.translate(...access);
  }

  report(): void {}
}

/** A core that holds its jobs until the test lets them go, in any order. */
export class HeldCore {
  readonly where = 'worker';
  readonly name: CoreName = 'wasm';
  jobs = 0;
  busyUs = 0;
  readonly held: { job: EngineJob; done: (result: EngineResult) => void }[] = [];

  constructor(
    readonly id: number,
    private readonly capacity: number,
  ) {}

  get load(): number {
    return this.held.length;
  }

  get hasRoom(): boolean {
    return this.held.length < this.capacity;
  }

  run(job: EngineJob, done: (result: EngineResult) => void): void {
    this.held.push({ job, done });
  }

  /** Ends the job at `index` of those held, as if all its input had become one byte. */
  finish(index = 0, changes: Partial<EngineResult> = {}): void {
    const [entry] = this.held.splice(index, 1);
    if (!entry) throw new Error('no such job');
    const consumed = entry.job.source.reduce((sum, { bytes }) => sum + bytes, 0);
    this.jobs++;
    entry.done({ ...failedResult(entry.job, 0, this.name), consumed, produced: 1, ...changes });
  }

  collect(): void {}

  revive(): void {}

  async dispose(): Promise<void> {}
}

export interface LogLine {
  details: Record<string, unknown>;
  message: string;
}

export interface SqeFields {
  type?: number;
  request?: number;
  buffer?: number;
  window?: number;
  level?: number;
  flags?: number;
  source?: number;
  bytes?: number;
  destination?: number;
  room?: number;
  context?: number;
  tag?: number;
}

/** SQE flags of dw7 (sources.md 6.3). */
export const FINISH = 0x0200_0000;
export const STATEFUL = 0x0400_0000;
export const STREAM_NEW = 0x0800_0000;

/** A queue as software sees it, by raw words of sources.md 5.3–5.5 and 6.1. */
export class RigQueue {
  private tail = 0;

  constructor(
    private readonly rig: DeviceRig,
    readonly qpId: number,
    readonly sq: PhysAddr,
    readonly cq: PhysAddr,
  ) {}

  sqe(slot: number): Uint32Array {
    return this.rig.memory.words(physAddr(this.sq + slot * 128), 32);
  }

  status(slot: number): number {
    return this.sqe(slot)[3]! & 0xff;
  }

  cqe(index: number): { sqHead: number; sqNum: number; phase: number } {
    const words = this.rig.memory.words(physAddr(this.cq + index * 16), 4);
    return { sqHead: words[2]! & 0xffff, sqNum: words[2]! >>> 16, phase: (words[3]! >>> 16) & 1 };
  }

  /** Writes the next SQE without ringing. @returns its slot */
  write(fields: SqeFields): number {
    const slot = this.tail;
    this.tail = (this.tail + 1) % DEPTH;
    const words = this.sqe(slot);
    words.fill(0);
    const { source = 0, destination = 0, context = 0 } = fields;
    words[4] = fields.bytes ?? 0;
    words[7] = (((fields.type ?? 3) << 28) | (fields.flags ?? FINISH)) >>> 0;
    words[9] = ((fields.window ?? 4) << 12) | ((fields.buffer ?? 0) << 8) | (fields.request ?? 3);
    words[11] = fields.level ?? 1;
    words[14] = fields.room ?? 0x10000;
    words[18] = source % 2 ** 32;
    words[19] = Math.floor(source / 2 ** 32);
    words[20] = destination % 2 ** 32;
    words[21] = Math.floor(destination / 2 ** 32);
    words[22] = context % 2 ** 32;
    words[23] = Math.floor(context / 2 ** 32);
    words[26] = fields.tag ?? 0;
    return slot;
  }

  ring(priority = 0, tail = this.tail): void {
    this.rig.device.doorbellPage(this.qpId).write64(0x1000, this.qpId, ((priority << 16) | tail) >>> 0);
  }

  submit(fields: SqeFields): number {
    const slot = this.write(fields);
    this.ring();
    return slot;
  }

  /** CQ doorbell: head, and whether to interrupt at the next completion. */
  ringCq(head: number, isArmed: boolean): void {
    const low = (1 << 12) | this.qpId;
    this.rig.device.doorbellPage(this.qpId).write64(0x1000, low, ((isArmed ? 1 << 16 : 0) | head) >>> 0);
  }
}

export interface RigOptions {
  /** A real engine core, polled; absent: all jobs go to held cores. */
  core?: CoreName;
  heldCores?: number;
  /** Jobs that a held core takes at once. */
  capacity?: number;
  inlineBytes?: number;
  smallJobs?: SmallJobs;
  variant?: 'v2' | 'v3';
  workers?: (memory: PhysicalMemory, log: Log) => WorkerCore[];
  /** The device as it is after power-on; absent: brought up to its first queue. */
  isBare?: boolean;
}

/** One emulated device on a bare machine: registers, doorbells and memory are all that a test touches. */
export class DeviceRig {
  readonly memory = new PhysicalMemory(256 * 1024 * 1024);
  readonly translator = new FakeTranslator();
  readonly clock = new FakeClock();
  readonly cores: HeldCore[];
  readonly workers: WorkerCore[];
  /** Queues that the EQ named, in order. */
  readonly interrupts: number[] = [];
  onCompletion: (qpId: number) => void = () => {};
  readonly warnings: LogLine[] = [];
  readonly device: ZipDevice;
  private readonly log: Log;

  constructor(options: RigOptions = {}) {
    const { core, heldCores = 0, capacity = 64, inlineBytes = core ? 1 << 30 : -1, variant = 'v3' } = options;
    const warn = (details: object, message: string): void => {
      this.warnings.push({ details: { ...details }, message });
    };
    this.log = { debug() {}, info() {}, warn, error: warn, child: () => this.log };
    this.cores = Array.from({ length: heldCores }, (_, index) => new HeldCore(index + 1, capacity));
    this.workers = options.workers?.(this.memory, this.log) ?? [];
    const ranges = allocateCoreRanges(this.memory);
    const polled = core
      ? new PolledCore(
          0,
          core,
          new EngineCore(this.memory.wasm, createDataPaths(core, this.memory.wasm, ranges.scratch), ranges),
          options.smallJobs,
        )
      : (new HeldCore(0, 0) as unknown as PolledCore);
    this.device = new ZipDevice({
      variant: variant === 'v3' ? ZIP_V3 : ZIP_V2,
      streamId: STREAM,
      translator: this.translator,
      memory: this.memory,
      polled,
      workers: [...(this.cores as unknown as WorkerCore[]), ...this.workers],
      inlineBytes,
      clock: this.clock,
      log: this.log,
    });
    if (!options.isBare) this.bringUp();
    this.translator.asked.length = 0;
  }

  /** Registers, contexts and tables up to the first queue, in the kernel driver's order (sources.md 5.5–5.7). */
  bringUp(): void {
    const { device, memory } = this;
    device.write32(0x10_0040, 1);
    this.writeVft(0, 0, 0x1000 | (1023 << 13)); // SQC: base 0, valid bit 44, (1024 − 1) << 45
    this.writeVft(1, 0x1000_0000, 0); // CQC: valid bit 28
    const eq = memory.allocate(2048 * 4);
    const aeq = memory.allocate(1024 * 4);
    const tables = memory.allocate(2 * 1024 * 32);
    this.eventContext(2, eq, 2047);
    this.eventContext(3, aeq, 1023);
    this.mailbox(4, 0, tables);
    this.mailbox(5, 0, tables + 1024 * 32);
    device.onInterrupt('eq', this.takeCompletions(memory.words(eq, 2048)));
    device.write32(0xc, 0);
    device.write32(0x4, 0);
  }

  /** One entry of the function table, function 0. */
  writeVft(type: number, low: number, high: number): void {
    for (const [offset, value] of [
      [0x10_0058, 0],
      [0x10_005c, type],
      [0x10_0060, 0],
      [0x10_0064, low],
      [0x10_0068, high],
      [0x10_006c, 0],
      [0x10_0054, 1],
    ] as const)
      this.device.write32(offset, value);
  }

  private eventContext(command: number, ring: PhysAddr, depthMinusOne: number): void {
    this.memory.words(ring, depthMinusOne + 1).fill(0);
    const context = this.memory.allocate(32);
    const words = this.memory.words(context, 8);
    words.fill(0);
    words[1] = ring;
    words[7] = 0x1_0000 | depthMinusOne;
    this.mailbox(command, 0, context);
  }

  private takeCompletions(eq: Uint32Array): () => void {
    let head = 0;
    let phase = 1;
    return () => {
      while (((eq[head]! >>> 16) & 1) === phase) {
        const qpId = eq[head]! & 0xffff;
        head = (head + 1) % 2048;
        if (head === 0) phase ^= 1;
        this.interrupts.push(qpId);
        this.device.write64(0x2000, 0x2000, head);
        this.onCompletion(qpId);
      }
    };
  }

  /** Places bytes in RAM. @returns their address */
  place(bytes: Uint8Array, room = bytes.length): number {
    const address = this.memory.allocate(Math.max(1, room));
    this.memory.view(address, bytes.length).set(bytes);
    return address;
  }

  read(address: number, bytes: number): Buffer {
    return Buffer.from(this.memory.view(physAddr(address), bytes));
  }

  /** Sends one mailbox command of raw words (sources.md 5.6). @returns the status bits afterwards */
  mailbox(command: number, qpId: number, address: number): number {
    this.device.write128(0x300, [
      ((qpId << 16) | 0x2000 | command) >>> 0,
      address % 2 ** 32,
      Math.floor(address / 2 ** 32),
      0,
    ]);
    return (this.device.read32(0x300) >>> 9) & 0xf;
  }

  /** Starts a queue pair by its two contexts, as the kernel driver does. */
  startQueue(
    qpId: number,
    { priority = 0, operation = 'compress' as 'compress' | 'decompress', pasid = 0 } = {},
  ): RigQueue {
    const sq = this.memory.allocate(DEPTH * 128);
    const cq = this.memory.allocate(DEPTH * 16);
    const context = this.memory.allocate(32);
    const words = this.memory.words(context, 8);
    words[1] = sq;
    words[3] = 0x73ff; // depth − 1, log2(128) << 12
    words[5] = pasid | (pasid === 0 ? 0 : 0x0080_0000);
    words[6] = ((operation === 'compress' ? 0 : 1) << 24) | (1 << 20) | (priority << 16) | qpId;
    if (this.mailbox(0, qpId, context) !== 0) throw new Error('SQC refused');
    words.fill(0);
    words[1] = cq;
    words[3] = 0x43ff;
    words[6] = 1; // first phase
    if (this.mailbox(1, qpId, context) !== 0) throw new Error('CQC refused');
    return new RigQueue(this, qpId, sq, cq);
  }
}
