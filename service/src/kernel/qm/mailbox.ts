import { WarpDriveError } from '../../../../shared/src/problem.ts';
import { hex } from '../../../../shared/src/units.ts';
import { type AddressField, type Field, getField, setAddress, setField } from '../../hw-abi/field.ts';
import { MAILBOX, MAILBOX_OFFSET, SQC_BYTES } from '../../hw-abi/qm.ts';
import type { DeviceBus } from '../../platform/device-bus.ts';
import type { PhysicalMemory } from '../../platform/physical-memory.ts';
import type { CoherentBuffer, CoherentMemory } from '../coherent-memory.ts';
import type { QmStatistics } from './statistics.ts';

/** Fields of a context with their values. */
export type ContextFields = readonly (readonly [Field | AddressField, number])[];

/** The driver's side of the mailbox; contexts travel through one page of its own, as `qm->xqc_buf`. */
export class QmMailbox {
  private readonly scratch: CoherentBuffer;

  constructor(
    private readonly bus: DeviceBus,
    private readonly memory: PhysicalMemory,
    coherent: CoherentMemory,
    private readonly statistics: QmStatistics,
  ) {
    this.scratch = coherent.allocate(SQC_BYTES);
  }

  /** @throws WD_E_DEVICE as `send` */
  sendContext(command: number, qpId: number, fields: ContextFields): void {
    const words = this.memory.words(this.scratch.physical, SQC_BYTES / 4);
    words.fill(0);
    for (const [target, value] of fields) {
      if ('low' in target) setAddress(words, 0, target, value);
      else setField(words, 0, target, value);
    }
    this.send(command, qpId, this.scratch.address);
  }

  /** @throws WD_E_DEVICE with errno EBUSY while one runs, EIO when the device refuses */
  send(command: number, qpId: number, base: number): void {
    const words = new Uint32Array(4);
    setField(words, 0, MAILBOX.command, command);
    setField(words, 0, MAILBOX.busy, 1);
    setField(words, 0, MAILBOX.queue, qpId);
    setAddress(words, 0, MAILBOX.base, base);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
    this.bus.write128(MAILBOX_OFFSET, [w0, w1, w2, w3]);
    const answer = Uint32Array.of(this.bus.read32(MAILBOX_OFFSET));
    const status = getField(answer, 0, MAILBOX.status);
    const isBusy = getField(answer, 0, MAILBOX.busy) === 1;
    if (status === 0 && !isBusy) return;
    this.statistics.mbErr++;
    throw new WarpDriveError('WD_E_DEVICE', `mailbox command ${hex(command, 2)} for queue ${qpId} failed`, {
      errno: isBusy ? 'EBUSY' : 'EIO',
      mailboxStatus: status,
    });
  }
}
