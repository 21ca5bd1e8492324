import type { QueueMode } from '../../../shared/src/telemetry.ts';
import { type Iova, iova, PAGE_BYTES, type PhysAddr } from '../../../shared/src/units.ts';
import type { QueueRequest } from '../platform/accelerator.ts';
import { kernelError } from './errno.ts';
import type { Permissions } from './iommu/address-space.ts';
import type { Mdev } from './mdev/parent-device.ts';
import type { MdevAgent } from './mdev-agent.ts';
import { checkPriority, type DusSource, type QueueFile } from './queue-file.ts';
import type { Task } from './task.ts';
import type { UacceNode } from './uacce/uacce-node.ts';
import { DMA_FLAG, VFIO, VFIO_API_VERSION, VFIO_TYPE } from './vfio/numbers.ts';
import type { Vfio } from './vfio/vfio.ts';
import type { VfioContainer } from './vfio/vfio-container.ts';
import type { VfioGroup } from './vfio/vfio-group.ts';

export interface RemoteProcessParts {
  uacce: UacceNode;
  vfio: Vfio;
  agent: MdevAgent;
  isIommuOff: boolean;
  onClosed: (process: RemoteProcess) => void;
}

interface HeldGroup {
  readonly group: VfioGroup;
  readonly mdev: Mdev;
  /** Queue of its device, while it is open. */
  queue: QueueFile | undefined;
}

/**
 * What libwd does with the kernel's descriptors, for one real process outside the service: modes `sva` and `noiommu`
 * go by the uacce node, `vfio` by container, group and device. `close` is the death of the process.
 */
export class RemoteProcess {
  readonly owner: { pid: number; name: string };
  readonly mode: QueueMode;
  private readonly container: VfioContainer | undefined;
  private readonly groups: HeldGroup[] = [];
  private readonly queues = new Map<number, QueueFile>();

  /** @throws WD_E_NO_QUEUE when mode vfio finds no mdev */
  constructor(
    private readonly task: Task,
    private readonly parts: RemoteProcessParts,
  ) {
    this.owner = task.options.owner;
    this.mode = task.options.mode;
    if (this.mode !== 'vfio') return;
    this.container = parts.vfio.openContainer(task);
    try {
      this.handshake(this.container);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  openQueues(): QueueFile[] {
    return [...this.queues.values()];
  }

  /** @throws WD_E_ENODEV not a queue of this process */
  queue(qpId: number): QueueFile {
    const queue = this.queues.get(qpId);
    if (!queue) throw kernelError('ENODEV', `queue ${qpId} is not open here`, { field: 'queue' });
    return queue;
  }

  /**
   * An open queue in state init: `start` and `close` are its owner's.
   * @param dus makes the memory of its DUS region, shared with the process
   * @throws WD_E_NO_QUEUE, WD_E_EINVAL, WD_E_EPERM, WD_E_ESRCH
   */
  openQueue(request: QueueRequest, dus?: DusSource): QueueFile {
    checkPriority(request.priority);
    this.task.dus = dus;
    const queue = this.container ? this.openByVfio(this.container) : this.openByUacce();
    try {
      queue.configure(request);
    } catch (error) {
      queue.close();
      throw error;
    }
    return queue;
  }

  /** MAP_DMA of the process's own memory. @throws WD_E_EINVAL in other modes than vfio, and as VfioContainer.ioctl */
  mapDma(virtual: number, address: Iova, bytes: number, { read, write }: Permissions): void {
    this.needContainer().mapDma(
      virtual,
      address,
      bytes,
      (read ? DMA_FLAG.read : 0) | (write ? DMA_FLAG.write : 0),
    );
  }

  /** @returns bytes unmapped; no device reaches them any more */
  unmapDma(address: Iova, bytes: number): number {
    return this.needContainer().unmapDma(address, bytes);
  }

  /**
   * Gives the process's queues access to memory that the service shares with it: whole pages at `physical`.
   * @returns the address for descriptors; in mode vfio it is undone by `unmapDma`, without IOMMU there is nothing to undo
   */
  mapShared(physical: PhysAddr, bytes: number): Iova {
    if (this.parts.isIommuOff) return iova(physical);
    return this.needContainer().mapShared(physical, Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
  }

  /** Everything the kernel does when the process dies. Idempotent. */
  close(): void {
    if (!this.task.isAlive) return;
    this.task.exit();
    this.queues.clear();
    for (const { mdev } of this.groups.splice(0)) this.parts.agent.release(mdev);
    this.parts.onClosed(this);
  }

  private openByUacce(): QueueFile {
    const file = this.parts.uacce.open(this.task);
    const { queue } = file;
    this.queues.set(queue.qpId, queue);
    queue.whenClosed(() => {
      if (this.queues.get(queue.qpId) === queue) this.queues.delete(queue.qpId);
      file.close();
    });
    return queue;
  }

  private openByVfio(container: VfioContainer): QueueFile {
    const held = this.groups.find((candidate) => !candidate.queue) ?? this.takeGroup(container);
    const device = held.group.openDevice(held.mdev.uuid);
    const { queue } = device;
    held.queue = queue;
    this.queues.set(queue.qpId, queue);
    queue.whenClosed(() => {
      held.queue = undefined;
      if (this.queues.get(queue.qpId) === queue) this.queues.delete(queue.qpId);
      device.close();
    });
    return queue;
  }

  /** The order of calls is libwd's (sources.md 3.6). */
  private handshake(container: VfioContainer): void {
    const type = this.parts.isIommuOff ? VFIO_TYPE.noiommu : VFIO_TYPE.type1;
    if (container.ioctl(VFIO.GET_API_VERSION) !== VFIO_API_VERSION)
      throw kernelError('EINVAL', 'this VFIO API is not known');
    if (container.ioctl(VFIO.CHECK_EXTENSION, type) !== 1)
      throw kernelError('EINVAL', `VFIO IOMMU type ${type} is not offered`);
    this.takeGroup(container);
    container.ioctl(VFIO.SET_IOMMU, type);
  }

  /** Groups stay with the process until it ends, because the mappings would go with the last one. */
  private takeGroup(container: VfioContainer): HeldGroup {
    const mdev = this.parts.agent.acquire();
    try {
      const group = this.parts.vfio.openGroup(this.task, mdev.iommuGroup);
      group.setContainer(container);
      const held: HeldGroup = { group, mdev, queue: undefined };
      this.groups.push(held);
      return held;
    } catch (error) {
      this.parts.agent.release(mdev);
      throw error;
    }
  }

  private needContainer(): VfioContainer {
    if (!this.container)
      throw kernelError('EINVAL', `mode ${this.mode} maps nothing: attach in mode vfio`, { field: 'mode' });
    return this.container;
  }
}
