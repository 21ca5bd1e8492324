import type { DeviceSnapshot } from '../../../shared/src/telemetry.ts';
import { hex, type Iova, iova, pasid, physAddr, type StreamId } from '../../../shared/src/units.ts';
import { getField, setField } from '../hw-abi/field.ts';
import { CQE_BYTES, DOORBELL, DOORBELL_COMMAND, DOORBELL_OFFSET } from '../hw-abi/qm.ts';
import {
  CORE_TAGS,
  MAX_FLAT_BYTES,
  SQE,
  SQE_BYTES,
  SQE_WORDS,
  STATUS,
  STREAM_CONTEXT_BYTES,
  STREAM_CONTEXT_HW_OFFSET,
} from '../hw-abi/zip-sqe.ts';
import type { ZipVariant } from '../hw-abi/zip-variant.ts';
import {
  type Access,
  type Extent,
  isStall,
  type Stall,
  type Translator,
} from '../kernel/iommu/translator.ts';
import type { MmioView } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import type { Log } from '../platform/log.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import { Arbiter } from './arbiter.ts';
import { type Core, CoreChoice } from './core-choice.ts';
import type { EngineJob, EngineResult } from './engine/job.ts';
import type { PolledCore } from './engine/polled-core.ts';
import type { WorkerCore } from './engine/worker-core.ts';
import { JobsInCores } from './jobs-in-cores.ts';
import { Mailbox } from './mailbox.ts';
import {
  type CqContext,
  type FetchedSqe,
  QueuePair,
  type QueuePairCounters,
  type SqContext,
} from './queue-pair.ts';
import { reachableMemory } from './reachable-memory.ts';
import { type DecodedSqe, decodeSqe } from './sqe-decoder.ts';
import { StalledJobs } from './stalled-jobs.ts';

export interface ZipDeviceParts {
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

/** Outcomes that are not the request's failure (UADK drv/hisi_comp.c). */
const GOOD_STATUS = new Set<number>([STATUS.ok, STATUS.negativeCompression, STATUS.decompressionEnd]);

/** A job that was fetched and has its place in the order of completions. */
interface FetchedJob {
  readonly queue: QueuePair;
  readonly sqe: FetchedSqe;
  readonly request: DecodedSqe;
}

export interface QueueStatistics extends QueuePairCounters {
  inFlight: number;
  latencyUs?: { p50: number; p99: number };
}

/**
 * The emulated ZIP engine: takes queue contexts by mailbox and work by doorbell, fetches SQEs by arbitration, lets
 * the IOMMU translate every address, runs jobs on engine cores, writes results back and posts CQEs in order.
 */
export class ZipDevice implements DeviceBus {
  private readonly queues = new Map<number, QueuePair>();
  private readonly arbiter = new Arbiter();
  private readonly mailbox: Mailbox;
  private readonly coreChoice: CoreChoice;
  private readonly stalled = new StalledJobs();
  private readonly inCores = new JobsInCores();
  /** Jobs whose stall ended and that wait for a core; their queues fetch nothing meanwhile. */
  private resumed: FetchedJob[] = [];
  private isDispatching = false;
  private interrupt: (qpId: number) => void = () => {};

  constructor(private readonly parts: ZipDeviceParts) {
    this.coreChoice = new CoreChoice(
      parts.polled,
      parts.workers,
      parts.inlineBytes,
      parts.keepsStateInContext ?? false,
    );
    this.mailbox = new Mailbox({
      words: (address, bytes) => this.kernelWords(address, bytes),
      startQueue: (qpId, sq, cq) => this.startQueue(qpId, sq, cq),
      stopQueue: (qpId) => this.stopQueue(qpId),
    });
  }

  read32(offset: number): number {
    const value = this.mailbox.read32(offset);
    if (value !== undefined) return value;
    this.parts.log.warn({ offset: hex(offset) }, 'read of unmapped ZIP register');
    return 0xffff_ffff;
  }

  write32(offset: number, value: number): void {
    this.parts.log.warn({ offset: hex(offset), value: hex(value) }, 'write to unmapped ZIP register');
  }

  write128(offset: number, words: readonly [number, number, number, number]): void {
    if (!this.mailbox.write128(offset, words)) this.write32(offset, words[0]);
  }

  doorbellPage(qpId: number): MmioView {
    return {
      read32: () => 0xffff_ffff, // doorbells are write only
      write64: (offset, low, high) => this.ringDoorbell(qpId, offset, low, high),
    };
  }

  onCompletionInterrupt(listener: (qpId: number) => void): void {
    this.interrupt = listener;
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
    const queue = this.queues.get(qpId);
    if (!queue) return undefined;
    const latencyUs = queue.latencyUs.percentiles();
    return { ...queue.counters, inFlight: queue.inFlight, ...(latencyUs ? { latencyUs } : {}) };
  }

  /**
   * Stopping a queue discards its jobs but cannot call them back from an engine core.
   * @returns a promise for the moment when no core works for a stopped queue; undefined if that is now
   */
  drain(): Promise<void> | undefined {
    return this.inCores.drainStopped();
  }

