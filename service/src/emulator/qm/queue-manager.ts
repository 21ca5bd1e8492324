import type { Iova } from '../../../../shared/src/units.ts';
import { getAddress, getField } from '../../hw-abi/field.ts';
import {
  AEQE,
  AEQE_TYPE,
  CQC_BYTES,
  EQC,
  MAILBOX_COMMAND,
  MAILBOX_DATA_HIGH_OFFSET,
  MAILBOX_OFFSET,
  SQC_BYTES,
} from '../../hw-abi/qm.ts';
import { MASTER_TRANS_RETURN_IDLE, QM_ERRORS, QM_REGISTERS } from '../../hw-abi/qm-registers.ts';
import { ZIP_CORES, ZIP_ERRORS, ZIP_REGISTERS } from '../../hw-abi/zip-registers.ts';
import type { IrqVector } from '../../platform/device-bus.ts';
import type { Log } from '../../platform/log.ts';
import { type CounterSources, coreRegisters, DebugCounters } from './debug-counters.ts';
import { ErrorBlock } from './error-block.ts';
import { EventQueue } from './event-queue.ts';
import { FunctionTable } from './function-table.ts';
import { Mailbox } from './mailbox.ts';
import { RegisterFile } from './register-file.ts';

/** The contexts of a started queue. */
export interface QueueContexts {
  sqc: Uint32Array;
  cqc: Uint32Array;
}

export interface QueueManagerParts {
  /** Number of the function whose registers these are; 0 = the physical one. */
  fn: number;
  log: Log;
  /** Device memory without PASID; undefined if the IOMMU refuses. */
  words(address: Iova, bytes: number): Uint32Array | undefined;
  startQueue(qpId: number, contexts: QueueContexts): boolean;
  stopQueue(qpId: number): boolean;
  /** With the device's current indices; undefined when the queue is not started. */
  contexts(qpId: number): QueueContexts | undefined;
  startedQueues(): Iterable<number>;
  interrupt(vector: IrqVector): void;
  /** The bus master stops: nothing is fetched and nothing written until a reset. */
  shutdown(): void;
  /** A shaper entry: type 0 compress, 1 decompress. */
  shape(fn: number, type: number, entry: number): void;
  counters: Omit<CounterSources, 'mailboxes' | 'functionsActive'>;
}

/**
 * The queue manager of one function: registers, mailbox, function table, event queues and error reporting. A queue
 * starts when both of its contexts have come, the memories are initialised, the function owns the queue and the tables
 * of contexts have their place.
 */
export class QueueManagerBlock {
  readonly registers: RegisterFile;
  readonly functionTable: FunctionTable;
  private readonly eq: EventQueue;
  private readonly aeq: EventQueue;
  private readonly qmErrors: ErrorBlock;
  private readonly zipErrors: ErrorBlock;
  private readonly mailbox: Mailbox;
  private readonly debug: DebugCounters;
  private readonly sqContexts = new Map<number, Uint32Array>();
  private tables: { sq?: Iova; cq?: Iova } = {};
  private mailboxes = 0;

  constructor(private readonly parts: QueueManagerParts) {
    const cores = Array.from({ length: ZIP_CORES.compress + ZIP_CORES.decompress }, (_, i) =>
      coreRegisters(i),
    );
    this.registers = new RegisterFile(
      [
        ...Object.values(QM_REGISTERS),
        ...Object.values(ZIP_REGISTERS),
        ...cores.flat().map(([, register]) => register),
      ],
      parts.log,
    );
    const { registers } = this;
    const { eqIntSource, eqIntMask, aeqIntSource, aeqIntMask } = QM_REGISTERS;
    this.eq = new EventQueue(registers, eqIntSource, eqIntMask, () => parts.interrupt('eq'));
    this.aeq = new EventQueue(registers, aeqIntSource, aeqIntMask, () => parts.interrupt('aeq'));
    this.functionTable = new FunctionTable(registers, (fn, type, entry) => parts.shape(fn, type, entry));
    const shutdown = (): void => this.shutdown();
    const actions = { interrupt: () => parts.interrupt('abnormal'), shutdown };
    this.qmErrors = new ErrorBlock(registers, { ...QM_REGISTERS, ...QM_ERROR_NAMES }, actions);
    this.zipErrors = new ErrorBlock(registers, { ...ZIP_REGISTERS, ...ZIP_ERROR_NAMES }, actions);
    this.debug = new DebugCounters(registers, {
      ...parts.counters,
      mailboxes: () => this.mailboxes,
      functionsActive: () => ([...parts.startedQueues()].length > 0 ? 1 : 0),
    });
    registers.onWrite(QM_REGISTERS.memStartInit, (value) =>
      registers.set(QM_REGISTERS.memInitDone, value & 1),
    );
    registers.onWrite(QM_REGISTERS.cacheWbStart, () => this.writeBackContexts());
    registers.onWrite(QM_REGISTERS.masterGlobalCtrl, (value) => {
      if ((value & 1) === 1) shutdown();
    });
    this.mailbox = new Mailbox({
      words: parts.words,
      setSqc: (qpId, context) => this.setSqc(qpId, context),
      setCqc: (qpId, context) => this.setCqc(qpId, context),
      setEventContext: (ring, context) => this.setEventContext(ring, context),
      setContextTable: (ring, base) => {
        this.tables = { ...this.tables, [ring]: base };
        return true;
      },
      stopQueue: parts.stopQueue,
      readContext: (command, qpId) => this.readContext(command, qpId),
      readVft: () => this.functionTable.entry(parts.fn),
    });
  }

