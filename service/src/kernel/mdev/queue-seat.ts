import type { MdevState } from '../../../../shared/src/telemetry.ts';
import { kernelError } from '../errno.ts';
import { type Mdev, NO_QUEUE } from './mdev.ts';
import { policyOf } from './mdev-type.ts';
import type { QueuePool, QueueUse } from './queue-pool.ts';

/** The right to use one queue pair: an mdev's, or one taken straight from the pool. Owned by the open queue. */
export interface QueueSeat {
  readonly qpId: number;
  /** Empty without an mdev. */
  readonly mdevUuid: string;
  readonly mdev: Mdev | undefined;
  readonly use: QueueUse;
  setState(state: MdevState): void;
  /** Back to idle; the queue itself goes back to the pool unless an mdev keeps it. */
  release(): void;
}

/**
 * Opens an idle mdev; with policy `on-open` it takes its queue now.
 * @param isGroupOwner the caller has the mdev's VFIO group open
 * @throws WD_E_NO_QUEUE, WD_E_EBUSY
 */
export function mdevSeat(mdev: Mdev, pool: QueuePool, isGroupOwner: boolean): QueueSeat {
  if (!(isGroupOwner ? mdev.isClosed : mdev.isIdle))
    throw kernelError('EBUSY', `mdev ${mdev.uuid} is in use`, { state: mdev.state });
  if (mdev.qpId === NO_QUEUE) mdev.qpId = pool.take();
  mdev.state = 'opened';
  return {
    qpId: mdev.qpId,
    mdevUuid: mdev.uuid,
    mdev,
    use: 'user',
    setState(state) {
      mdev.state = state;
    },
    release() {
      mdev.state = 'created';
      if (policyOf(mdev.type) === 'on-create') return;
      pool.give(mdev.qpId);
      mdev.qpId = NO_QUEUE;
    },
  };
}

/** A queue without mdev: the uacce view's, or the service's own. @throws WD_E_NO_QUEUE */
export function poolSeat(pool: QueuePool, use: QueueUse): QueueSeat {
  const qpId = pool.take(use);
  return {
    qpId,
    mdevUuid: '',
    mdev: undefined,
    use,
    setState() {},
    release: () => pool.give(qpId),
  };
}
