import { hex } from '../../../shared/src/units.ts';
import { getField } from '../hw-abi/field.ts';
import { MAX_FLAT_BYTES, SQE, SQE_WORDS, STATUS } from '../hw-abi/zip-sqe.ts';
import type { ZipVariant } from '../hw-abi/zip-variant.ts';
import type { Stall } from '../kernel/iommu/translator.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Arbiter } from './arbiter.ts';
import type { Core, CoreChoice } from './core-choice.ts';
import type { EngineJob, EngineResult } from './engine/job.ts';
import type { EngineCounters } from './engine-counters.ts';
import type { JobFaults } from './faults/job-faults.ts';
import { type JobSegments, type TranslationParts, translateJob } from './job-translation.ts';
import { JobsInCores } from './jobs-in-cores.ts';
import type { Shaper } from './qm/shaper.ts';
import type { FetchedSqe, QueuePair } from './queue-pair.ts';
import { addressIn } from './scatter-list.ts';
import { type DecodedSqe, decodeSqe } from './sqe-decoder.ts';
import { StalledJobs } from './stalled-jobs.ts';
import { isGoodStatus, writeBack } from './write-back.ts';

export interface DispatcherParts extends TranslationParts {
  variant: ZipVariant;
  coreChoice: CoreChoice;
  clock: Clock;
  log: Log;
  engines: EngineCounters;
  /** CQEs were posted. */
  onPosted: (queue: QueuePair) => void;
  faults: JobFaults;
  shaper: Shaper;
  /** A CQE cannot be written: the CQ is full, or its memory fails. */
  onQueueFault: (queue: QueuePair, type: 'cqOverflow' | 'cqeError') => void;
}

/** A job that was fetched and has its place in the order of completions. */
interface FetchedJob {
  readonly queue: QueuePair;
  readonly sqe: FetchedSqe;
  readonly request: DecodedSqe;
}

/** Fetches SQEs by arbitration, gives their jobs to engine cores, writes results back and posts CQEs in order. */
export class JobDispatcher {
  private readonly arbiter = new Arbiter();
  private readonly stalled = new StalledJobs();
  private readonly inCores = new JobsInCores();
  /** Jobs whose stall ended and that wait for a core; their queues fetch nothing meanwhile. */
  private resumed: FetchedJob[] = [];
  private isDispatching = false;
  private isShutDown = false;
  private isWaitingForRate = false;

  constructor(private readonly parts: DispatcherParts) {}

  /** The queue's SQ tail moved. */
  rung(queue: QueuePair): void {
    if (!this.isHeld(queue)) this.arbiter.add(queue);
    this.run();
  }

  /** The queue fetches nothing more; what runs in a core is discarded when it comes back. */
  stop(queue: QueuePair): void {
    queue.isStopped = true;
    this.inCores.stop(queue);
    this.arbiter.remove(queue);
    this.stalled.terminate(queue);
    this.resumed = this.resumed.filter((job) => job.queue !== queue);
  }

  /** @returns a promise for the end of the cores' work for stopped queues; undefined when there is none */
  drain(): Promise<void> | undefined {
    return this.inCores.drainStopped();
  }

  /** The bus master is off: nothing is fetched, and what engine cores finish is written nowhere. */
  shutDown(): void {
    this.isShutDown = true;
  }

  /** After a reset. */
  restart(): void {
    this.isShutDown = false;
  }

  get isIdle(): boolean {
    return this.inCores.isEmpty;
  }

