import type { DeviceSnapshot } from '../../../shared/src/telemetry.ts';
import { hex, type Iova, pasid, type StreamId } from '../../../shared/src/units.ts';
import { getField } from '../hw-abi/field.ts';
import { CQE_BYTES, DOORBELL, DOORBELL_COMMAND, DOORBELL_OFFSET } from '../hw-abi/qm.ts';
import { SQE_BYTES } from '../hw-abi/zip-sqe.ts';
import type { ZipVariant } from '../hw-abi/zip-variant.ts';
import type { Translator } from '../kernel/iommu/translator.ts';
import type { MmioView } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import type { Log } from '../platform/log.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import { CoreChoice } from './core-choice.ts';
import type { PolledCore } from './engine/polled-core.ts';
import type { WorkerCore } from './engine/worker-core.ts';
import { JobDispatcher } from './job-dispatcher.ts';
import { Mailbox } from './mailbox.ts';
import { type CqContext, QueuePair, type QueuePairCounters, type SqContext } from './queue-pair.ts';

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
  private readonly mailbox: Mailbox;
  private readonly dispatcher: JobDispatcher;
  private interrupt: (qpId: number) => void = () => {};

  constructor(private readonly parts: ZipDeviceParts) {
    const { polled, workers, inlineBytes, keepsStateInContext = false } = parts;
    this.dispatcher = new JobDispatcher({
      ...parts,
      coreChoice: new CoreChoice(polled, workers, inlineBytes, keepsStateInContext),
      onPosted: (queue) => this.interruptIfArmed(queue),
    });
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
    return this.dispatcher.drain();
  }

  async dispose(): Promise<void> {
    for (const queue of this.queues.values()) this.dispatcher.stop(queue);
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

  private stopQueue(qpId: number): boolean {
    const queue = this.queues.get(qpId);
    if (!queue) return false;
    this.queues.delete(qpId);
    this.dispatcher.stop(queue);
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
        this.dispatcher.rung(queue);
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

  private interruptIfArmed(queue: QueuePair): void {
    if (!queue.isArmed) return;
    queue.isArmed = false;
    this.interrupt(queue.qpId);
  }
}
