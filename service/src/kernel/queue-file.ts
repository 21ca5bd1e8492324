import type { Operation, QueueState } from '../../../shared/src/telemetry.ts';
import type { Pasid, PhysAddr } from '../../../shared/src/units.ts';
import { DUS_BYTES, DUS_CQ_OFFSET, DUS_RX_STOP_OFFSET, DUS_TX_STOP_OFFSET } from '../hw-abi/dus.ts';
import { getField } from '../hw-abi/field.ts';
import { CQE, CQE_WORDS, MAX_PRIORITY, QUEUE_DEPTH } from '../hw-abi/qm.ts';
import type { QueueHandle, QueueRegion, QueueRequest } from '../platform/accelerator.ts';
import type { DeviceBus } from '../platform/device-bus.ts';
import type { PhysicalMemory } from '../platform/physical-memory.ts';
import type { CoherentBuffer, CoherentMemory } from './coherent-memory.ts';
import type { DeferredRelease } from './deferred-release.ts';
import { kernelError } from './errno.ts';
import type { Mdev, ParentDevice } from './mdev/parent-device.ts';
import type { QueueSeat } from './mdev/queue-seat.ts';
import type { QueueManager } from './qm/queue-manager.ts';
import type { QueueRegistry, QueueUser } from './queue-registry.ts';

/** The parts of the kernel that an open queue works with. */
export interface QueueFileParts {
  parent: ParentDevice;
  queueManager: QueueManager;
  memory: PhysicalMemory;
  coherent: CoherentMemory;
  bus: DeviceBus;
  registry: QueueRegistry;
  deferred: DeferredRelease;
  /** The device was taken out after hardware errors: no queue opens. */
  isIsolated: () => boolean;
}

/** Memory for a queue's DUS region that its user maps too: made per queue, owned by the queue until `free`. */
export interface DusMemory {
  /** Where the device reaches it; whole pages of zeros. */
  readonly physical: PhysAddr;
  free(): void;
}
export type DusSource = (bytes: number) => DusMemory;

export interface QueueFileOptions {
  request: QueueRequest;
  seat: QueueSeat;
  user: QueueUser;
  pasid: Pasid;
  /** Absent: the DUS is the emulated machine's own memory. */
  dus?: DusSource | undefined;
  onClosed?: () => void;
}

/** @throws WD_E_EINVAL */
export function checkPriority(priority: number): void {
  if (!Number.isInteger(priority) || priority < 0 || priority > MAX_PRIORITY)
    throw kernelError('EINVAL', `priority ${priority} is not a whole number from 0 to ${MAX_PRIORITY}`, {
      field: 'priority',
    });
}

/** An open queue as the kernel keeps it: its seat and the DUS memory its user mapped. Owns both until `close`. */
export class QueueFile implements QueueHandle {
  readonly id: string;
  readonly qpId: number;
  readonly region: QueueRegion;
  readonly hardware: QueueHandle['hardware'];
  state: QueueState = 'init';
  private direction: Operation;
  private level: number;
  private readonly dus: CoherentBuffer;
  private listener: () => void = () => {};
  private readonly closeListeners: (() => void)[] = [];
  private cqHead = 0;
  private cqPhase = 1;

  constructor(
    private readonly options: QueueFileOptions,
    private readonly parts: QueueFileParts,
  ) {
    const { request, seat, user } = options;
    const { parent, memory, coherent, bus, registry } = parts;
    if (parts.isIsolated())
      throw kernelError('EPERM', `${parent.name} is isolated after hardware errors`, { device: parent.name });
    this.hardware = parent.variant.hardware;
    checkPriority(request.priority);
    this.checkClass(request.priority);
    this.direction = request.operation;
    this.level = request.priority;
    this.qpId = seat.qpId;
    this.id = `${parent.name}/${seat.qpId}`;
    const outside = options.dus?.(DUS_BYTES);
    this.dus = outside ? coherent.share(outside, DUS_BYTES) : coherent.allocate(DUS_BYTES);
    this.region = { mmio: bus.doorbellPage(seat.qpId), dus: memory.view(this.dus.physical, DUS_BYTES) };
    seat.setState('bound');
    registry.add(user, this);
  }

  get operation(): Operation {
    return this.direction;
  }

  /** 0–15, higher is served more. */
  get priority(): number {
    return this.level;
  }

