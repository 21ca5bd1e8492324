import type { DeviceSnapshot } from '../../../shared/src/telemetry.ts';
import type { DurationCounts } from '../../../shared/src/timings.ts';
import { type Iova, pasid, type StreamId } from '../../../shared/src/units.ts';
import { CQE_BYTES } from '../hw-abi/qm.ts';
import { SQE_BYTES } from '../hw-abi/zip-sqe.ts';
import type { ZipVariant } from '../hw-abi/zip-variant.ts';
import type { Translator } from '../kernel/iommu/translator.ts';
import type { MmioView } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import type { DeviceBus, IrqVector } from '../platform/device-bus.ts';
import { DurationBuckets } from '../platform/duration-buckets.ts';
import type { Log } from '../platform/log.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import { CoreChoice } from './core-choice.ts';
import { Doorbells } from './doorbells.ts';
import type { PolledCore } from './engine/polled-core.ts';
import type { WorkerCore } from './engine/worker-core.ts';
import { EngineCounters } from './engine-counters.ts';
import { FaultInjector } from './faults/fault-injector.ts';
import { JobFaults } from './faults/job-faults.ts';
import { JobDispatcher } from './job-dispatcher.ts';
import { type QueueContexts, QueueManagerBlock } from './qm/queue-manager.ts';
import { Shaper } from './qm/shaper.ts';
import { decodeCqContext, decodeSqContext, QueuePair, type QueuePairCounters } from './queue-pair.ts';

export interface ZipDeviceParts {
  /** Of the function, as the kernel names it; absent: hisi_zip-0. */
  name?: string;
  variant: ZipVariant;
  streamId: StreamId;
  translator: Translator;
  memory: PhysicalMemory;
  polled: PolledCore;
  workers: readonly WorkerCore[];
  /** Jobs up to this many input bytes run on the polled core. */
  inlineBytes: number;
  /** Whether a stream may go to another core between two jobs. */
  keepsStateInContext?: boolean;
  clock: Clock;
  log: Log;
}

export interface QueueStatistics extends QueuePairCounters {
  inFlight: number;
  latencyUs?: { p50: number; p99: number };
}

interface StartedQueue {
  readonly pair: QueuePair;
  readonly contexts: QueueContexts;
}

/** This function's number: the bus reaches the physical function. */
const FUNCTION = 0;

/** The error that an injected RAS event shows if it names none. */
const RAS_ERROR = { ce: 'zip_ecc_1bitt_err', nfe: 'zip_ecc_2bit_err', fe: 'zip_ecc_2bit_err' } as const;

/**
 * The emulated ZIP engine behind its bus: a queue manager that takes contexts by mailbox and work by doorbell, and a
 * dispatcher that fetches SQEs by arbitration, lets the IOMMU translate every address, runs jobs on engine cores, writes
 * results back and posts CQEs in order.
 */
export class ZipDevice implements DeviceBus {
  /** What an administrator or a test breaks on purpose. */
  readonly faults: FaultInjector;
  private readonly queues = new Map<number, StartedQueue>();
  private readonly doorbells: Doorbells;
  private readonly qm: QueueManagerBlock;
  private readonly dispatcher: JobDispatcher;
  private readonly engines = new EngineCounters();
  private readonly sqeDurations = new DurationBuckets();
  private readonly shaper: Shaper;
  private readonly listeners: Partial<Record<IrqVector, () => void>> = {};
  /** What queues did that are stopped now. */
  private readonly retired = { fetched: 0, posted: 0, errors: 0 };
  private cqeErrors = 0;
  /** The next firmware reset fails. */
  private isBeyondReset = false;
  /** The next event's interrupt is lost. */
  private isInterruptLost = false;
  private readonly startedAtUs: number;

