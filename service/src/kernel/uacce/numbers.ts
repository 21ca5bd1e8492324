import { PAGE_BYTES } from '../../../../shared/src/units.ts';

/**
 * UACCE ioctls (Linux include/uapi/misc/uacce/uacce.h, hisi_qm.h; sources.md 4.3).
 */
export const UACCE = {
  START_Q: 0x5700,
  PUT_Q: 0x5701,
  /** `_IOWR('H', 10, {u16 id, u16 qc_type})` */
  QM_SET_QP_CTX: 0xc004_480a,
  /** `_IOWR('H', 11, {u32 sqe_size, u16 sq_depth, u16 cq_depth, u64 reserved})` */
  QM_SET_QP_INFO: 0xc010_480b,
  /** ours: `_IOW('H', 12, {u32 priority})`; upstream has no way to set the priority of SQC word w13 from user space. */
  QM_SET_QP_PRIORITY: 0x4004_480c,
} as const;

/** mmap regions by file offset (sources.md 4.4). */
export const UACCE_REGION_OFFSET = { mmio: 0, dus: PAGE_BYTES } as const;
/** `flags` bit 0: shared virtual addressing. */
export const UACCE_FLAG_SVA = 1;
