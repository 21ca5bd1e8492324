import { hex } from '../../../shared/src/units.ts';
import { DOORBELL, DOORBELL_COMMAND, DOORBELL_OFFSET, EVENT_DOORBELL_OFFSET } from '../hw-abi/qm.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { FaultInjector } from './faults/fault-injector.ts';
import type { QueueManagerBlock } from './qm/queue-manager.ts';
import type { QueuePair } from './queue-pair.ts';

export interface DoorbellParts {
  clock: Clock;
  log: Log;
  qm: QueueManagerBlock;
  faults: FaultInjector;
  find(qpId: number): QueuePair | undefined;
  /** The SQ tail moved. */
  onSq(queue: QueuePair): void;
  /** The CQ head or the arming changed. */
  onCq(queue: QueuePair): void;
}

const QUEUE_MASK = (1 << DOORBELL.queue.bits) - 1;
const INDEX_MASK = 0xffff;
const commandOf = (low: number): number => (low >>> DOORBELL.command.shift) & 0xf;

/** 64-bit doorbell writes, V2 layout (sources.md 5.3). Bits are taken by hand, because each submission passes here. */
export class Doorbells {
  /** Writes seen, refused ones included. */
  count = 0;

  constructor(private readonly parts: DoorbellParts) {}

  /** The function's own doorbells: those of EQ and AEQ, and, as the kernel driver rings them, of any queue. */
  ringFunction(offset: number, low: number, high: number): void {
    const command = commandOf(low);
    const isEvent = command === DOORBELL_COMMAND.eq || command === DOORBELL_COMMAND.aeq;
    if (!isEvent || offset !== EVENT_DOORBELL_OFFSET) {
      this.ringQueue(low & QUEUE_MASK, offset, low, high);
      return;
    }
    this.count++;
    const ring = command === DOORBELL_COMMAND.eq ? 'eq' : 'aeq';
    const head = high & INDEX_MASK;
    if (!this.parts.qm.acknowledge(ring, head))
      this.parts.log.warn({ ring, head }, 'event doorbell with an index outside the ring');
  }

  /** @param qpId the queue whose page it is; the doorbell must name the same */
  ringQueue(qpId: number, offset: number, low: number, high: number): void {
    const { log, qm, faults } = this.parts;
    this.count++;
    const queue = this.parts.find(qpId);
    if (offset !== DOORBELL_OFFSET || !queue || (low & QUEUE_MASK) !== qpId) {
      log.warn({ qpId, offset: hex(offset), low: hex(low) }, 'doorbell refused');
      if (offset === DOORBELL_OFFSET && !qm.owns(low & QUEUE_MASK))
        qm.raise(commandOf(low) === DOORBELL_COMMAND.cq ? 'qm_cq_vf_invalid' : 'qm_sq_vf_invalid');
      return;
    }
    if (low >>> DOORBELL.random.shift !== queue.sq.random) {
      log.warn({ qpId, low: hex(low) }, 'doorbell with a wrong random number');
      qm.raise('qm_db_random_invalid');
      return;
    }
    const index = high & INDEX_MASK;
    switch (commandOf(low)) {
      case DOORBELL_COMMAND.sq:
        if (!faults.isActive || !this.isHarmed(queue, index)) this.moveTail(queue, index);
        return;
      case DOORBELL_COMMAND.cq:
        if (!queue.ringCq(index)) log.warn({ qpId, index }, 'CQ doorbell with an index outside the ring');
        queue.isArmed = high >>> DOORBELL.priority.shift === 1;
        this.parts.onCq(queue);
        return;
      default:
        log.warn({ qpId, low: hex(low) }, 'doorbell command unknown to queues');
    }
  }

  private moveTail(queue: QueuePair, index: number): void {
    if (!queue.ringSq(index, this.parts.clock.monotonicUs()))
      this.parts.log.warn({ qpId: queue.qpId, index }, 'SQ doorbell with an index outside the ring');
    this.parts.onSq(queue);
  }

  /** Whether an injected fault takes the doorbell away, for good or for now. */
  private isHarmed(queue: QueuePair, index: number): boolean {
    const { faults, clock } = this.parts;
    if (faults.strikes('lost-doorbell', queue.qpId)) return true;
    const late = faults.strikes('late-doorbell', queue.qpId);
    if (!late) return false;
    clock.after(late.delayMs, () => {
      // a later doorbell has overtaken this one when its tail lies behind
      const ahead = (index - queue.sqTail + queue.sq.depth) % queue.sq.depth;
      if (!queue.isStopped && ahead < queue.sq.depth / 2) this.moveTail(queue, index);
    });
    return true;
  }
}
