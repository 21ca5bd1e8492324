import type { Operation } from '../../../../shared/src/telemetry.ts';
import { hex, type Iova, type Pasid } from '../../../../shared/src/units.ts';
import { DUS_CQ_OFFSET, DUS_SQ_OFFSET } from '../../hw-abi/dus.ts';
import { CQC, CQC_BYTES, MAILBOX_COMMAND, QUEUE_DEPTH, SQC, SQC_BYTES } from '../../hw-abi/qm.ts';
import { MASTER_TRANS_RETURN_IDLE, QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import type { Register } from '../../hw-abi/register.ts';
import { QOS_MAX } from '../../hw-abi/shaper.ts';
import { SQE_BYTES } from '../../hw-abi/zip-sqe.ts';
import type { DeviceBus } from '../../platform/device-bus.ts';
import type { Log } from '../../platform/log.ts';
import type { PhysicalMemory } from '../../platform/physical-memory.ts';
import type { CoherentBuffer, CoherentMemory } from '../coherent-memory.ts';
import { kernelError } from '../errno.ts';
import { ErrorHandler } from './error-handler.ts';
import { EventQueues } from './event-queues.ts';
import { assignQueues } from './function-table.ts';
import { QmMailbox } from './mailbox.ts';
import { parseQos } from './qos.ts';
import type { QueueWindow } from './queue-partition.ts';
import { RegisterAccess } from './register-access.ts';
import { shapeFunction } from './shaper.ts';
import { newQmStatistics, type QmStatistics } from './statistics.ts';
import { configureUserDomain, setPrefetch } from './user-domain.ts';

const LOG2_SQE_BYTES = Math.log2(SQE_BYTES);
const CQE_SIZE_CODE = 4;
const PHYSICAL_FUNCTION = 0;

/** enum qm_state. */
export type QmState = 'init' | 'start' | 'close' | 'stop';
const NEXT_STATES: Record<QmState, readonly QmState[]> = {
  init: ['start', 'close'],
  start: ['stop'],
  stop: ['close', 'start'],
  close: [],
};

export interface QueueSetup {
  qpId: number;
  operation: Operation;
  priority: number;
  /** 0 = requests carry no PASID. */
  pasid: Pasid;
  /** Device address of the queue's DUS memory. */
  dus: Iova;
}

export interface QueueManagerParts {
  bus: DeviceBus;
  memory: PhysicalMemory;
  coherent: CoherentMemory;
  log: Log;
  /** Queues of the physical function. */
  queues: number;
  /** Queues of the virtual functions, in their order; absent: there are none. */
  functions?: readonly QueueWindow[];
  onCompletion: (qpId: number) => void;
  onQueueFault: (qpId: number) => void;
  onFunctionFault: () => void;
  /** The abnormal interrupt found an error that only a controller reset mends. */
  onResetNeeded: () => void;
}

/**
 * The kernel driver's side of the queue manager: brings the device up in the order of hisi_zip's probe, owns the event
 * queues and the tables of contexts, and hands queue contexts over by mailbox. The PASID is written here and nowhere a
 * user can reach.
 */
export class QueueManager {
  readonly statistics: QmStatistics = newQmStatistics();
  readonly errors: ErrorHandler;
  readonly registers: RegisterAccess;
  private readonly mailbox: QmMailbox;
  private readonly events: EventQueues;
  private readonly sqcTable: CoherentBuffer;
  private readonly cqcTable: CoherentBuffer;
  private current: QmState = 'init';
  private rate = QOS_MAX;
  /** What `changedRegisters` compares with, by offset. */
  private readonly firstValues = new Map<number, number>();

  constructor(private readonly parts: QueueManagerParts) {
    const { bus, memory, coherent, log, queues } = parts;
    this.registers = new RegisterAccess(bus);
    this.mailbox = new QmMailbox(bus, memory, coherent, this.statistics);
    this.errors = new ErrorHandler(this.registers, log);
    this.events = new EventQueues({
      ...parts,
      registers: this.registers,
      mailbox: this.mailbox,
      statistics: this.statistics,
    });
    this.sqcTable = coherent.allocate(queues * SQC_BYTES);
    this.cqcTable = coherent.allocate(queues * CQC_BYTES);
    bus.onInterrupt('abnormal', () => this.onAbnormalInterrupt());
  }

  get state(): QmState {
    return this.current;
  }

  /** What `alg_qos` shows: 1–1000, steps of 100 Mbit/s; 1000 unless somebody wrote. */
  get qos(): number {
    return this.rate;
  }

  /**
   * A write to `alg_qos` (sources.md 5.12).
   * @throws WD_E_EINVAL, WD_E_ENOSPC; WD_E_EAGAIN while the device is not running
   */
  setQos(text: string, bdf: string): void {
    const qos = parseQos(text, bdf);
    if (this.current !== 'start')
      throw kernelError('EAGAIN', `the QM is in ${this.current}`, { state: this.current });
    shapeFunction(this.registers, PHYSICAL_FUNCTION, qos);
    this.rate = qos;
  }

  /** `diff_regs`: one line for each of these registers that is not what it was at the first call. */
  changedRegisters(registers: readonly Register[]): string {
    const lines: string[] = [];
    for (const register of registers) {
      const now = this.registers.read(register);
      const first = this.firstValues.get(register.offset);
      if (first === undefined) this.firstValues.set(register.offset, now);
      else if (first !== now) lines.push(`${hex(register.offset)} = ${hex(first)} ---> ${hex(now)}`);
    }
    return lines.join('\n');
  }

  /** Everything that a reset forgets, memory initialisation first (hisi_qm_init, hisi_zip_pf_probe_init). */
  initialise(): void {
    const { registers } = this;
    registers.write(QM_REGISTERS.memStartInit, 1);
    registers.await(QM_REGISTERS.memInitDone, (value) => (value & 1) === 1);
    configureUserDomain(registers);
    setPrefetch(registers, true);
    this.errors.enable();
  }

  /** __hisi_qm_start: function table, EQC, AEQC, SQC and CQC tables, interrupts. @throws WD_E_EPERM, WD_E_DEVICE */
  start(): void {
    this.checkTransition('start');
    assignQueues(this.registers, PHYSICAL_FUNCTION, 0, this.parts.queues);
    this.parts.functions?.forEach(
      ({ base, count }, i) => void assignQueues(this.registers, i + 1, base, count),
    );
    shapeFunction(this.registers, PHYSICAL_FUNCTION, this.rate);
    this.events.configure();
    this.mailbox.send(MAILBOX_COMMAND.sqcBt, 0, this.sqcTable.address);
    this.mailbox.send(MAILBOX_COMMAND.cqcBt, 0, this.cqcTable.address);
    this.registers.write(QM_REGISTERS.pageSize, 0);
    this.events.enable();
    this.current = 'start';
    this.registers.write(QM_REGISTERS.vfState, 0);
  }

  /** hisi_qm_stop, after the queues: no more events, no queues in the function table. @throws WD_E_EPERM */
  stop(): void {
    this.checkTransition('stop');
    this.events.disable();
    assignQueues(this.registers, PHYSICAL_FUNCTION, 0, 0);
    this.parts.functions?.forEach((_, i) => void assignQueues(this.registers, i + 1, 0, 0));
    this.current = 'stop';
    this.registers.write(QM_REGISTERS.vfState, 1);
  }

  /** qm_soft_reset: bus master off, wait until it is idle, then the firmware's reset. @throws WD_E_DEVICE */
  softReset(): void {
    const { registers } = this;
    registers.write(QM_REGISTERS.masterGlobalCtrl, 1);
    registers.await(QM_REGISTERS.masterTransReturn, (value) => value === MASTER_TRANS_RETURN_IDLE);
    setPrefetch(registers, false);
    if (!this.parts.bus.firmwareReset()) throw kernelError('EINVAL', 'the firmware’s reset method failed');
  }

  /** Linux qm.c qm_qp_ctx_cfg: SQC first, then CQC. @throws WD_E_EPERM while the QM is not started; WD_E_DEVICE */
  startQueue(setup: QueueSetup): void {
    if (this.current !== 'start')
      throw kernelError('EPERM', `Can not change qp state from init to start in QM ${this.current}`, {
        queue: setup.qpId,
      });
    this.mailbox.sendContext(MAILBOX_COMMAND.sqc, setup.qpId, [
      [SQC.depthMinusOne, QUEUE_DEPTH - 1],
      [SQC.log2SqeBytes, LOG2_SQE_BYTES],
      [SQC.pasid, setup.pasid],
      [SQC.pasidEnable, setup.pasid === 0 ? 0 : 1],
      [SQC.cqNumber, setup.qpId],
      [SQC.priority, setup.priority],
      [SQC.orders, 1],
      [SQC.algorithmType, setup.operation === 'compress' ? 0 : 1],
      [SQC.base, setup.dus + DUS_SQ_OFFSET],
    ]);
    // the kernel sets interruptEnable too; users here arm by doorbell, so that polled queues never raise an event
    this.mailbox.sendContext(MAILBOX_COMMAND.cqc, setup.qpId, [
      [CQC.depthMinusOne, QUEUE_DEPTH - 1],
      [CQC.log2CqeBytes, CQE_SIZE_CODE],
      [CQC.pasid, setup.pasid],
      [CQC.pasidEnable, setup.pasid === 0 ? 0 : 1],
      [CQC.phase, 1],
      [CQC.base, setup.dus + DUS_CQ_OFFSET],
    ]);
  }

  /** Stops fetching; what runs is discarded by the device. */
  stopQueue(qpId: number): void {
    this.mailbox.send(MAILBOX_COMMAND.stopQp, qpId, 0);
  }

  /** Scheduled work in the kernel, so that a reset never runs inside what the device was doing. */
  private onAbnormalInterrupt(): void {
    this.statistics.abnormalIrq++;
    queueMicrotask(() => {
      if (this.errors.handle()) this.parts.onResetNeeded();
    });
  }

  private checkTransition(next: QmState): void {
    if (NEXT_STATES[this.current].includes(next)) return;
    throw kernelError('EPERM', `Can not change qm state from ${this.current} to ${next}`, {
      state: this.current,
    });
  }
}
