import { PAGE_BYTES } from '../../../shared/src/units.ts';
import { CQE_BYTES, QUEUE_DEPTH } from './qm.ts';
import { SQE_BYTES } from './zip-sqe.ts';

/**
 * The "device user share" region: SQ, CQ, one page that ends with two control words. Its size must equal
 * PAGE_ALIGN(SQ + CQ) + one page (Linux drivers/crypto/hisilicon/qm.c hisi_qm_uacce_mmap; UADK drv/hisi_qm_udrv.c).
 */
export const DUS_SQ_OFFSET = 0;
export const DUS_CQ_OFFSET = SQE_BYTES * QUEUE_DEPTH;
export const DUS_BYTES =
  Math.ceil((DUS_CQ_OFFSET + CQE_BYTES * QUEUE_DEPTH) / PAGE_BYTES) * PAGE_BYTES + PAGE_BYTES;
/** u32: 1 = the device no longer takes submissions. */
export const DUS_TX_STOP_OFFSET = DUS_BYTES - 4;
/** u32: 1 = no more completions will come. */
export const DUS_RX_STOP_OFFSET = DUS_BYTES - 8;
/** MMIO region of a queue: one page before the doorbell page, as V2 without doorbell isolation. */
export const MMIO_BYTES = 2 * PAGE_BYTES;
