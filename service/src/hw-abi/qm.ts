/**
 * The queue manager's descriptors and doorbells, V2 and later.
 * Sources: Linux drivers/crypto/hisilicon/qm.c, include/linux/hisi_acc_qm.h; UADK drv/hisi_qm_udrv.c.
 */
import { addressField, field } from './field.ts';

const QM = 'Linux drivers/crypto/hisilicon/qm.c';
const UDRV = 'UADK drv/hisi_qm_udrv.c';

export const QUEUE_DEPTH = 1024;
export const USABLE_DEPTH = QUEUE_DEPTH - 1;
export const MAX_PRIORITY = 15;

/** Completion queue entry, 16 bytes, 4 words. */
export const CQE_BYTES = 16;
export const CQE_WORDS = 4;
export const CQE = {
  cmdId: field(1, 0, 16, 'out', `${UDRV} struct cqe cmd_id`),
  /** Index of the SQE that finished. */
  sqHead: field(2, 0, 16, 'out', `${UDRV} struct cqe sq_head`),
  sqNum: field(2, 16, 16, 'out', `${UDRV} struct cqe sq_num`),
  phase: field(3, 16, 1, 'out', `${UDRV} struct cqe w7 bit 0`),
} as const;

/** Doorbell: one 64-bit write. Commands of [15:12]. */
export const DOORBELL_OFFSET = 0x1000;
export const EVENT_DOORBELL_OFFSET = 0x2000;
export const DOORBELL_COMMAND = { sq: 0, cq: 1, eq: 2, aeq: 3 } as const;
export const DOORBELL = {
  queue: field(0, 0, 10, 'in', `${UDRV} hacc_db_v2: queue number, mask 0x3ff`),
  command: field(0, 12, 4, 'in', `${UDRV} hacc_db_v2`),
  random: field(0, 16, 16, 'in', `${QM} qm_db_v2 rand`),
  index: field(1, 0, 16, 'in', `${UDRV} hacc_db_v2: new SQ tail or CQ head`),
  /** SQ: DMA priority of what is rung. CQ: 1 = arm the interrupt. */
  priority: field(1, 16, 16, 'in', `${UDRV} hacc_db_v2`),
} as const;

/** Low word of a doorbell. */
export const doorbellLow = (queue: number, command: number): number => (queue & 0x3ff) | (command << 12);
/** High word of a doorbell. @param index new SQ tail or CQ head @param priority SQ priority, CQ arm flag */
export const doorbellHigh = (index: number, priority: number): number => ((priority << 16) | index) >>> 0;

/** SQ context, 32 bytes, 8 words (struct qm_sqc). */
export const SQC_BYTES = 32;
export const SQC = {
  head: field(0, 0, 16, 'in/out', `${QM} struct qm_sqc`),
  tail: field(0, 16, 16, 'in/out', `${QM} struct qm_sqc`),
  base: addressField(1, 'in', `${QM} struct qm_sqc base_l, base_h`),
  depthMinusOne: field(3, 0, 12, 'in', `${QM} QM_MK_SQC_DW3_V2`),
  log2SqeBytes: field(3, 12, 4, 'in', `${QM} QM_MK_SQC_DW3_V2`),
  /** Doorbells of the queue must carry it. */
  random: field(4, 0, 16, 'in', `${QM} struct qm_sqc w8 rand_qc`),
  pasid: field(5, 0, 16, 'in', `${QM} struct qm_sqc pasid`),
  pasidEnable: field(5, 23, 1, 'in', `${QM} w11 bit 7, V3 user queue with SVA`),
  cqNumber: field(6, 0, 16, 'in', `${QM} struct qm_sqc cq_num`),
  priority: field(6, 16, 4, 'in', `${QM} w13 QM_SQ_PRIORITY_SHIFT`),
  orders: field(6, 20, 1, 'in', `${QM} w13 QM_SQ_ORDERS_SHIFT`),
  /** 0 compress, 1 decompress. */
  algorithmType: field(6, 24, 4, 'in', `${QM} w13 QM_SQ_TYPE_SHIFT`),
} as const;