  get mdev(): Mdev | undefined {
    return this.options.seat.mdev;
  }

  get pasid(): Pasid {
    return this.options.pasid;
  }

  /** UUID, empty without an mdev. */
  get mdevUuid(): string {
    return this.options.seat.mdevUuid;
  }

  /** @throws WD_E_EINVAL once the queue is started: both are part of its context */
  configure(change: Partial<QueueRequest>): void {
    this.checkInit('its context');
    if (change.priority !== undefined) {
      checkPriority(change.priority);
      this.checkClass(change.priority);
      this.level = change.priority;
    }
    this.direction = change.operation ?? this.direction;
  }

  /** @throws WD_E_EINVAL unless in state init, as UACCE's START_Q */
  start(): void {
    this.checkInit('start');
    this.parts.queueManager.startQueue({
      qpId: this.qpId,
      operation: this.direction,
      priority: this.level,
      pasid: this.options.pasid,
      dus: this.dus.address,
    });
    this.state = 'started';
    this.options.seat.setState('active');
  }

  /**
   * Whether completions came since the last time this was asked: walks the CQ by its phase bit with a head of its own
   * (Linux drivers/crypto/hisilicon/qm.c, hisi_qm_is_q_updated).
   */
  isUpdated(): boolean {
    if (this.state !== 'started') return false;
    const words = this.parts.memory.words(this.dus.physical, DUS_BYTES / 4);
    let isNew = false;
    while (getField(words, DUS_CQ_OFFSET / 4 + this.cqHead * CQE_WORDS, CQE.phase) === this.cqPhase) {
      this.cqHead = (this.cqHead + 1) % QUEUE_DEPTH;
      if (this.cqHead === 0) this.cqPhase ^= 1;
      isNew = true;
    }
    return isNew;
  }

  onCompletion(listener: () => void): void {
    this.listener = listener;
  }

  /** The kernel's interrupt handler calls this. */
  completionInterrupt(): void {
    this.listener();
  }

  /** Takes the queue from its user: it stops for good, and whoever sleeps on an interrupt sees the stop words. */
  reset(): void {
    if (this.stopForReset()) this.notifyReset();
  }

  /**
   * Submissions and completions stop for good (Linux qm.c: tx stop before the queue is stopped, rx stop after).
   * @returns whether it was started
   */
  stopForReset(): boolean {
    if (this.state !== 'started') return false;
    this.setControlWord(DUS_TX_STOP_OFFSET);
    try {
      this.stop();
    } finally {
      this.setControlWord(DUS_RX_STOP_OFFSET);
      this.state = 'stopped';
    }
    return true;
  }

  /** The second half of a reset, when another queue can be opened. */
  notifyReset(): void {
    try {
      this.listener();
    } catch {
      // because a driver reports the stop words by throwing, and the reset goes on with the other queues
    }
  }

  /** Calls back once, after the queue closed. */
  whenClosed(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  /** Idempotent. */
  close(): void {
    if (this.state === 'zombie') return;
    if (this.state === 'started') this.stop();
    this.state = 'zombie';
    this.parts.registry.remove(this);
    this.dus.free();
    const { seat } = this.options;
    seat.setState('draining');
    // an mdev that was opened again meanwhile is no longer this file's to release
    this.parts.deferred.run(() => {
      if (!seat.mdev || seat.mdev.state === 'draining') seat.release();
    });
    this.options.onClosed?.();
    for (const listener of this.closeListeners.splice(0)) listener();
  }

  private stop(): void {
    this.parts.queueManager.stopQueue(this.qpId);
  }

  private setControlWord(offset: number): void {
    const { buffer, byteOffset } = this.region.dus;
    new Uint32Array(buffer, byteOffset + offset, 1)[0] = 1;
  }

  private checkInit(what: string): void {
    if (this.state !== 'init')
      throw kernelError('EINVAL', `queue ${this.id} is ${this.state}, ${what} needs init`, {
        state: this.state,
      });
  }

  private checkClass(priority: number): void {
    const limit = this.options.seat.mdev?.priorityClass ?? MAX_PRIORITY;
    if (priority > limit)
      throw kernelError('EPERM', `priority ${priority} is above the class ${limit} of this mdev`, {
        field: 'priority',
        allowed: [`0–${limit}`],
      });
  }
}
