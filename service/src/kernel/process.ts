import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { QueueMode } from '../../../shared/src/telemetry.ts';
import { type Iova, iova, PAGE_BYTES, type Pasid, type PhysAddr, pasid } from '../../../shared/src/units.ts';
import { MAX_PRIORITY } from '../hw-abi/qm.ts';
import type {
  AttachRequest,
  DmaBuffer,
  ProcessContext,
  QueueHandle,
  QueueRequest,
} from '../platform/accelerator.ts';
import type { AddressSpace } from './iommu/address-space.ts';
import type { Iommu } from './iommu/iommu.ts';
import { QueueFile, type QueueFileParts } from './queue-file.ts';

/** Modes whose requests carry a PASID; the others go by the stream alone. */
const USES_PASID: Record<QueueMode, boolean> = { sva: true, vfio: true, noiommu: false, native: false };

/** One attached process: its address space on the device, its DMA buffers, its open queues. */
export class AttachedProcess implements ProcessContext {
  readonly mode: QueueMode;
  readonly owner: { pid: number; name: string };
  readonly pasid: Pasid;
  private readonly queues = new Map<number, QueueFile>();
  private readonly buffers = new Map<Iova, { physical: PhysAddr; bytes: number }>();
  private isClosed = false;

  constructor(
    request: AttachRequest,
    private readonly space: AddressSpace,
    private readonly iommu: Iommu,
    private readonly parts: QueueFileParts,
    private readonly onClosed: () => void,
  ) {
    this.mode = request.mode;
    this.owner = request.owner;
    this.pasid = USES_PASID[request.mode] ? iommu.bind(parts.parent.streamId, space) : pasid(0);
  }

  openQueues(): QueueFile[] {
    return [...this.queues.values()];
  }

  queue(qpId: number): QueueFile | undefined {
    return this.queues.get(qpId);
  }

  openQueue(request: QueueRequest): QueueHandle {
    this.checkOpen();
    const { priority } = request;
    if (!Number.isInteger(priority) || priority < 0 || priority > MAX_PRIORITY)
      throw new WarpDriveError(
        'WD_E_EINVAL',
        `priority ${priority} is not a whole number from 0 to ${MAX_PRIORITY}`,
        {
          field: 'priority',
        },
      );
    const { parent } = this.parts;
    const mdev = parent.findIdle();
    if (!mdev)
      throw new WarpDriveError('WD_E_NO_QUEUE', `all mdevs of ${parent.name} are open (EBUSY)`, {
        device: parent.name,
        errno: 'EBUSY',
      });
    mdev.state = 'opened';
    try {
      const file = new QueueFile(request, mdev, this.pasid, this.parts, () => this.queues.delete(mdev.qpId));
      this.queues.set(mdev.qpId, file);
      return file;
    } catch (error) {
      mdev.state = 'created';
      throw error;
    }
  }

  /** Mapped at once, or, under SVA, known to the process's memory map and brought in on first touch. */
  allocate(bytes: number): DmaBuffer {
    this.checkOpen();
    const { memory } = this.parts;
    const wholePages = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    const physical = memory.allocate(wholePages);
    const address = this.space.kind === 'identity' ? iova(physical) : this.space.reserve(wholePages);
    if (this.space.kind !== 'identity')
      this.space.map(address, physical, wholePages, { read: true, write: true }, this.space.kind !== 'sva');
    this.buffers.set(address, { physical, bytes: wholePages });
    return { address, bytes: memory.view(physical, bytes), free: () => this.free(address) };
  }

  /** Queues first, so that no engine runs when the memory goes. Idempotent. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const queue of this.openQueues()) queue.close();
    for (const address of [...this.buffers.keys()]) this.free(address);
    if (this.pasid !== 0) this.iommu.unbind(this.pasid);
    this.onClosed();
  }

  private free(address: Iova): void {
    const buffer = this.buffers.get(address);
    if (!buffer) return;
    this.buffers.delete(address);
    if (this.space.kind !== 'identity') this.space.unmap(address, buffer.bytes);
    this.parts.memory.release(buffer.physical, buffer.bytes);
  }

  private checkOpen(): void {
    if (this.isClosed)
      throw new WarpDriveError('WD_E_ENODEV', `process ${this.owner.pid} is no longer attached`, {
        errno: 'ENODEV',
      });
  }
}
