import { WarpDriveError } from '../../../../shared/src/problem.ts';
import { DUS_CQ_OFFSET, DUS_RX_STOP_OFFSET, DUS_SQ_OFFSET, DUS_TX_STOP_OFFSET } from '../../hw-abi/dus.ts';
import { getField } from '../../hw-abi/field.ts';
import {
  CQE,
  CQE_WORDS,
  DOORBELL_COMMAND,
  DOORBELL_OFFSET,
  doorbellHigh,
  doorbellLow,
  QUEUE_DEPTH,
  USABLE_DEPTH,
} from '../../hw-abi/qm.ts';
import { SQE_WORDS } from '../../hw-abi/zip-sqe.ts';
import type { QueueRegion } from '../../platform/accelerator.ts';

/** CQ entries reaped before the device is told. */
const MAX_UNANNOUNCED = QUEUE_DEPTH / 2;

/**
 * The user-space side of one queue pair, over its mapped regions alone (UADK drv/hisi_qm_udrv.c, hisi_qm_send and
 * hisi_qm_recv). Index owners: this driver moves the SQ tail and the CQ head, the device the other two.
 */
export class QueuePairDriver {
  /** The submission ring; callers fill the slot that `reserve` names. */
  readonly sq: Uint32Array;
  private readonly cq: Uint32Array;
  private readonly txStop: Uint32Array;
  private readonly rxStop: Uint32Array;
  private readonly doorbellQueue: number;
  private sqTail = 0;
  private cqHead = 0;
  private phase = 1;
  private used = 0;
  private busyCount = 0;

  /** @param qpId the hardware queue number that doorbells carry */
  constructor(
    private readonly region: QueueRegion,
    qpId: number,
    private readonly priority: number,
  ) {
    const { buffer, byteOffset } = region.dus;
    this.sq = new Uint32Array(buffer, byteOffset + DUS_SQ_OFFSET, QUEUE_DEPTH * SQE_WORDS);
    this.cq = new Uint32Array(buffer, byteOffset + DUS_CQ_OFFSET, QUEUE_DEPTH * CQE_WORDS);
    this.txStop = new Uint32Array(buffer, byteOffset + DUS_TX_STOP_OFFSET, 1);
    this.rxStop = new Uint32Array(buffer, byteOffset + DUS_RX_STOP_OFFSET, 1);
    this.doorbellQueue = qpId;
  }

  get inFlight(): number {
    return this.used;
  }

  /** Submissions refused because the ring was full. */
  get busy(): number {
    return this.busyCount;
  }

  /**
   * The slot for the next SQE.
   * @returns word index into `sq`; undefined when full (one slot stays empty: full must differ from empty)
   * @throws WD_E_DEVICE_RESET when the device no longer takes submissions
   */
  reserve(): number | undefined {
    if (this.txStop[0] === 1)
      throw new WarpDriveError('WD_E_DEVICE_RESET', 'the device stopped this queue for submission', {
        word: 'tx_stop',
      });
    if (this.used === USABLE_DEPTH) {
      this.busyCount++;
      return undefined;
    }
    return this.sqTail * SQE_WORDS;
  }

  /** Publishes the reserved slot. The doorbell comes last: the device may fetch at once. @returns the slot's index */
  submit(): number {
    const index = this.sqTail;
    this.sqTail = (this.sqTail + 1) % QUEUE_DEPTH;
    this.used++;
    this.region.mmio.write64(
      DOORBELL_OFFSET,
      doorbellLow(this.doorbellQueue, DOORBELL_COMMAND.sq),
      doorbellHigh(this.sqTail, this.priority),
    );
    return index;
  }

  /**
   * Reaps every new completion, in the device's order; results are in the SQE's own slot.
   * @returns how many
   * @throws WD_E_DEVICE_RESET when no completion will come any more
   */
  poll(onCompletion: (slotIndex: number, base: number) => void): number {
    let reaped = 0;
    while (getField(this.cq, this.cqHead * CQE_WORDS, CQE.phase) === this.phase) {
      const slot = getField(this.cq, this.cqHead * CQE_WORDS, CQE.sqHead);
      if (slot >= QUEUE_DEPTH)
        throw new WarpDriveError('WD_E_DEVICE', `CQE names SQ slot ${slot} of ${QUEUE_DEPTH}`, {
          errno: 'EIO',
        });
      this.cqHead = (this.cqHead + 1) % QUEUE_DEPTH;
      if (this.cqHead === 0) this.phase ^= 1;
      this.used--;
      reaped++;
      onCompletion(slot, slot * SQE_WORDS);
      // because whoever submits from a completion would fill a CQ whose head the device does not know
      if (reaped % MAX_UNANNOUNCED === 0) this.ringCq(0);
    }
    if (reaped > 0) this.ringCq(0);
    else if (this.rxStop[0] === 1)
      throw new WarpDriveError('WD_E_DEVICE_RESET', 'the device stopped this queue for completion', {
        word: 'rx_stop',
      });
    return reaped;
  }

  /** Asks for one interrupt at the next completion; poll again afterwards, because one may have come meanwhile. */
  arm(): void {
    this.ringCq(1);
  }

  private ringCq(arm: 0 | 1): void {
    this.region.mmio.write64(
      DOORBELL_OFFSET,
      doorbellLow(this.doorbellQueue, DOORBELL_COMMAND.cq),
      doorbellHigh(this.cqHead, arm),
    );
  }
}
