import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Operation, QueueState } from '../../../shared/src/telemetry.ts';
import type { Pasid } from '../../../shared/src/units.ts';
import { DUS_BYTES } from '../hw-abi/dus.ts';
import type { QueueHandle, QueueRegion, QueueRequest } from '../platform/accelerator.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import type { CoherentBuffer, CoherentMemory } from './coherent-memory.ts';
import type { Mdev, ParentDevice } from './mdev/parent-device.ts';
import type { QueueManager } from './qm/queue-manager.ts';

/** The parts of the kernel that an open queue works with. */
export interface QueueFileParts {
  parent: ParentDevice;
  queueManager: QueueManager;
  memory: PhysicalMemory;
  coherent: CoherentMemory;
  bus: DeviceBus;
}

/** An open queue as the kernel keeps it: its mdev and the DUS memory its user mapped. Owns both until `close`. */
export class QueueFile implements QueueHandle {
  readonly id: string;
  readonly qpId: number;
  readonly operation: Operation;
  readonly priority: number;
  readonly region: QueueRegion;
  readonly hardware = 'zip-v3';
  state: QueueState = 'init';
  private readonly dus: CoherentBuffer;
  private listener: () => void = () => {};

  constructor(
    request: QueueRequest,
    readonly mdev: Mdev,
    private readonly pasid: Pasid,
    private readonly parts: QueueFileParts,
    private readonly onClosed: () => void,
  ) {
    const { parent, memory, coherent, bus } = parts;
    this.operation = request.operation;
    this.priority = request.priority;
    this.qpId = mdev.qpId;
    this.id = `${parent.name}/${mdev.qpId}`;
    this.dus = coherent.allocate(DUS_BYTES);
    this.region = { mmio: bus.doorbellPage(mdev.qpId), dus: memory.view(this.dus.physical, DUS_BYTES) };
    mdev.state = 'bound';
  }

  /** @throws WD_E_EINVAL unless in state init, as UACCE's START_Q */
  start(): void {
    if (this.state !== 'init')
      throw new WarpDriveError('WD_E_EINVAL', `queue ${this.id} is ${this.state}, start needs init`, {
        state: this.state,
      });
    this.parts.queueManager.startQueue({
      qpId: this.mdev.qpId,
      operation: this.operation,
      priority: this.priority,
      pasid: this.pasid,
      dus: this.dus.address,
    });
    this.state = 'started';
    this.mdev.state = 'active';
  }

  onCompletion(listener: () => void): void {
    this.listener = listener;
  }

  /** The kernel's interrupt handler calls this. */
  completionInterrupt(): void {
    this.listener();
  }

  /** Idempotent. */
  close(): void {
    if (this.state === 'zombie') return;
    if (this.state === 'started') this.parts.queueManager.stopQueue(this.mdev.qpId);
    this.state = 'zombie';
    this.dus.free();
    this.mdev.state = 'created';
    this.onClosed();
  }
}
