import { WarpDriveError } from '../../../../shared/src/problem.ts';

/** Who a queue is for: users by mdev or uacce, or the service as a kernel consumer. */
export type QueueUse = 'user' | 'native';

/**
 * The queue pairs of one function, handed out lowest number first. The first `reserved` ones are kept for the
 * service's own use, as the native driver's share of pf_q_num (Linux drivers/crypto/hisilicon/zip, uacce_mode).
 */
export class QueuePool {
  /** Times that somebody asked and none was left. */
  refusals = 0;
  private readonly taken: boolean[];

  constructor(
    private readonly device: string,
    readonly total: number,
    readonly reserved = 0,
  ) {
    this.taken = new Array<boolean>(total).fill(false);
  }

  /** Queues that users can take. */
  get free(): number {
    return this.count('user', false);
  }

  /** Reserved queues in use. */
  get nativeTaken(): number {
    return this.count('native', true);
  }

  /**
   * @returns a queue pair number
   * @throws WD_E_NO_QUEUE when all of that use are taken (the kernel's EBUSY)
   */
  take(use: QueueUse = 'user'): number {
    const [first, end] = this.range(use);
    for (let qpId = first; qpId < end; qpId++)
      if (!this.taken[qpId]) {
        this.taken[qpId] = true;
        return qpId;
      }
    this.refusals++;
    const kept = use === 'user' && this.reserved > 0 ? ` (${this.reserved} more are reserved)` : '';
    throw new WarpDriveError(
      'WD_E_NO_QUEUE',
      `all ${end - first} ${use === 'native' ? 'reserved ' : ''}queues of ${this.device} are busy (EBUSY)${kept}`,
      { device: this.device, total: end - first, errno: 'EBUSY' },
    );
  }

  give(qpId: number): void {
    this.taken[qpId] = false;
  }

  private range(use: QueueUse): [number, number] {
    return use === 'native' ? [0, this.reserved] : [this.reserved, this.total];
  }

  private count(use: QueueUse, isTaken: boolean): number {
    const [first, end] = this.range(use);
    let count = 0;
    for (let qpId = first; qpId < end; qpId++) if (this.taken[qpId] === isTaken) count++;
    return count;
  }
}