  constructor(private readonly parts: ZipDeviceParts) {
    const { polled, workers, inlineBytes, keepsStateInContext = false, clock, log } = parts;
    this.startedAtUs = clock.monotonicUs();
    this.shaper = new Shaper(clock);
    this.faults = new FaultInjector({
      device: parts.name ?? 'hisi_zip-0',
      clock,
      log,
      hasWorkers: workers.length > 0,
      raise: ({ severity, error }) => {
        this.isBeyondReset = severity === 'fe';
        this.qm.raise(error ?? RAS_ERROR[severity]);
      },
    });
    this.dispatcher = new JobDispatcher({
      ...parts,
      coreChoice: new CoreChoice(polled, workers, inlineBytes, keepsStateInContext),
      engines: this.engines,
      shaper: this.shaper,
      faults: new JobFaults(this.faults, clock),
      onPosted: (queue) => this.interruptIfArmed(queue),
      onQueueFault: (queue, type) => {
        if (type === 'cqeError') this.cqeErrors++;
        this.qm.faultEvent(queue.qpId, type);
      },
    });
    this.qm = new QueueManagerBlock({
      fn: FUNCTION,
      log,
      words: (address, bytes) => this.kernelWords(address, bytes),
      startQueue: (qpId, contexts) => this.startQueue(qpId, contexts),
      stopQueue: (qpId) => this.stopQueue(qpId),
      contexts: (qpId) => this.contexts(qpId),
      startedQueues: () => this.queues.keys(),
      interrupt: (vector) => {
        if (vector !== 'eq' || !this.isInterruptLost) this.listeners[vector]?.();
      },
      shutdown: () => this.dispatcher.shutDown(),
      // both types of a function share its rate here; their shares are not modelled
      shape: (fn, type, entry) => {
        if (fn === FUNCTION && type === 0) this.shaper.configure(entry);
      },
      counters: {
        doorbells: () => this.doorbells.count,
        queue: (qpId) => {
          const pair = this.queues.get(qpId)?.pair;
          return { sqes: pair?.fetched ?? 0, cqes: pair?.posted ?? 0 };
        },
        total: () => this.totals(),
        core: (block) => this.engines.registers(block, clock.monotonicUs() - this.startedAtUs),
        isIdle: () => this.dispatcher.isIdle,
      },
    });
    this.doorbells = new Doorbells({
      clock,
      log,
      qm: this.qm,
      faults: this.faults,
      find: (qpId) => this.queues.get(qpId)?.pair,
      onSq: (queue) => this.dispatcher.rung(queue),
      // a completion may have been posted before the arming was seen: then this is its interrupt
      onCq: (queue) => {
        if (queue.hasUnreaped) this.interruptIfArmed(queue);
      },
    });
  }

  read32(offset: number): number {
    return this.qm.read32(offset);
  }

  write32(offset: number, value: number): void {
    this.qm.write32(offset, value);
  }

  write128(offset: number, words: readonly [number, number, number, number]): void {
    this.qm.write128(offset, words);
  }

  write64(offset: number, low: number, high: number): void {
    this.doorbells.ringFunction(offset, low, high);
  }

  doorbellPage(qpId: number): MmioView {
    return {
      read32: () => 0xffff_ffff, // doorbells are write only
      write64: (offset, low, high) => this.doorbells.ringQueue(qpId, offset, low, high),
    };
  }

  onInterrupt(vector: IrqVector, listener: () => void): void {
    this.listeners[vector] = listener;
  }

  firmwareReset(): boolean {
    if (this.isBeyondReset) {
      this.isBeyondReset = false;
      return false;
    }
    for (const worker of this.parts.workers) worker.revive();
    for (const qpId of [...this.queues.keys()]) this.stopQueue(qpId);
    this.qm.reset();
    this.shaper.reset();
    this.dispatcher.restart();
    return true;
  }

  cores(): DeviceSnapshot['cores'] {
    return [this.parts.polled, ...this.parts.workers].map(({ id, name, where, jobs, busyUs }) => ({
      id,
      name,
      where,
      jobs,
      busyNs: Math.round(busyUs * 1000),
    }));
  }

