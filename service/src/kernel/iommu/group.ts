import { kernelError } from '../errno.ts';

/** The smallest set of devices that can be isolated from others; containers attach their domain here. */
export class IommuGroup {
  private readonly attached = new Set<object>();

  /** @param devices names as under /sys/kernel/iommu_groups/<id>/devices */
  constructor(
    readonly id: number,
    readonly devices: () => readonly string[],
  ) {}

  /** Domains that users attached, besides the group's own. */
  get attachments(): number {
    return this.attached.size;
  }

  /** @throws WD_E_EINVAL when this user is attached already */
  attach(user: object): void {
    if (this.attached.has(user)) throw kernelError('EINVAL', `IOMMU group ${this.id} is attached already`);
    this.attached.add(user);
  }

  detach(user: object): void {
    this.attached.delete(user);
  }
}