  async dispose(): Promise<void> {
    for (const queue of this.queues.values()) queue.isStopped = true;
    this.stalled.terminateAll();
    this.queues.clear();
    await Promise.all(this.parts.workers.map((worker) => worker.dispose()));
  }

  private startQueue(qpId: number, sq: SqContext, cq: CqContext): boolean {
    const sqWords = this.kernelWords(sq.base, sq.depth * SQE_BYTES);
    const cqWords = this.kernelWords(cq.base, cq.depth * CQE_BYTES);
    if (!sqWords || !cqWords) return false;
    this.queues.set(qpId, new QueuePair(qpId, sq, cq, sqWords, cqWords));
    return true;
  }

  /** What runs in a core is discarded when it comes back. */
  private stopQueue(qpId: number): boolean {
    const queue = this.queues.get(qpId);
    if (!queue) return false;
    queue.isStopped = true;
    this.arbiter.remove(queue);
    this.queues.delete(qpId);
    this.stalled.terminate(queue);
    this.resumed = this.resumed.filter((job) => job.queue !== queue);
    return true;
  }

  /** Rings and contexts are the kernel's coherent memory: contiguous, reached without PASID. */
  private kernelWords(address: Iova, bytes: number): Uint32Array | undefined {
    const extents = this.parts.translator.translate(this.parts.streamId, pasid(0), address, bytes, 'write');
    const [only] = extents ?? [];
    return only && extents?.length === 1 ? this.parts.memory.words(only.address, bytes / 4) : undefined;
  }

  private ringDoorbell(qpId: number, offset: number, low: number, high: number): void {
    const queue = this.queues.get(qpId);
    const words = new Uint32Array([low, high]);
    if (offset !== DOORBELL_OFFSET || !queue || getField(words, 0, DOORBELL.queue) !== qpId) {
      this.parts.log.warn({ qpId, offset: hex(offset), low: hex(low) }, 'doorbell refused');
      return;
    }
    const index = getField(words, 0, DOORBELL.index);
    switch (getField(words, 0, DOORBELL.command)) {
      case DOORBELL_COMMAND.sq:
        if (!queue.ringSq(index, this.parts.clock.monotonicUs()))
          this.parts.log.warn({ qpId, index }, 'SQ doorbell with an index outside the ring');
        if (!this.isHeld(queue)) this.arbiter.add(queue);
        this.dispatchAll();
        return;
      case DOORBELL_COMMAND.cq:
        queue.isArmed = getField(words, 0, DOORBELL.priority) === 1;
        // a completion may have been posted before the arming was seen: then this is its interrupt
        if (queue.hasUnreaped(index)) this.interruptIfArmed(queue);
        return;
      default:
        this.parts.log.warn({ qpId, low: hex(low) }, 'doorbell command unknown to queues');
    }
  }

  /** Not re-entrant: a completion that rings again only leaves work for the loop that runs already. */
  private dispatchAll(): void {
    if (this.isDispatching) return;
    this.isDispatching = true;
    try {
      for (const job of this.resumed.splice(0)) if (!this.resume(job)) this.resumed.push(job);
      this.arbiter.run(
        // capped, because the length is not checked yet and a round of arbitration costs time
        (queue) =>
          Math.min(MAX_FLAT_BYTES, Math.max(1, getField(queue.sqWords, queue.headBase, SQE.inputDataLength))),
        (queue) => this.dispatchHead(queue),
      );
    } finally {
      this.isDispatching = false;
    }
  }

  private dispatchHead(queue: QueuePair): boolean {
    const base = queue.headBase;
    const request = decodeSqe(queue.sqWords, base, this.parts.variant);
    if (typeof request === 'string') {
      const sqe = queue.fetch();
      this.parts.log.warn({ qpId: queue.qpId, field: request }, 'malformed SQE');
      this.finish(queue, sqe, undefined, STATUS.badRequest, `bad SQE field ${request}`);
      return true;
    }
    const core = this.coreChoice.choose(request);
    if (!core) return false;
    this.begin({ queue, sqe: queue.fetch(), request }, core);
    return true;
  }

  private isHeld(queue: QueuePair): boolean {
    return this.stalled.has(queue) || this.resumed.some((job) => job.queue === queue);
  }

  /** Repeats a job after its stall. @returns false if no core has room for it */
  private resume(job: FetchedJob): boolean {
    const core = this.coreChoice.choose(job.request);
    if (!core) return false;
    this.begin(job, core);
    if (!this.stalled.has(job.queue)) this.arbiter.add(job.queue);
    return true;
  }

  private begin(fetched: FetchedJob, core: Core): void {
    const { queue, sqe, request } = fetched;
    const job = this.translate(queue, sqe.index * SQE_WORDS, request);
    if (job === undefined) this.abort(fetched);
    else if ('outcome' in job) this.hold(fetched, job);
    else {
      this.inCores.enter(queue);
      core.run(job, (result) => {
        this.inCores.leave(queue);
        const { fault } = result;
        if (fault && !queue.isStopped)
          this.parts.translator.report(
            this.parts.streamId,
            queue.sq.pasid,
            iova(request[fault.part] + fault.offset),
            fault.access,
          );
        this.finish(queue, sqe, result, result.status);
      });
    }
  }

