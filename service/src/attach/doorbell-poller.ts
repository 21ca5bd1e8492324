import { DOORBELL_COMMAND, DOORBELL_OFFSET, doorbellLow } from '../hw-abi/qm.ts';
import type { MmioView } from '../platform/accelerator.ts';
import type { Clock } from '../platform/clock.ts';
import { DEVICE_SLEEPS_OFFSET, doorbellSlot } from './protocol.ts';

/** How long the device goes on looking after the last doorbell before it sleeps. */
const AWAKE_US = 2000;
/** … and at least this many turns, because on a busy machine this thread may not run for longer than that. */
const AWAKE_TURNS = 64;

/** A turn of the event loop costs some microseconds, a look a fraction of one. */
const LOOKS_PER_TURN = 64;

interface PolledQueue {
  readonly qpId: number;
  readonly words: Uint32Array;
  readonly device: MmioView;
  lastSq: number;
  lastCq: number;
}

const SQ_HIGH = doorbellSlot(DOORBELL_OFFSET, DOORBELL_COMMAND.sq) / 4 + 1;
const CQ_HIGH = doorbellSlot(DOORBELL_OFFSET, DOORBELL_COMMAND.cq) / 4 + 1;
const SLEEPS = DEVICE_SLEEPS_OFFSET / 4;

/**
 * Sees the doorbells of queues whose MMIO page is memory that another process writes: looks at all of them once per
 * turn of the event loop while there is traffic, and else sleeps, says so in each page, and waits for a kick.
 * Only the doorbell's high word (index, priority) is compared, because its low word never changes.
 */
export class DoorbellPoller {
  private readonly queues = new Map<number, PolledQueue>();
  private isAwake = false;
  private lastRingUs = 0;
  private emptyTurns = 0;

  constructor(private readonly clock: Clock) {}

  /** @param page the queue's MMIO page, shared with its user */
  add(qpId: number, page: Uint32Array, device: MmioView): void {
    this.queues.set(qpId, { qpId, words: page, device, lastSq: 0, lastCq: 0 });
    Atomics.store(page, SLEEPS, 1);
  }

  /** Before the page is unmapped. */
  remove(qpId: number): void {
    this.queues.delete(qpId);
  }

  /** "A doorbell was rung while you slept." */
  kick(): void {
    this.lastRingUs = this.clock.monotonicUs();
    this.emptyTurns = 0;
    if (this.isAwake) return;
    this.isAwake = true;
    for (const { words } of this.queues.values()) Atomics.store(words, SLEEPS, 0);
    this.look();
    setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    const now = this.clock.monotonicUs();
    let isRung = false;
    for (let i = 0; i < LOOKS_PER_TURN && !isRung; i++) isRung = this.look();
    if (isRung) {
      this.lastRingUs = now;
      this.emptyTurns = 0;
    } else if (++this.emptyTurns > AWAKE_TURNS && now - this.lastRingUs > AWAKE_US && this.fallAsleep())
      return;
    setImmediate(this.turn);
  };

  /** @returns whether any doorbell was rung since the last look */
  private look(): boolean {
    let isRung = false;
    for (const queue of this.queues.values()) {
      // SQ is read first and CQ delivered first: a new SQ tail may rest on CQ entries that were reaped before it
      const sq = Atomics.load(queue.words, SQ_HIGH);
      const cq = Atomics.load(queue.words, CQ_HIGH);
      if (cq !== queue.lastCq) {
        queue.lastCq = cq;
        isRung = true;
        queue.device.write64(DOORBELL_OFFSET, doorbellLow(queue.qpId, DOORBELL_COMMAND.cq), cq >>> 0);
      }
      if (sq !== queue.lastSq) {
        queue.lastSq = sq;
        isRung = true;
        queue.device.write64(DOORBELL_OFFSET, doorbellLow(queue.qpId, DOORBELL_COMMAND.sq), sq >>> 0);
      }
    }
    return isRung;
  }

  /** Says so first and looks once more, so that a doorbell rung in between is not lost. @returns whether it sleeps */
  private fallAsleep(): boolean {
    for (const { words } of this.queues.values()) Atomics.store(words, SLEEPS, 1);
    if (!this.look()) {
      this.isAwake = false;
      return true;
    }
    for (const { words } of this.queues.values()) Atomics.store(words, SLEEPS, 0);
    this.lastRingUs = this.clock.monotonicUs();
    return false;
  }
}
