import { getField } from '../../hw-abi/field.ts';
import {
  AEQ_DEPTH,
  AEQE,
  AEQE_TYPE,
  DOORBELL_COMMAND,
  doorbellHigh,
  doorbellLow,
  EQ_DEPTH,
  EQC,
  EQE,
  EVENT_DOORBELL_OFFSET,
  MAILBOX_COMMAND,
} from '../../hw-abi/qm.ts';
import { QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import type { Log } from '../../platform/log.ts';
import type { PhysicalMemory } from '../../platform/physical-memory.ts';
import type { CoherentBuffer, CoherentMemory } from '../coherent-memory.ts';
import type { QmMailbox } from './mailbox.ts';
import type { RegisterAccess } from './register-access.ts';
import type { QmStatistics } from './statistics.ts';

export interface EventQueueParts {
  registers: RegisterAccess;
  mailbox: QmMailbox;
  memory: PhysicalMemory;
  coherent: CoherentMemory;
  statistics: QmStatistics;
  log: Log;
  /** The CQ of this queue has entries and its user asked to be told. */
  onCompletion: (qpId: number) => void;
  /** The device gave this queue up. */
  onQueueFault: (qpId: number) => void;
  /** The device lost completion events: every queue of the function is in doubt. */
  onFunctionFault: () => void;
}

/** A ring as its consumer walks it: an entry is new while its phase bit is the expected one. */
class Ring {
  head = 0;
  phase = 1;

  constructor(
    readonly buffer: CoherentBuffer,
    readonly words: Uint32Array,
    readonly depth: number,
  ) {}

  /** @returns undefined when there is no new entry */
  take(): number | undefined {
    const entry = this.words[this.head] ?? 0;
    if (((entry >>> EQE.phase.shift) & 1) !== this.phase) return undefined;
    this.head = (this.head + 1) % this.depth;
    if (this.head === 0) this.phase ^= 1;
    return entry;
  }

  clear(): void {
    this.words.fill(0);
    this.head = 0;
    this.phase = 1;
  }
}

/** The driver's side of EQ and AEQ: their memory, their contexts, their interrupt handlers. */
export class EventQueues {
  private readonly eq: Ring;
  private readonly aeq: Ring;
  private isHandling = false;

  constructor(private readonly parts: EventQueueParts) {
    this.eq = this.allocate(EQ_DEPTH);
    this.aeq = this.allocate(AEQ_DEPTH);
    const { bus } = parts.registers;
    bus.onInterrupt('eq', () => this.onEqInterrupt());
    bus.onInterrupt('aeq', () => this.onAeqInterrupt());
  }

  /** Hands both rings to the device (qm_eq_aeq_ctx_cfg): EQC first. */
  configure(): void {
    const { mailbox } = this.parts;
    for (const [command, ring] of [
      [MAILBOX_COMMAND.eqc, this.eq],
      [MAILBOX_COMMAND.aeqc, this.aeq],
    ] as const) {
      ring.clear();
      mailbox.sendContext(command, 0, [
        [EQC.base, ring.buffer.address],
        [EQC.depthMinusOne, ring.depth - 1],
        [EQC.phase, 1],
      ]);
    }
  }

  /** Acknowledges what stands, then lets interrupts through (qm_enable_eq_aeq_interrupts). */
  enable(): void {
    const { registers } = this.parts;
    this.ring('aeq');
    this.ring('eq');
    registers.write(QM_REGISTERS.eqIntMask, 0);
    registers.write(QM_REGISTERS.aeqIntMask, 0);
  }

  disable(): void {
    const { registers } = this.parts;
    registers.write(QM_REGISTERS.eqIntMask, 1);
    registers.write(QM_REGISTERS.aeqIntMask, 1);
  }

  /**
   * Not re-entrant: a woken queue submits, the device completes and interrupts again within this very call; the loop
   * that runs already takes that entry, so the stack does not grow with the stream.
   */
  private onEqInterrupt(): void {
    if (this.isHandling) return;
    this.isHandling = true;
    try {
      let woken = this.takeCompletions();
      if (woken.length === 0) {
        this.parts.statistics.errIrq++;
        this.ring('eq');
      }
      for (; woken.length > 0; woken = this.takeCompletions()) {
        this.ring('eq');
        for (const qpId of woken) this.wake(qpId);
      }
    } finally {
      this.isHandling = false;
    }
  }

  private takeCompletions(): number[] {
    const woken: number[] = [];
    for (let entry = this.eq.take(); entry !== undefined; entry = this.eq.take())
      woken.push(entry & EQE_QUEUE_MASK);
    return woken;
  }

  private wake(qpId: number): void {
    try {
      this.parts.onCompletion(qpId);
    } catch (error) {
      this.parts.log.error({ qpId, err: error }, 'a completion handler failed');
    }
  }

  /** A threaded interrupt: it stops queues, so it runs after whatever the device was doing. */
  private onAeqInterrupt(): void {
    this.parts.statistics.aeqIrq++;
    queueMicrotask(() => this.handleFaults());
  }

  private handleFaults(): void {
    const { log, onQueueFault, onFunctionFault } = this.parts;
    for (let entry = this.aeq.take(); entry !== undefined; entry = this.aeq.take()) {
      const words = Uint32Array.of(entry);
      const qpId = getField(words, 0, AEQE.queue);
      const type = getField(words, 0, AEQE.type);
      switch (type) {
        case AEQE_TYPE.eqOverflow:
          log.error({}, 'eq overflow, reset function');
          onFunctionFault();
          return; // the rings start anew
        case AEQE_TYPE.cqOverflow:
          log.error({ qpId }, 'cq overflow, stop qp');
          onQueueFault(qpId);
          break;
        case AEQE_TYPE.cqeError:
          log.error({ qpId }, 'cqe error, stop qp');
          onQueueFault(qpId);
          break;
        default:
          log.error({ type }, 'unknown error type');
      }
    }
    this.ring('aeq');
  }

  private ring(name: 'eq' | 'aeq'): void {
    this.parts.registers.bus.write64(
      EVENT_DOORBELL_OFFSET,
      doorbellLow(0, DOORBELL_COMMAND[name]),
      doorbellHigh(this[name].head, 0),
    );
  }

  private allocate(depth: number): Ring {
    const buffer = this.parts.coherent.allocate(depth * 4);
    return new Ring(buffer, this.parts.memory.words(buffer.physical, depth), depth);
  }
}

const EQE_QUEUE_MASK = 0xffff;
