import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { MdevSnapshot, MdevTypeSnapshot } from '../../../../shared/src/telemetry.ts';
import type { StreamId } from '../../../../shared/src/units.ts';
import { MAX_PRIORITY } from '../../hw-abi/qm.ts';
import { ZIP_V3, type ZipVariant } from '../../hw-abi/zip-variant.ts';
import type { Clock } from '../../platform/clock.ts';
import { kernelError } from '../errno.ts';
import { type DmaPool, Mdev, NO_QUEUE } from './mdev.ts';
import { domainOf, type MdevType, policyOf } from './mdev-type.ts';
import { QueuePool, type QueueUse } from './queue-pool.ts';
import { mdevSeat, poolSeat, type QueueSeat } from './queue-seat.ts';

export type { Mdev } from './mdev.ts';
export type { MdevType } from './mdev-type.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface ParentOptions {
  /** Hardware generation; V3 if absent. */
  variant?: ZipVariant;
  /** Queues kept for the service's own use. */
  reservedQueues?: number;
  /** IOMMU group of the parent itself; its mdevs get the numbers after it. */
  iommuGroup?: number;
}

export interface MdevOptions {
  /** DMA memory to reserve. */
  dmaPoolBytes?: number;
  priorityClass?: number;
}

/** What the parent's driver does at create and remove beyond the queue itself. */
export interface MdevParentDriver {
  /** @throws WD_E_NO_MEMORY */
  reserveDma(bytes: number): DmaPool;
}

/**
 * A device that registered itself as a supplier of mdevs. Queues come from one pool, pre-assigned at create
 * (Linux drivers/vfio/mdev; the 2018 deck, "resources pre-assigned at MDEV creation").
 */
export class ParentDevice {
  readonly iommuGroup: number;
  readonly variant: ZipVariant;
  private readonly mdevs = new Map<string, Mdev>();
  private readonly pool: QueuePool;
  private readonly listeners = new Set<(mdev: MdevSnapshot) => void>();
  private driver: MdevParentDriver | undefined;
  private isRegistered = true;
  private noneIdleCount = 0;
  private nextGroup: number;

  constructor(
    readonly name: string,
    readonly bdf: string,
    readonly streamId: StreamId,
    readonly types: readonly MdevType[],
    queues: number,
    readonly clock: Clock,
    options: ParentOptions = {},
  ) {
    this.pool = new QueuePool(name, queues, options.reservedQueues);
    this.variant = options.variant ?? ZIP_V3;
    this.iommuGroup = options.iommuGroup ?? 0;
    this.nextGroup = this.iommuGroup + 1;
  }

  get queuesTotal(): number {
    return this.pool.total;
  }

  get queuesReserved(): number {
    return this.pool.reserved;
  }

  /** Reserved queues that the service has open. */
  get queuesNative(): number {
    return this.pool.nativeTaken;
  }

  /** Queues that no mdev holds: what every type's `available_instances` shows. */
  get queuesFree(): number {
    return this.pool.free;
  }

  /** Times that a queue or an idle mdev was wanted and there was none. */
  get refusals(): number {
    return this.pool.refusals + this.noneIdleCount;
  }

  bindDriver(driver: MdevParentDriver): void {
    this.driver = driver;
  }

  /** From here on nothing is created (the driver unbinds); mdevs that nobody uses go. @throws WD_E_EBUSY with users */
  unregister(): void {
    const used = this.list().find((mdev) => !mdev.isIdle);
    if (used) throw kernelError('EBUSY', `mdev ${used.uuid} is in use`, { state: used.state });
    this.isRegistered = false;
    for (const { uuid } of this.list()) this.remove(uuid);
  }

  /** @throws WD_E_EINVAL */
  typeOf(typeId: string): MdevType {
    const type = this.types.find((candidate) => candidate.id === typeId);
    if (type) return type;
    const allowed = this.types.map(({ id }) => id);
    throw kernelError('EINVAL', `${this.name} has no mdev type "${typeId}"`, { field: 'type', allowed });
  }

