import { SQE_BYTES, STATUS } from '../../hw-abi/zip-sqe.ts';
import type { Stall } from '../../kernel/iommu/translator.ts';
import type { Clock } from '../../platform/clock.ts';
import type { QueuePair } from '../queue-pair.ts';
import type { FaultInjector } from './fault-injector.ts';

/** A stall of ours: the IOMMU knows nothing of it. */
const NO_TAG = 0;

/** What strikes a job between its fetch and its completion. */
export class JobFaults {
  constructor(
    private readonly faults: FaultInjector,
    private readonly clock: Clock,
  ) {}

  get isActive(): boolean {
    return this.faults.isActive;
  }

  /** The bit is wrong in the ring too, because the device writes whole SQEs back. */
  flipBit(queue: QueuePair): void {
    const plan = this.faults.strikes('sqe-bit-flip', queue.qpId);
    if (!plan) return;
    const bit = plan.bit ?? this.faults.pick(plan, SQE_BYTES * 8);
    const at = queue.headBase + (bit >>> 5);
    queue.sqWords[at] = ((queue.sqWords[at] ?? 0) ^ (1 << (bit & 31))) >>> 0;
  }

  /** What befalls the engine core that takes this job. */
  core(queue: QueuePair): 'hang' | 'crash' | undefined {
    if (this.faults.strikes('core-hang', queue.qpId)) return 'hang';
    return this.faults.strikes('core-crash', queue.qpId) ? 'crash' : undefined;
  }

  /** A wait before the job's data moves. */
  stall(queue: QueuePair): Stall | undefined {
    const slow = this.faults.strikes('slow-dma', queue.qpId);
    if (slow) return this.wait((end) => this.clock.after(slow.delayMs, () => end('retry')));
    const plan = this.faults.strikes('stall', queue.qpId);
    return plan && this.wait((end) => this.faults.whenCleared(plan, () => end('abort')));
  }

  /** The status that a completion carries instead of its own. */
  status(queue: QueuePair): number | undefined {
    const plan = this.faults.strikes('completion-error', queue.qpId);
    return plan && (plan.status ?? STATUS.coreFailure);
  }

  losesCqe(queue: QueuePair): boolean {
    return this.faults.strikes('cqe-error', queue.qpId) !== undefined;
  }

  private wait(begin: (end: (outcome: 'retry' | 'abort') => void) => () => void): Stall {
    let settle: (outcome: 'retry' | 'abort') => void = () => {};
    const outcome = new Promise<'retry' | 'abort'>((resolve) => {
      settle = resolve;
    });
    const cancel = begin(settle);
    return {
      stag: NO_TAG,
      outcome,
      terminate: () => {
        cancel();
        settle('abort');
      },
    };
  }
}
