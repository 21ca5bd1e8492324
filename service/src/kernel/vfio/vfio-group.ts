import type { MdevDomain } from '../../../../shared/src/telemetry.ts';
import { kernelError } from '../errno.ts';
import { checkArgsz, structOf } from '../ioctl-argument.ts';
import type { IommuGroup } from '../iommu/group.ts';
import { domainOf } from '../mdev/mdev-type.ts';
import type { Mdev } from '../mdev/parent-device.ts';
import type { OpenFile } from '../task.ts';
import { ARGSZ, GROUP_STATUS, VFIO } from './numbers.ts';
import { VfioContainer } from './vfio-container.ts';
import type { VfioDevice } from './vfio-device.ts';

/** One member of a VFIO group: an mdev and the IOMMU group of its parent. */
export interface GroupMember {
  readonly mdev: Mdev;
  readonly parentGroup: IommuGroup;
}

export interface GroupParts {
  readonly id: number;
  /** Its mdevs: one in this machine; more than one parent among them makes the group useless. */
  readonly members: readonly GroupMember[];
  /** Opens a member's queue and binds it to the container's address space. */
  openDevice(group: VfioGroup, member: GroupMember, container: VfioContainer): VfioDevice;
  onRelease(): void;
}

/** /dev/vfio/<n>: one opener at a time. */
export class VfioGroup implements OpenFile {
  private container: VfioContainer | undefined;
  private readonly devices = new Set<VfioDevice>();
  private isOpen = true;

  constructor(private readonly parts: GroupParts) {}

  get domain(): MdevDomain {
    const [first] = this.parts.members;
    return first ? domainOf(first.mdev.type) : 'private';
  }

  /** @throws WD_E_ENODEV when the members have different parents */
  parentGroup(): IommuGroup {
    const [first, ...others] = this.parts.members;
    if (!first || others.some(({ parentGroup }) => parentGroup !== first.parentGroup))
      throw kernelError('ENODEV', `the devices of group ${this.parts.id} have different parents`);
    return first.parentGroup;
  }

  /**
   * @returns 0, the structure that the ioctl fills in, or the device descriptor
   * @throws WD_E_ENOTTY unknown number; WD_E_EINVAL; WD_E_EFAULT; WD_E_EBUSY; WD_E_ENODEV
   */
  ioctl(number: number, argument?: unknown): 0 | object | VfioDevice {
    if (!this.isOpen) throw kernelError('EINVAL', 'the group is closed');
    switch (number) {
      case VFIO.GROUP_GET_STATUS:
        checkArgsz(structOf(argument), ARGSZ.groupStatus);
        return {
          argsz: ARGSZ.groupStatus,
          flags: GROUP_STATUS.viable | (this.container ? GROUP_STATUS.containerSet : 0),
        };
      case VFIO.GROUP_SET_CONTAINER:
        if (!(argument instanceof VfioContainer))
          throw kernelError('EINVAL', 'the argument is not a container', { field: 'container' });
        this.setContainer(argument);
        return 0;
      case VFIO.GROUP_UNSET_CONTAINER:
        this.unsetContainer();
        return 0;
      case VFIO.GROUP_GET_DEVICE_FD:
        if (typeof argument !== 'string') throw kernelError('EFAULT', 'the ioctl needs the name of a device');
        return this.openDevice(argument);
      default:
        throw kernelError('ENOTTY', `0x${number.toString(16)} is no ioctl of a VFIO group`, {
          field: 'number',
        });
    }
  }

  /** @throws WD_E_EINVAL in a container already */
  setContainer(container: VfioContainer): void {
    if (this.container) throw kernelError('EINVAL', `group ${this.parts.id} is in a container already`);
    container.add(this);
    this.container = container;
  }

  /** @throws WD_E_EINVAL not in a container; WD_E_EBUSY while a device is open */
  unsetContainer(): void {
    if (!this.container) throw kernelError('EINVAL', `group ${this.parts.id} is in no container`);
    if (this.devices.size > 0) throw kernelError('EBUSY', `a device of group ${this.parts.id} is open`);
    this.container.remove(this);
    this.container = undefined;
  }

  /**
   * @param uuid of the mdev
   * @throws WD_E_EINVAL no container or no IOMMU; WD_E_ENODEV not in this group; WD_E_EBUSY open already; what
   * opening the queue throws
   */
  openDevice(uuid: string): VfioDevice {
    if (!this.container?.hasIommu)
      throw kernelError('EINVAL', `group ${this.parts.id} has no container with an IOMMU`);
    const member = this.parts.members.find(({ mdev }) => mdev.uuid === uuid.toLowerCase());
    if (!member)
      throw kernelError('ENODEV', `group ${this.parts.id} has no device "${uuid}"`, { field: 'name' });
    const device = this.parts.openDevice(this, member, this.container);
    this.devices.add(device);
    return device;
  }

  /** Called by a device that closes. */
  forget(device: VfioDevice): void {
    this.devices.delete(device);
  }

  /** Idempotent. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const device of [...this.devices]) device.close();
    this.container?.remove(this);
    this.container = undefined;
    this.parts.onRelease();
  }
}
