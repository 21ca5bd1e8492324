import { type Iova, iova } from '../../../../shared/src/units.ts';
import { getAddress, getField } from '../../hw-abi/field.ts';
import {
  EQC_BYTES,
  MAILBOX,
  MAILBOX_COMMAND,
  MAILBOX_DATA_HIGH_OFFSET,
  MAILBOX_DATA_LOW_OFFSET,
  MAILBOX_OFFSET,
  SQC_BYTES,
} from '../../hw-abi/qm.ts';

const STATUS_FAILED = 1;

export interface MailboxActions {
  /** Device memory without PASID; undefined if the IOMMU refuses. */
  words(address: Iova, bytes: number): Uint32Array | undefined;
  /** Each returns false when the device cannot do it. */
  setSqc(qpId: number, context: Uint32Array): boolean;
  setCqc(qpId: number, context: Uint32Array): boolean;
  setEventContext(ring: 'eq' | 'aeq', context: Uint32Array): boolean;
  setContextTable(ring: 'sq' | 'cq', base: Iova): boolean;
  stopQueue(qpId: number): boolean;
  /** Contexts with the device's current indices; undefined when there is none. */
  readContext(command: number, qpId: number): Uint32Array | undefined;
  /** The function's own SQC entry of the function table, low and high word. */
  readVft(): readonly [number, number] | undefined;
}

/**
 * The queue manager's slow command channel (sources.md 5.6). A command is one 128-bit write with the busy bit set;
 * it finishes within the write, so the busy bit is never seen set afterwards. Commands that the device does not know or
 * cannot do leave a status other than 0.
 */
export class Mailbox {
  private word0 = 0;
  private data: readonly [number, number] = [0, 0];

  constructor(private readonly actions: MailboxActions) {}

  /** @returns undefined when the offset is not the mailbox's */
  read32(offset: number): number | undefined {
    switch (offset) {
      case MAILBOX_OFFSET:
        return this.word0;
      case MAILBOX_DATA_LOW_OFFSET:
        return this.data[0];
      case MAILBOX_DATA_HIGH_OFFSET:
        return this.data[1];
      default:
        return undefined;
    }
  }

  /** @returns whether it was a command: without the busy bit nothing happens */
  write128(words: readonly [number, number, number, number]): boolean {
    const mail = Uint32Array.from(words);
    if (getField(mail, 0, MAILBOX.busy) === 0) return false;
    this.data = [words[1] >>> 0, words[2] >>> 0];
    const succeeded = this.execute(mail);
    const cleared = words[0] & ~((1 << MAILBOX.busy.shift) | (0xf << MAILBOX.status.shift));
    this.word0 = (succeeded ? cleared : cleared | (STATUS_FAILED << MAILBOX.status.shift)) >>> 0;
    return true;
  }

  reset(): void {
    this.word0 = 0;
    this.data = [0, 0];
  }

  private execute(mail: Uint32Array): boolean {
    const command = getField(mail, 0, MAILBOX.command);
    const qpId = getField(mail, 0, MAILBOX.queue);
    const base = iova(getAddress(mail, 0, MAILBOX.base));
    if (getField(mail, 0, MAILBOX.op) === 1) return this.readBack(command, qpId, base);
    const { actions } = this;
    switch (command) {
      case MAILBOX_COMMAND.sqc:
        return this.withContext(base, SQC_BYTES, (context) => actions.setSqc(qpId, context));
      case MAILBOX_COMMAND.cqc:
        return this.withContext(base, SQC_BYTES, (context) => actions.setCqc(qpId, context));
      case MAILBOX_COMMAND.eqc:
        return this.withContext(base, EQC_BYTES, (context) => actions.setEventContext('eq', context));
      case MAILBOX_COMMAND.aeqc:
        return this.withContext(base, EQC_BYTES, (context) => actions.setEventContext('aeq', context));
      case MAILBOX_COMMAND.sqcBt:
        return actions.setContextTable('sq', base);
      case MAILBOX_COMMAND.cqcBt:
        return actions.setContextTable('cq', base);
      case MAILBOX_COMMAND.stopQp:
        return actions.stopQueue(qpId);
      default:
        return false; // src and dst too: no other function is on this bus
    }
  }

  private readBack(command: number, qpId: number, base: Iova): boolean {
    if (command === MAILBOX_COMMAND.sqcVft) {
      const entry = this.actions.readVft();
      if (entry) this.data = entry;
      return entry !== undefined;
    }
    const context = this.actions.readContext(command, qpId);
    const target = context && this.actions.words(base, context.byteLength);
    target?.set(context ?? []);
    return target !== undefined;
  }

  private withContext(base: Iova, bytes: number, use: (context: Uint32Array) => boolean): boolean {
    const context = this.actions.words(base, bytes);
    return context !== undefined && use(context);
  }
}