  read32(offset: number): number {
    return this.mailbox.read32(offset) ?? this.registers.read(offset);
  }

  write32(offset: number, value: number): void {
    if (offset >= MAILBOX_OFFSET && offset <= MAILBOX_DATA_HIGH_OFFSET)
      this.parts.log.warn({ offset }, 'a mailbox command is one 128-bit write; dropped');
    else this.registers.write(offset, value);
  }

  write128(offset: number, words: readonly [number, number, number, number]): void {
    if (offset !== MAILBOX_OFFSET) this.registers.write(offset, words[0]);
    else if (this.mailbox.write128(words)) this.mailboxes++;
  }

  /** EQ and AEQ doorbells. @returns false when the index is outside the ring */
  acknowledge(ring: 'eq' | 'aeq', head: number): boolean {
    return this[ring].acknowledge(head);
  }

  /** "The CQ of this queue has entries." */
  completionEvent(qpId: number): void {
    if (!this.eq.post(qpId)) this.faultEvent(0, 'eqOverflow');
  }

  faultEvent(qpId: number, type: keyof typeof AEQE_TYPE): void {
    if (!this.aeq.post(qpId | (AEQE_TYPE[type] << AEQE.type.shift)))
      this.parts.log.warn({ qpId, type }, 'the AEQ is full: a queue fault went unreported');
  }

  /** Whether the function's table entry gives it this queue. */
  owns(qpId: number): boolean {
    const window = this.functionTable.window(this.parts.fn);
    return window !== undefined && qpId >= window.base && qpId < window.base + window.count;
  }

  /** @param error the kernel's name of one error bit of either block */
  raise(error: string): void {
    const bit = QM_BITS.get(error);
    if (bit !== undefined) this.qmErrors.raise(bit);
    else this.zipErrors.raise(ZIP_BITS.get(error) ?? 0);
  }

  reset(): void {
    this.registers.reset();
    this.eq.reset();
    this.aeq.reset();
    this.functionTable.reset();
    this.mailbox.reset();
    this.debug.reset();
    this.sqContexts.clear();
    this.tables = {};
    this.mailboxes = 0;
  }

  private shutdown(): void {
    this.registers.set(QM_REGISTERS.masterTransReturn, MASTER_TRANS_RETURN_IDLE);
    this.parts.shutdown();
  }

  private get isReady(): boolean {
    const isInitialised = this.registers.get(QM_REGISTERS.memInitDone) === 1;
    return isInitialised && this.tables.sq !== undefined && this.tables.cq !== undefined;
  }

  private setSqc(qpId: number, context: Uint32Array): boolean {
    if (!this.isReady || !this.owns(qpId)) return false;
    this.sqContexts.set(qpId, context.slice());
    return true;
  }

  private setCqc(qpId: number, context: Uint32Array): boolean {
    const sqc = this.sqContexts.get(qpId);
    this.sqContexts.delete(qpId);
    return sqc !== undefined && this.parts.startQueue(qpId, { sqc, cqc: context.slice() });
  }

  private setEventContext(ring: 'eq' | 'aeq', context: Uint32Array): boolean {
    const depth = getField(context, 0, EQC.depthMinusOne) + 1;
    const words = this.parts.words(getAddress(context, 0, EQC.base) as Iova, depth * 4);
    if (words) this[ring].configure(context, words);
    return words !== undefined;
  }

  private readContext(command: number, qpId: number): Uint32Array | undefined {
    switch (command) {
      case MAILBOX_COMMAND.sqc:
        return this.parts.contexts(qpId)?.sqc;
      case MAILBOX_COMMAND.cqc:
        return this.parts.contexts(qpId)?.cqc;
      case MAILBOX_COMMAND.eqc:
        return this.eq.context();
      case MAILBOX_COMMAND.aeqc:
        return this.aeq.context();
      default:
        return undefined;
    }
  }

  /** The contexts that the device caches go to the kernel's tables, one entry a queue. */
  private writeBackContexts(): void {
    const { sq, cq } = this.tables;
    for (const qpId of this.parts.startedQueues()) {
      const contexts = this.parts.contexts(qpId);
      if (!contexts || sq === undefined || cq === undefined) continue;
      this.parts.words((sq + qpId * SQC_BYTES) as Iova, SQC_BYTES)?.set(contexts.sqc);
      this.parts.words((cq + qpId * CQC_BYTES) as Iova, CQC_BYTES)?.set(contexts.cqc);
    }
    this.registers.set(QM_REGISTERS.cacheWbDone, 1);
  }
}

const bitsOf = (names: readonly string[]): Map<string, number> =>
  new Map(names.map((name, bit) => [name, 1 << bit]));
const QM_BITS = bitsOf(QM_ERRORS);
const ZIP_BITS = bitsOf(ZIP_ERRORS);

const QM_ERROR_NAMES = {
  source: QM_REGISTERS.abnormalIntSource,
  mask: QM_REGISTERS.abnormalIntMask,
  status: QM_REGISTERS.abnormalIntStatus,
  set: QM_REGISTERS.abnormalIntSet,
};
const ZIP_ERROR_NAMES = {
  source: ZIP_REGISTERS.coreIntSource,
  mask: ZIP_REGISTERS.coreIntMask,
  status: ZIP_REGISTERS.coreIntStatus,
  set: ZIP_REGISTERS.coreIntSet,
};
