import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { Operation } from '../../../../shared/src/telemetry.ts';
import { hex, type Iova, type Pasid } from '../../../../shared/src/units.ts';
import { DUS_CQ_OFFSET, DUS_SQ_OFFSET } from '../../hw-abi/dus.ts';
import { type AddressField, type Field, setAddress, setField } from '../../hw-abi/field.ts';
import {
  CQC,
  MAILBOX,
  MAILBOX_COMMAND,
  MAILBOX_OFFSET,
  QUEUE_DEPTH,
  SQC,
  SQC_BYTES,
} from '../../hw-abi/qm.ts';
import { SQE_BYTES } from '../../hw-abi/zip-sqe.ts';
import type { DeviceBus } from '../../platform/device-bus.ts';
import type { PhysicalMemory } from '../../platform/physical-memory.ts';
import type { CoherentBuffer, CoherentMemory } from '../coherent-memory.ts';

const LOG2_SQE_BYTES = Math.log2(SQE_BYTES);
const CQE_SIZE_CODE = 4;

export interface QueueSetup {
  qpId: number;
  operation: Operation;
  priority: number;
  /** 0 = requests carry no PASID. */
  pasid: Pasid;
  /** Device address of the queue's DUS memory. */
  dus: Iova;
}

/**
 * The kernel driver's side of the queue manager: writes queue contexts and hands them over by mailbox. The PASID is
 * written here and nowhere a user can reach.
 */
export class QueueManager {
  /** One page through which contexts travel, as the kernel driver's `qm->xqc_buf`. */
  private readonly scratch: CoherentBuffer;

  constructor(
    private readonly bus: DeviceBus,
    private readonly memory: PhysicalMemory,
    coherent: CoherentMemory,
  ) {
    this.scratch = coherent.allocate(SQC_BYTES);
  }

  /** Linux drivers/crypto/hisilicon/qm.c qm_qp_ctx_cfg: SQC first, then CQC. */
  startQueue(setup: QueueSetup): void {
    this.sendContext(MAILBOX_COMMAND.sqc, setup.qpId, [
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
    this.sendContext(MAILBOX_COMMAND.cqc, setup.qpId, [
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
    this.mailbox(MAILBOX_COMMAND.stopQp, qpId);
  }

  private sendContext(
    command: number,
    qpId: number,
    fields: readonly (readonly [Field | AddressField, number])[],
  ): void {
    const words = this.memory.words(this.scratch.physical, SQC_BYTES / 4);
    words.fill(0);
    for (const [target, value] of fields) {
      if ('low' in target) setAddress(words, 0, target, value);
      else setField(words, 0, target, value);
    }
    this.mailbox(command, qpId);
  }

  private mailbox(command: number, qpId: number): void {
    const words = new Uint32Array(4);
    setField(words, 0, MAILBOX.command, command);
    setField(words, 0, MAILBOX.busy, 1);
    setField(words, 0, MAILBOX.queue, qpId);
    setAddress(words, 0, MAILBOX.base, this.scratch.address);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
    this.bus.write128(MAILBOX_OFFSET, [w0, w1, w2, w3]);
    const status = (this.bus.read32(MAILBOX_OFFSET) >>> MAILBOX.status.shift) & 0xf;
    if (status !== 0)
      throw new WarpDriveError('WD_E_DEVICE', `mailbox command ${hex(command, 2)} for queue ${qpId} failed`, {
        errno: 'EIO',
        mailboxStatus: status,
      });
  }
}
