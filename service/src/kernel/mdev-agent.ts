import type { DeferredRelease } from './deferred-release.ts';
import { policyOf } from './mdev/mdev-type.ts';
import type { Mdev, ParentDevice } from './mdev/parent-device.ts';

/**
 * The resource agent: root's helper that finds an mdev for a process that asks for one (openEuler does it by the
 * attribute `mdev_get`; RFC v2 left it to user space). What it made itself it removes when it comes back.
 */
export class MdevAgent {
  private readonly own = new Set<string>();

  constructor(
    private readonly parent: ParentDevice,
    private readonly deferred: DeferredRelease,
    /** Absent: only mdevs that root made beforehand are given out. */
    private readonly newUuid: (() => string) | undefined,
  ) {}

  /** @throws WD_E_NO_QUEUE when nothing is idle and nothing can be made */
  acquire(): Mdev {
    const idle = this.parent.findIdle();
    if (idle || !this.newUuid) return idle ?? this.parent.noneIdle();
    const { types } = this.parent;
    const type = types.find((candidate) => policyOf(candidate) === 'on-open') ?? types[0];
    if (!type) return this.parent.noneIdle();
    const mdev = this.parent.create(this.newUuid(), type.id);
    this.own.add(mdev.uuid);
    return mdev;
  }

  release(mdev: Mdev): void {
    if (!this.own.has(mdev.uuid)) return;
    this.deferred.run(() => {
      if (mdev.state !== 'created' || !mdev.isIdle) return; // somebody took it over
      this.own.delete(mdev.uuid);
      this.parent.remove(mdev.uuid);
    });
  }
}
