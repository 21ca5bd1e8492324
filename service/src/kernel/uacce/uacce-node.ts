import type { FaultModel } from '../../../../shared/src/telemetry.ts';
import { pasid } from '../../../../shared/src/units.ts';
import { kernelError } from '../errno.ts';
import type { Iommu } from '../iommu/iommu.ts';
import type { ParentDevice } from '../mdev/parent-device.ts';
import { QueueFile, type QueueFileParts } from '../queue-file.ts';
import type { Task } from '../task.ts';
import { UACCE_FLAG_SVA } from './numbers.ts';
import { UacceFile } from './uacce-file.ts';

export interface UacceNodeParts {
  parent: ParentDevice;
  iommu: Iommu;
  queueParts: QueueFileParts;
  isIommuOff: boolean;
}

/** The character device /dev/<name>: each open takes a queue from the pool, at open and not before. */
export class UacceNode {
  private readonly files = new Set<UacceFile>();
  private isGone = false;

  constructor(private readonly parts: UacceNodeParts) {}

  get name(): string {
    return this.parts.parent.name;
  }

  /** As the attribute `api` shows it. */
  get api(): string {
    const { api } = this.parts.parent.variant;
    return this.parts.isIommuOff ? `${api}_noiommu` : api;
  }

  /** As the attribute `flags` shows it: SVA needs an IOMMU and page-fault recovery (uacce_enable_sva). */
  get flags(): number {
    const { iommu, parent, isIommuOff } = this.parts;
    const model: FaultModel = iommu.faultModelOf(parent.streamId);
    return isIommuOff || model === 'none' ? 0 : UACCE_FLAG_SVA;
  }

  /**
   * @throws WD_E_NO_QUEUE (EBUSY); WD_E_EPERM isolated device, or no IOMMU and not an administrator; WD_E_ESRCH the
   * process has exited; WD_E_ENODEV the device is removed
   */
  open(task: Task): UacceFile {
    const { parent, iommu, isIommuOff, queueParts } = this.parts;
    const { owner, mode, mm, isAdmin } = task.options;
    if (this.isGone) throw kernelError('ENODEV', `${this.name} was removed`);
    if (!task.isAlive) throw kernelError('ESRCH', `process ${owner.pid} has exited`);
    if (isIommuOff && !isAdmin)
      throw kernelError('EPERM', 'queues that address physical memory need CAP_SYS_RAWIO');
    const usesPasid = !isIommuOff && mode !== 'native';
    const id = usesPasid ? iommu.bind(parent.streamId, mm) : pasid(0);
    const unbind = (): void => {
      if (usesPasid) iommu.unbind(id, parent.streamId);
    };
    let seat: ReturnType<ParentDevice['takeQueue']> | undefined;
    try {
      seat = parent.takeQueue(mode === 'native' && parent.queuesReserved > 0 ? 'native' : 'user');
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
      const file = new UacceFile(queue, () => {
        this.files.delete(file);
        forget();
        unbind();
      });
      const forget = task.hold(file);
      this.files.add(file);
      return file;
    } catch (error) {
      seat?.release();
      unbind();
      throw error;
    }
  }

  /** The device goes away: every queue becomes a zombie, nothing can be opened. */
  remove(): void {
    this.isGone = true;
    for (const file of [...this.files]) file.close();
  }
}
