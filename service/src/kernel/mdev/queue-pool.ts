import { WarpDriveError } from '../../../../shared/src/problem.ts';

/** The queue pairs of one function, handed out lowest number first. */
export class QueuePool {
  private readonly taken: boolean[];

  constructor(
    private readonly device: string,
    readonly total: number,
  ) {
    this.taken = new Array<boolean>(total).fill(false);
  }

  get free(): number {
    return this.taken.filter((isTaken) => !isTaken).length;
  }

  /**
   * @returns a queue pair number
   * @throws WD_E_NO_QUEUE when all are taken (the kernel's EBUSY)
   */
  take(): number {
    const qpId = this.taken.indexOf(false);
    if (qpId === -1) {
      throw new WarpDriveError(
        'WD_E_NO_QUEUE',
        `all ${this.total} queues of ${this.device} are busy (EBUSY)`,
        {
          device: this.device,
          total: this.total,
          errno: 'EBUSY',
        },
      );
    }
    this.taken[qpId] = true;
    return qpId;
  }

  give(qpId: number): void {
    this.taken[qpId] = false;
  }
}
