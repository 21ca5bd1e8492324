import { type Iova, iova } from '../../../shared/src/units.ts';
import { getAddress, getField } from '../hw-abi/field.ts';
import { MAILBOX, MAILBOX_COMMAND, MAILBOX_OFFSET, SQC_BYTES } from '../hw-abi/qm.ts';
import { type CqContext, decodeCqContext, decodeSqContext, type SqContext } from './queue-pair.ts';

const STATUS_FAILED = 1;

export interface MailboxActions {
  /** Device memory without PASID; undefined if the IOMMU refuses. */
  words(address: Iova, bytes: number): Uint32Array | undefined;
  startQueue(qpId: number, sq: SqContext, cq: CqContext): boolean;
  stopQueue(qpId: number): boolean;
}

/**
 * The queue manager's slow command channel. A queue starts when both of its contexts have come. Commands finish
 * within the write, so the busy bit is never seen set.
 */
export class Mailbox {
  private word0 = 0;
  private readonly sqContexts = new Map<number, SqContext>();

  constructor(private readonly actions: MailboxActions) {}

  /** @returns undefined when the offset is not the mailbox's */
  read32(offset: number): number | undefined {
    return offset === MAILBOX_OFFSET ? this.word0 : undefined;
  }

  /** @returns false when the offset is not the mailbox's */
  write128(offset: number, words: readonly [number, number, number, number]): boolean {
    if (offset !== MAILBOX_OFFSET) return false;
    const mail = Uint32Array.from(words);
    const succeeded = this.execute(
      getField(mail, 0, MAILBOX.command),
      getField(mail, 0, MAILBOX.queue),
      iova(getAddress(mail, 0, MAILBOX.base)),
    );
    const cleared = words[0] & ~(1 << MAILBOX.busy.shift);
    this.word0 = succeeded ? cleared : cleared | (STATUS_FAILED << MAILBOX.status.shift);
    return true;
  }

  private execute(command: number, qpId: number, base: Iova): boolean {
    if (command === MAILBOX_COMMAND.stopQp) return this.actions.stopQueue(qpId);
    const context = this.actions.words(base, SQC_BYTES);
    if (!context) return false;
    switch (command) {
      case MAILBOX_COMMAND.sqc:
        this.sqContexts.set(qpId, decodeSqContext(context));
        return true;
      case MAILBOX_COMMAND.cqc: {
        const sq = this.sqContexts.get(qpId);
        this.sqContexts.delete(qpId);
        return sq !== undefined && this.actions.startQueue(qpId, sq, decodeCqContext(context));
      }
      default:
        return false;
    }
  }
}
