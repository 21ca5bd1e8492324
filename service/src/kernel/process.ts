import type { QueueMode } from '../../../shared/src/telemetry.ts';
import { type Iova, iova, PAGE_BYTES, type Pasid, type PhysAddr, pasid } from '../../../shared/src/units.ts';
import type {
  AttachRequest,
  DmaBuffer,
  ProcessContext,
  QueueHandle,
  QueueRequest,
} from '../platform/accelerator.ts';
import { kernelError } from './errno.ts';
import type { AddressSpace } from './iommu/address-space.ts';
import type { Iommu } from './iommu/iommu.ts';
import type { QueueSeat } from './mdev/queue-seat.ts';
import { checkPriority, QueueFile, type QueueFileParts } from './queue-file.ts';

/** Modes whose requests carry a PASID; the others go by the stream alone. */
const USES_PASID: Record<QueueMode, boolean> = { sva: true, vfio: true, noiommu: false, native: false };

/** One process inside the service: its address space on the device, its DMA buffers, its open queues. */
export class AttachedProcess implements ProcessContext {
  readonly mode: QueueMode;
  readonly owner: { pid: number; name: string };
  readonly pasid: Pasid;
  private readonly queues = new Set<QueueFile>();
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
    return [...this.queues];
  }

  openQueue(request: QueueRequest): QueueHandle {
    this.checkOpen();
    checkPriority(request.priority);
    const seat = this.takeSeat(request.priority);
    try {
      const file = new QueueFile(
        { request, seat, user: this, pasid: this.pasid, onClosed: () => this.queues.delete(file) },
        this.parts,
      );
      this.queues.add(file);
      return file;
    } catch (error) {
      seat.release();
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

  drained(): Promise<void> | undefined {
    return this.parts.deferred.pending();
  }

  /** Queues first, so that no engine runs when the memory goes. Idempotent. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const queue of this.openQueues()) queue.close();
    for (const address of [...this.buffers.keys()]) this.free(address);
    if (this.pasid !== 0) this.iommu.unbind(this.pasid, this.parts.parent.streamId);
    this.onClosed();
  }

  /** The service's own queues come from the reserved ones if there are any; everybody else's from an idle mdev. */
  private takeSeat(priority: number): QueueSeat {
    const { parent } = this.parts;
    if (this.mode === 'native' && parent.queuesReserved > 0) return parent.takeQueue('native');
    const mdev = parent.findIdle(priority);
    if (mdev) return parent.openMdev(mdev);
    const lower = parent.findIdle();
    if (lower)
      throw kernelError('EPERM', `no idle mdev of ${parent.name} allows priority ${priority}`, {
        field: 'priority',
        allowed: [`0–${lower.priorityClass}`],
      });
    return parent.noneIdle();
  }

  private free(address: Iova): void {
    const buffer = this.buffers.get(address);
    if (!buffer) return;
    this.buffers.delete(address);
    if (this.space.kind !== 'identity') this.space.unmap(address, buffer.bytes);
    this.parts.deferred.run(() => this.parts.memory.release(buffer.physical, buffer.bytes));
  }

  private checkOpen(): void {
    if (this.isClosed) throw kernelError('ENODEV', `process ${this.owner.pid} is no longer attached`);
  }
}