  private hold(fetched: FetchedJob, stall: Stall): void {
    const { queue } = fetched;
    this.arbiter.remove(queue);
    this.stalled.hold(queue, stall, (outcome) => {
      if (outcome === 'retry') this.resumed.push(fetched);
      else {
        this.arbiter.add(queue);
        this.abort(fetched);
      }
      this.dispatchAll();
    });
  }

  private abort({ queue, sqe }: FetchedJob): void {
    this.finish(queue, sqe, undefined, STATUS.busError, 'DMA aborted by the IOMMU');
  }

  private translate(queue: QueuePair, base: number, request: DecodedSqe): EngineJob | Stall | undefined {
    const { translator, streamId, memory } = this.parts;
    const reach = (address: Iova, bytes: number, access: Access): Extent[] | Stall | undefined => {
      if (bytes === 0) return [];
      const translation = translator.translateOrStall(streamId, queue.sq.pasid, address, bytes, access);
      if (!translation || isStall(translation)) return translation;
      const extents = reachableMemory(translation, memory);
      if (!extents) translator.report(streamId, queue.sq.pasid, address, access);
      return extents;
    };
    const source = reach(request.source, request.sourceBytes, 'read');
    if (!source || isStall(source)) return source;
    const destination = reach(request.destination, request.destinationBytes, 'write');
    if (!destination || isStall(destination)) return destination;
    const contextBytes = request.isStateful ? STREAM_CONTEXT_BYTES - STREAM_CONTEXT_HW_OFFSET : 0;
    const context = reach(request.context, contextBytes, 'write');
    if (!context || isStall(context)) return context;
    const word = (f: 'ctxDw0' | 'ctxDw1' | 'ctxDw2' | 'checksum' | 'isize') =>
      getField(queue.sqWords, base, SQE[f]);
    return {
      operation: queue.sq.operation,
      checksum: request.checksum,
      level: request.level,
      windowBytes: request.windowBytes,
      isFinal: request.isFinal,
      isStateful: request.isStateful,
      isStreamNew: request.isStreamNew,
      source: this.reachable(source),
      destination: this.reachable(destination),
      context: this.reachable(context),
      ctxDw0: word('ctxDw0'),
      ctxDw1: word('ctxDw1'),
      ctxDw2: word('ctxDw2'),
      checksumIn: word('checksum'),
      isizeIn: word('isize'),
    };
  }

  /** Windows of the memory are not in the engine cores' RAM: they are reached as this process's own memory. */
  private reachable(extents: Extent[]): Extent[] {
    const { memory } = this.parts;
    return extents.map((extent) => {
      const host = extent.pid === undefined ? memory.hostAddress(extent.address) : undefined;
      return host === undefined ? extent : { address: physAddr(host), bytes: extent.bytes, pid: process.pid };
    });
  }

  private interruptIfArmed(queue: QueuePair): void {
    if (!queue.isArmed) return;
    queue.isArmed = false;
    this.interrupt(queue.qpId);
  }

  /** Writes the outcome back into the SQE's slot, posts what is due in order, interrupts if armed. */
  private finish(
    queue: QueuePair,
    sqe: FetchedSqe,
    result: EngineResult | undefined,
    status: number,
    failure = `status ${hex(status, 2)}`,
  ): void {
    if (queue.isStopped) {
      this.dispatchAll(); // the rings may be gone, but the core has room for other queues
      return;
    }
    const words = queue.sqWords;
    const base = sqe.index * SQE_WORDS;
    setField(words, base, SQE.consumed, result?.consumed ?? 0);
    setField(words, base, SQE.produced, result?.produced ?? 0);
    words[base + SQE.status.dword] = status | (result?.isLastBlock ? 1 << SQE.lastBlock.shift : 0);
    if (result) {
      setField(words, base, SQE.coreTag, CORE_TAGS.indexOf(result.core));
      setField(words, base, SQE.ctxDw0, result.ctxDw0);
      setField(words, base, SQE.ctxDw1, result.ctxDw1);
      setField(words, base, SQE.ctxDw2, result.ctxDw2);
      setField(words, base, SQE.isize, result.isize);
      setField(words, base, SQE.checksum, result.checksum);
    }
    sqe.isDone = true;
    const { counters } = queue;
    counters.operations++;
    counters.bytesIn += result?.consumed ?? 0;
    counters.bytesOut += result?.produced ?? 0;
    if (!GOOD_STATUS.has(status)) {
      counters.errors++;
      counters.lastError = failure;
    }
    const posted = queue.postCompletions(this.parts.clock.monotonicUs());
    if (posted > 0) this.interruptIfArmed(queue);
    this.dispatchAll();
  }
}