  /** @returns undefined for a queue that is not started */
  statistics(qpId: number): QueueStatistics | undefined {
    const queue = this.queues.get(qpId)?.pair;
    if (!queue) return undefined;
    const latencyUs = queue.latencyUs.percentiles();
    return { ...queue.counters, inFlight: queue.inFlight, ...(latencyUs ? { latencyUs } : {}) };
  }

  /** Doorbell → CQE of every SQE since the start. */
  sqeTimings(): DurationCounts {
    return this.sqeDurations.read();
  }

  /** All queues since the start, stopped ones included. */
  functionStatistics(): { sent: number; received: number; errorBds: number } {
    const { fetched, writtenBack } = this.totals();
    let { errors } = this.retired;
    for (const { pair } of this.queues.values()) errors += pair.counters.errors;
    return { sent: fetched, received: writtenBack, errorBds: errors };
  }

  /**
   * Stopping a queue discards its jobs but cannot call them back from an engine core.
   * @returns a promise for the moment when no core works for a stopped queue; undefined if that is now
   */
  drain(): Promise<void> | undefined {
    return this.dispatcher.drain();
  }

  async dispose(): Promise<void> {
    for (const { pair } of this.queues.values()) this.dispatcher.stop(pair);
    this.queues.clear();
    await Promise.all(this.parts.workers.map((worker) => worker.dispose()));
  }

  private startQueue(qpId: number, contexts: QueueContexts): boolean {
    const sq = decodeSqContext(contexts.sqc);
    const cq = decodeCqContext(contexts.cqc);
    const sqWords = this.kernelWords(sq.base, sq.depth * SQE_BYTES);
    const cqWords = this.kernelWords(cq.base, cq.depth * CQE_BYTES);
    if (!sqWords || !cqWords) return false;
    this.stopQueue(qpId);
    const pair = new QueuePair(qpId, sq, cq, sqWords, cqWords, this.sqeDurations);
    this.queues.set(qpId, { pair, contexts });
    return true;
  }

  /** What runs in a core is discarded when it comes back. */
  private stopQueue(qpId: number): boolean {
    const queue = this.queues.get(qpId)?.pair;
    if (!queue) return false;
    this.queues.delete(qpId);
    this.retired.fetched += queue.fetched;
    this.retired.posted += queue.posted;
    this.retired.errors += queue.counters.errors;
    this.dispatcher.stop(queue);
    return true;
  }

  private contexts(qpId: number): QueueContexts | undefined {
    const queue = this.queues.get(qpId);
    if (!queue) return undefined;
    const { sqc, cqc } = queue.contexts;
    queue.pair.describe(sqc, cqc);
    return { sqc, cqc };
  }

  private totals(): { fetched: number; writtenBack: number; cqeErrors: number } {
    let { fetched, posted } = this.retired;
    for (const { pair } of this.queues.values()) {
      fetched += pair.fetched;
      posted += pair.posted;
    }
    return { fetched, writtenBack: posted, cqeErrors: this.cqeErrors };
  }

  /** Rings and contexts are the kernel's coherent memory: contiguous, reached without PASID. */
  private kernelWords(address: Iova, bytes: number): Uint32Array | undefined {
    const extents = this.parts.translator.translate(this.parts.streamId, pasid(0), address, bytes, 'write');
    const [only] = extents ?? [];
    return only && extents?.length === 1 ? this.parts.memory.words(only.address, bytes / 4) : undefined;
  }

  private interruptIfArmed(queue: QueuePair): void {
    if (!queue.isArmed) return;
    queue.isArmed = false;
    this.isInterruptLost =
      this.faults.isActive && this.faults.strikes('lost-interrupt', queue.qpId) !== undefined;
    this.qm.completionEvent(queue.qpId);
    this.isInterruptLost = false;
  }
}
