/** Queues of the whole device (Linux drivers/crypto/hisilicon/qm.c, QM_QNUM_V2), and the physical function's share by default (pf_q_num). */
export const DEVICE_QUEUES = 1024;
export const PF_QUEUES = 64;

/** The queues of one function: its queue pair 0 is queue `base` of the device. */
export interface QueueWindow {
  readonly base: number;
  readonly count: number;
}

/**
 * Shares out what the physical function leaves to `vfs` virtual functions: equal parts, the remainder to the last
 * (qm.c, qm_vf_q_assign).
 * @returns one window a virtual function, in their order
 */
export function partitionQueues(vfs: number, pfQueues = PF_QUEUES, total = DEVICE_QUEUES): QueueWindow[] {
  const share = Math.floor((total - pfQueues) / vfs);
  return Array.from({ length: vfs }, (_, i) => {
    const base = pfQueues + i * share;
    return { base, count: i === vfs - 1 ? total - base : share };
  });
}
