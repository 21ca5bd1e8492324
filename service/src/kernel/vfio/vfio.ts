import { pasid } from '../../../../shared/src/units.ts';
import { kernelError } from '../errno.ts';
import type { IommuGroup } from '../iommu/group.ts';
import type { Iommu } from '../iommu/iommu.ts';
import type { ParentDevice } from '../mdev/parent-device.ts';
import type { QueueSeat } from '../mdev/queue-seat.ts';
import { QueueFile, type QueueFileParts } from '../queue-file.ts';
import type { Task } from '../task.ts';
import { type ContainerMachine, VfioContainer } from './vfio-container.ts';
import { VfioDevice } from './vfio-device.ts';
import { type GroupMember, VfioGroup } from './vfio-group.ts';

export interface VfioParts {
  parent: ParentDevice;
  parentGroup: IommuGroup;
  iommu: Iommu;
  queueParts: QueueFileParts;
  machine: ContainerMachine;
}

/** /dev/vfio: the container node and one node per mdev's IOMMU group. */
export class Vfio {
  private readonly openGroups = new Set<number>();

  constructor(private readonly parts: VfioParts) {}

  /** open("/dev/vfio/vfio"). @throws WD_E_ESRCH */
  openContainer(task: Task): VfioContainer {
    this.checkAlive(task);
    const container = new VfioContainer(task, this.parts.machine, () => forget());
    const forget = task.hold(container);
    return container;
  }

  /** open("/dev/vfio/<n>"). @throws WD_E_ENOENT no such group; WD_E_EBUSY somebody has it open; WD_E_ESRCH */
  openGroup(task: Task, id: number): VfioGroup {
    this.checkAlive(task);
    const { parent, parentGroup } = this.parts;
    const mdev = parent.list().find(({ iommuGroup }) => iommuGroup === id);
    if (!mdev) throw kernelError('ENOENT', `/dev/vfio/${id} does not exist`);
    if (this.openGroups.has(id)) throw kernelError('EBUSY', `IOMMU group ${id} is open already`);
    if (!mdev.isClosed) throw kernelError('EBUSY', `mdev ${mdev.uuid} is in use`, { state: mdev.state });
    this.openGroups.add(id);
    mdev.isHeld = true;
    const group = new VfioGroup({
      id,
      members: [{ mdev, parentGroup }],
      openDevice: (from, member, container) => this.openDevice(task, from, member, container),
      onRelease: () => {
        this.openGroups.delete(id);
        mdev.isHeld = false;
        forget();
      },
    });
    const forget = task.hold(group);
    return group;
  }

  private openDevice(
    task: Task,
    group: VfioGroup,
    { mdev }: GroupMember,
    container: VfioContainer,
  ): VfioDevice {
    const { parent, iommu, queueParts } = this.parts;
    const { owner, mode } = task.options;
    const space = container.boundSpace(group);
    const seat: QueueSeat = parent.openMdev(mdev, true);
    const id = space ? iommu.bind(parent.streamId, space) : pasid(0);
    const unbind = (): void => {
      if (space) iommu.unbind(id, parent.streamId);
    };
    try {
      const queue = new QueueFile(
        {
          request: { operation: 'compress', priority: 0 },
          seat,
          user: { owner, mode },
          pasid: id,
          dus: task.dus,
        },
        queueParts,
      );
      const device = new VfioDevice(mdev, queue, () => {
        group.forget(device);
        forget();
        unbind();
      });
      const forget = task.hold(device);
      return device;
    } catch (error) {
      seat.release();
      unbind();
      throw error;
    }
  }

  private checkAlive(task: Task): void {
    if (!task.isAlive) throw kernelError('ESRCH', `process ${task.options.owner.pid} has exited`);
  }
}