/** CQ context, 32 bytes, 8 words (struct qm_cqc). */
export const CQC_BYTES = 32;
export const CQC = {
  head: field(0, 0, 16, 'in/out', `${QM} struct qm_cqc`),
  tail: field(0, 16, 16, 'in/out', `${QM} struct qm_cqc`),
  base: addressField(1, 'in', `${QM} struct qm_cqc base_l, base_h`),
  depthMinusOne: field(3, 0, 12, 'in', `${QM} QM_MK_CQC_DW3_V2`),
  log2CqeBytes: field(3, 12, 4, 'in', `${QM} QM_MK_CQC_DW3_V2`),
  pasid: field(5, 0, 16, 'in', `${QM} struct qm_cqc pasid`),
  pasidEnable: field(5, 16, 1, 'in', `${QM} w11 bit 0`),
  phase: field(6, 0, 1, 'in/out', `${QM} dw6 QM_CQ_PHASE_SHIFT`),
  interruptEnable: field(6, 1, 1, 'in', `${QM} dw6 QM_CQ_FLAG_SHIFT`),
} as const;

/** EQ and AEQ context, 32 bytes, 8 words (struct qm_eqc, struct qm_aeqc). */
export const EQC_BYTES = 32;
export const EQC = {
  head: field(0, 0, 16, 'in/out', `${QM} struct qm_eqc`),
  tail: field(0, 16, 16, 'in/out', `${QM} struct qm_eqc`),
  base: addressField(1, 'in', `${QM} struct qm_eqc base_l, base_h`),
  depthMinusOne: field(7, 0, 16, 'in', `${QM} qm_eq_ctx_cfg dw6`),
  phase: field(7, 16, 1, 'in/out', `${QM} QM_EQC_PHASE_SHIFT`),
} as const;

/** Event ring entries: one word each. An AEQE names the queue that failed and how. */
export const EQ_DEPTH = 2048;
export const AEQ_DEPTH = 1024;
export const EQE = {
  queue: field(0, 0, 16, 'out', `${QM} QM_EQE_CQN_MASK`),
  phase: field(0, 16, 1, 'out', `${QM} QM_EQE_PHASE`),
} as const;
export const AEQE = {
  queue: field(0, 0, 16, 'out', `${QM} QM_AEQE_CQN_MASK`),
  phase: field(0, 16, 1, 'out', `${QM} QM_AEQE_PHASE`),
  type: field(0, 17, 15, 'out', `${QM} QM_AEQE_TYPE_SHIFT`),
} as const;
export const AEQE_TYPE = { cqOverflow: 0, eqOverflow: 1, cqeError: 2 } as const;

/** Mailbox: one 128-bit write at 0x300 (struct qm_mailbox). */
export const MAILBOX_OFFSET = 0x300;
/** What a command reads back without memory. */
export const MAILBOX_DATA_LOW_OFFSET = 0x304;
export const MAILBOX_DATA_HIGH_OFFSET = 0x308;
export const MAILBOX = {
  command: field(0, 0, 8, 'in', `${QM} struct qm_mailbox w0`),
  status: field(0, 9, 4, 'out', `${QM} QM_MB_STATUS_MASK`),
  busy: field(0, 13, 1, 'in/out', `${QM} QM_MB_BUSY_SHIFT`),
  /** 1 = read the context back. */
  op: field(0, 14, 1, 'in', `${QM} QM_MB_OP_SHIFT`),
  queue: field(0, 16, 16, 'in', `${QM} struct qm_mailbox queue_num`),
  base: addressField(1, 'in', `${QM} struct qm_mailbox base_l, base_h`),
} as const;
export const MAILBOX_COMMAND = {
  sqc: 0,
  cqc: 1,
  eqc: 2,
  aeqc: 3,
  sqcBt: 4,
  cqcBt: 5,
  sqcVft: 6,
  stopQp: 8,
  /** Messages between functions. */
  src: 0xc,
  dst: 0xd,
} as const;