  /**
   * Root's `echo UUID > mdev_supported_types/<type>/create` (sources.md 3.5).
   * @throws WD_E_EINVAL not a UUID, no such type, class out of range; WD_E_EEXIST; WD_E_NO_QUEUE; WD_E_NO_MEMORY;
   * WD_E_ENODEV when the parent is unregistering
   */
  create(name: string, typeId: string, options: MdevOptions = {}): Mdev {
    if (!UUID.test(name))
      throw kernelError('EINVAL', `"${name}" is not a UUID of 36 characters`, { field: 'uuid' });
    const uuid = name.toLowerCase(); // as sysfs shows it, so that one UUID is one mdev
    const type = this.typeOf(typeId);
    const { dmaPoolBytes = 0, priorityClass = MAX_PRIORITY } = options;
    if (!Number.isInteger(priorityClass) || priorityClass < 0 || priorityClass > MAX_PRIORITY)
      throw kernelError('EINVAL', `priority class ${priorityClass} is not from 0 to ${MAX_PRIORITY}`, {
        field: 'priorityClass',
      });
    if (!Number.isSafeInteger(dmaPoolBytes) || dmaPoolBytes < 0)
      throw kernelError('EINVAL', `a DMA pool of ${dmaPoolBytes} bytes`, { field: 'dmaPoolBytes' });
    if (!this.isRegistered) throw kernelError('ENODEV', `${this.name} offers no mdevs any more`);
    if (this.mdevs.has(uuid)) throw kernelError('EEXIST', `mdev ${uuid} exists already`, { field: 'uuid' });
    const qpId = policyOf(type) === 'on-create' ? this.pool.take() : NO_QUEUE;
    let dmaPool: DmaPool | undefined;
    try {
      dmaPool = dmaPoolBytes > 0 ? this.reserveDma(dmaPoolBytes) : undefined;
    } catch (error) {
      if (qpId !== NO_QUEUE) this.pool.give(qpId);
      throw error;
    }
    const parts = { uuid, type, qpId, priorityClass, dmaPool, iommuGroup: this.nextGroup++ };
    const mdev = new Mdev(parts, this.clock, (changed) => this.notify(changed));
    this.mdevs.set(uuid, mdev);
    this.notify(mdev);
    return mdev;
  }

  /**
   * Root's `echo 1 > <mdev>/remove`; gives the queue back to the pool.
   * @throws WD_E_ENODEV; WD_E_EBUSY while a user has it open; WD_E_EAGAIN while a removal runs
   */
  remove(name: string): void {
    const uuid = name.toLowerCase();
    const mdev = this.mdevs.get(uuid);
    if (!mdev) throw kernelError('ENODEV', `no mdev ${uuid}`, { field: 'uuid' });
    if (mdev.isRemoving) throw kernelError('EAGAIN', `mdev ${uuid} is being removed`);
    if (mdev.state !== 'created' || mdev.isHeld)
      throw kernelError('EBUSY', `mdev ${uuid} is in use`, { state: mdev.state });
    mdev.isRemoving = true;
    mdev.dmaPool?.free();
    this.mdevs.delete(uuid);
    if (mdev.qpId !== NO_QUEUE) this.pool.give(mdev.qpId);
    mdev.state = 'removed';
  }

  /** @throws WD_E_ENODEV */
  find(uuid: string): Mdev {
    const mdev = this.mdevs.get(uuid.toLowerCase());
    if (!mdev) throw kernelError('ENODEV', `no mdev ${uuid}`, { field: 'uuid' });
    return mdev;
  }

  /** An mdev that nobody has open and whose class allows `priority`; one that still drains only if no other is idle. */
  findIdle(priority = 0): Mdev | undefined {
    const idle = this.list().filter((mdev) => mdev.isIdle && mdev.priorityClass >= priority);
    return idle.find(({ state }) => state === 'created') ?? idle[0];
  }

  /** @throws WD_E_NO_QUEUE, always: what "no mdev is idle" means to whoever asked for one */
  noneIdle(): never {
    this.noneIdleCount++;
    throw new WarpDriveError('WD_E_NO_QUEUE', `all mdevs of ${this.name} are open (EBUSY)`, {
      device: this.name,
      errno: 'EBUSY',
    });
  }

  /** Opens one mdev; see mdevSeat. @throws WD_E_EBUSY, WD_E_NO_QUEUE */
  openMdev(mdev: Mdev, isGroupOwner = false): QueueSeat {
    return mdevSeat(mdev, this.pool, isGroupOwner);
  }

  /** A queue without mdev. @throws WD_E_NO_QUEUE */
  takeQueue(use: QueueUse): QueueSeat {
    return poolSeat(this.pool, use);
  }

  list(): readonly Mdev[] {
    return [...this.mdevs.values()];
  }

  snapshot(mdev: Mdev): MdevSnapshot {
    return {
      uuid: mdev.uuid,
      type: mdev.type.id,
      parent: this.name,
      state: mdev.state,
      qpId: mdev.qpId,
      createdAtMs: mdev.createdAtMs,
      policy: policyOf(mdev.type),
      domain: domainOf(mdev.type),
      dmaPoolBytes: mdev.dmaPool?.bytes ?? 0,
      priorityClass: mdev.priorityClass,
      iommuGroup: mdev.iommuGroup,
      timeLine: [...mdev.timeLine],
    };
  }

  typeSnapshots(): MdevTypeSnapshot[] {
    return this.types.map((type) => ({
      id: type.id,
      name: type.name,
      parent: this.name,
      policy: policyOf(type),
      domain: domainOf(type),
      availableInstances: this.queuesFree,
    }));
  }

  /** Calls back after each creation and change of state. @returns the unsubscribe function */
  onChange(listener: (mdev: MdevSnapshot) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private reserveDma(bytes: number): DmaPool {
    if (!this.driver) throw kernelError('ENOMEM', `${this.name} has no memory to reserve`, { bytes });
    return this.driver.reserveDma(bytes);
  }

  private notify(mdev: Mdev): void {
    if (this.listeners.size === 0) return;
    const snapshot = this.snapshot(mdev);
    for (const listener of this.listeners) listener(snapshot);
  }
}