  /** Not re-entrant: a completion that rings again only leaves work for the loop that runs already. */
  private run(): void {
    if (this.isDispatching || this.isShutDown || this.isShaped()) return;
    this.isDispatching = true;
    try {
      if (this.resumed.length > 0)
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
    if (this.isShaped()) return false;
    const { faults, coreChoice } = this.parts;
    if (faults.isActive && queue.harmedHead !== queue.fetched) {
      queue.harmedHead = queue.fetched; // once a fetch, however often no core has room for it
      faults.flipBit(queue);
    }
    const request = decodeSqe(queue.sqWords, queue.headBase, this.parts.variant);
    if (typeof request === 'string') {
      const sqe = queue.fetch();
      this.parts.log.warn({ qpId: queue.qpId, field: request }, 'malformed SQE');
      this.finish(queue, sqe, undefined, STATUS.badRequest, `bad SQE field ${request}`);
      return true;
    }
    const victim = faults.isActive ? coreChoice.worker() : undefined;
    const coreFault = victim && faults.core(queue);
    const core = coreFault ? victim : coreChoice.choose(request, queue.sq);
    if (!core) return false;
    const { shaper } = this.parts;
    if (shaper.isLimiting) shaper.take(request.sourceBytes);
    const job = { queue, sqe: queue.fetch(), request };
    const stall = faults.isActive && !coreFault ? faults.stall(queue) : undefined;
    if (stall) this.hold(job, stall);
    else this.begin(job, core, coreFault);
    return true;
  }

  /** Whether the function has used up its rate; then dispatching goes on by itself when it may. */
  private isShaped(): boolean {
    const { shaper, clock } = this.parts;
    if (!shaper.isLimiting) return false;
    const waitUs = shaper.waitUs();
    if (waitUs === 0) return false;
    if (!this.isWaitingForRate) {
      this.isWaitingForRate = true;
      clock.after(waitUs / 1000, () => {
        this.isWaitingForRate = false;
        this.run();
      });
    }
    return true;
  }

  private isHeld(queue: QueuePair): boolean {
    return this.stalled.has(queue) || this.resumed.some((job) => job.queue === queue);
  }

  /** Repeats a job after its stall. @returns false if no core has room for it */
  private resume(job: FetchedJob): boolean {
    const core = this.parts.coreChoice.choose(job.request, job.queue.sq);
    if (!core) return false;
    this.begin(job, core);
    if (!this.stalled.has(job.queue)) this.arbiter.add(job.queue);
    return true;
  }

  private begin(fetched: FetchedJob, core: Core, injected?: EngineJob['injected']): void {
    const { queue, sqe, request } = fetched;
    const translated = translateJob(this.parts, queue, sqe.index * SQE_WORDS, request);
    if (translated === undefined) this.abort(fetched);
    else if (typeof translated === 'string') this.refuse(fetched, translated);
    else if ('outcome' in translated) this.hold(fetched, translated);
    else {
      const { job, segments } = translated;
      if (injected) job.injected = injected;
      this.inCores.enter(queue);
      this.parts.engines.received(core.id, job.operation);
      core.run(job, (result) => {
        this.inCores.leave(queue);
        this.parts.engines.done(core.id, job.operation, result, isGoodStatus(result.status));
        this.reportFault(queue, segments, result);
        this.finish(queue, sqe, result, result.status);
      });
    }
  }

  private reportFault(queue: QueuePair, segments: JobSegments, { fault }: EngineResult): void {
    if (!fault || queue.isStopped) return;
    const { translator, streamId } = this.parts;
    const address = addressIn(segments[fault.part], fault.offset);
    translator.report(streamId, queue.sq.pasid, address, fault.access, queue.qpId);
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
      this.run();
    });
  }

  private refuse({ queue, sqe }: FetchedJob, reason: string): void {
    this.parts.log.warn({ qpId: queue.qpId, reason }, 'bad scatter list');
    this.finish(queue, sqe, undefined, STATUS.badRequest, `bad scatter list: ${reason}`);
  }

  private abort({ queue, sqe }: FetchedJob): void {
    this.finish(queue, sqe, undefined, STATUS.busError, 'DMA aborted by the IOMMU');
  }

  /** Writes the outcome back into the SQE's slot and posts what is due in order. */
  private finish(
    queue: QueuePair,
    sqe: FetchedSqe,
    result: EngineResult | undefined,
    status: number,
    failure?: string,
  ): void {
    // the rings of a stopped queue may be gone, but the core has room for other queues
    if (!queue.isStopped && !this.isShutDown && !this.losesCqe(queue)) {
      const injected = this.parts.faults.isActive ? this.parts.faults.status(queue) : undefined;
      this.complete(queue, sqe, injected === undefined ? result : undefined, injected ?? status, failure);
    }
    this.run();
  }

  private losesCqe(queue: QueuePair): boolean {
    if (!this.parts.faults.isActive || !this.parts.faults.losesCqe(queue)) return false;
    this.stop(queue);
    this.parts.onQueueFault(queue, 'cqeError');
    return true;
  }

  private complete(
    queue: QueuePair,
    sqe: FetchedSqe,
    result: EngineResult | undefined,
    status: number,
    failure: string | undefined,
  ): void {
    writeBack(queue.sqWords, sqe.index * SQE_WORDS, status, result, this.parts.variant.coreTag);
    sqe.isDone = true;
    const { counters } = queue;
    counters.operations++;
    counters.bytesIn += result?.consumed ?? 0;
    counters.bytesOut += result?.produced ?? 0;
    if (!isGoodStatus(status)) {
      counters.errors++;
      counters.lastError = failure ?? `status ${hex(status, 2)}`;
    }
    if (queue.postCompletions(this.parts.clock.monotonicUs()) > 0) this.parts.onPosted(queue);
    if (queue.hasOverflowed) {
      this.stop(queue); // what it still has in cores has no place to go
      this.parts.onQueueFault(queue, 'cqOverflow');
    }
  }
}
