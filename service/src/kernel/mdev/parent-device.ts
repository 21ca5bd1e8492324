import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { MdevSnapshot } from '../../../../shared/src/telemetry.ts';
import type { StreamId } from '../../../../shared/src/units.ts';
import type { Clock } from '../../platform/clock.ts';
import { QueuePool } from './queue-pool.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A kind of instance that the parent offers; the id is "<driver>-<group>" as in mdev_supported_types. */
export interface MdevType {
  readonly id: string;
  readonly name: string;
}

/** One mediated device: one queue pair, assigned when root creates it. */
export interface Mdev {
  readonly uuid: string;
  readonly type: MdevType;
  readonly qpId: number;
  readonly createdAtMs: number;
  state: MdevSnapshot['state'];
}

/**
 * A device that registered itself as a supplier of mdevs. Queues come from one pool, pre-assigned at create
 * (Linux drivers/vfio/mdev; the 2018 deck, "resources pre-assigned at MDEV creation").
 */
export class ParentDevice {
  private readonly mdevs = new Map<string, Mdev>();
  private readonly pool: QueuePool;

  constructor(
    readonly name: string,
    readonly bdf: string,
    readonly streamId: StreamId,
    readonly types: readonly MdevType[],
    queues: number,
    private readonly clock: Clock,
  ) {
    this.pool = new QueuePool(name, queues);
  }

  get queuesTotal(): number {
    return this.pool.total;
  }

  /** Queues that no mdev holds: what every type's `available_instances` shows. */
  get queuesFree(): number {
    return this.pool.free;
  }

  /**
   * Root's `echo UUID > mdev_supported_types/<type>/create`.
   * @throws WD_E_EINVAL not a UUID or no such type; WD_E_EEXIST; WD_E_NO_QUEUE
   */
  create(uuid: string, typeId: string): Mdev {
    if (!UUID.test(uuid))
      throw new WarpDriveError('WD_E_EINVAL', `"${uuid}" is not a UUID of 36 characters`, { field: 'uuid' });
    const type = this.types.find((candidate) => candidate.id === typeId);
    if (!type) {
      const allowed = this.types.map((candidate) => candidate.id);
      throw new WarpDriveError('WD_E_EINVAL', `${this.name} has no mdev type "${typeId}"`, {
        field: 'type',
        allowed,
      });
    }
    if (this.mdevs.has(uuid))
      throw new WarpDriveError('WD_E_EEXIST', `mdev ${uuid} exists already`, { field: 'uuid' });
    const mdev: Mdev = {
      uuid,
      type,
      qpId: this.pool.take(),
      createdAtMs: this.clock.wallMs(),
      state: 'created',
    };
    this.mdevs.set(uuid, mdev);
    return mdev;
  }

  /**
   * Root's `echo 1 > <mdev>/remove`; gives the queue back to the pool.
   * @throws WD_E_ENODEV; WD_E_EBUSY while a user has it open
   */
  remove(uuid: string): void {
    const mdev = this.mdevs.get(uuid);
    if (!mdev) throw new WarpDriveError('WD_E_ENODEV', `no mdev ${uuid}`, { field: 'uuid' });
    if (mdev.state !== 'created')
      throw new WarpDriveError('WD_E_EBUSY', `mdev ${uuid} is in use`, { state: mdev.state });
    mdev.state = 'removed';
    this.mdevs.delete(uuid);
    this.pool.give(mdev.qpId);
  }

  /** An mdev that nobody has open. */
  findIdle(): Mdev | undefined {
    for (const mdev of this.mdevs.values()) if (mdev.state === 'created') return mdev;
    return undefined;
  }

  list(): readonly Mdev[] {
    return [...this.mdevs.values()];
  }
}
