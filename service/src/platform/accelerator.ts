/**
 * The seam between users of an accelerator and whoever hosts it: the kernel model with the emulated device, or Linux
 * with a real one. Drivers see a QueueRegion and cannot tell which they have.
 */
import type { DeviceSnapshot, Operation, QueueMode } from '../../../shared/src/telemetry.ts';
import type { Iova } from '../../../shared/src/units.ts';

/** A window of device registers. */
export interface MmioView {
  read32(offset: number): number;
  /** One 64-bit store; all earlier stores to the DUS region are visible to the device before it. */
  write64(offset: number, low: number, high: number): void;
}

/** What a queue exposes to its user (UACCE regions 0 and 1). */
export interface QueueRegion {
  mmio: MmioView;
  /** "Device user share": SQ, then CQ, then control words; layout in hw-abi/dus.ts. */
  dus: Uint8Array;
}

/** Memory that the queue's engine may read and write at `address`. */
export interface DmaBuffer {
  readonly address: Iova;
  readonly bytes: Uint8Array;
  free(): void;
}

export interface QueueRequest {
  operation: Operation;
  /** 0–15, higher is served more. */
  priority: number;
}

/** An open queue. `close` gives it back; jobs that still run are discarded. */
export interface QueueHandle extends QueueRequest {
  readonly id: string;
  /** Number that doorbells carry. */
  readonly qpId: number;
  readonly region: QueueRegion;
  readonly hardware: DeviceSnapshot['hardware'];
  start(): void;
  /** Calls back after a completion of a queue whose interrupt was armed. One listener. */
  onCompletion(listener: () => void): void;
  close(): void;
}

export interface AttachRequest {
  mode: QueueMode;
  owner: { pid: number; name: string };
}

/**
 * A process attached to the accelerator: its address space and everything it opened. `close` is what the kernel does
 * when the process dies: all queues stop, all buffers and the PASID are gone.
 */
export interface ProcessContext extends AttachRequest {
  /** @throws WD_E_NO_QUEUE, WD_E_EINVAL */
  openQueue(request: QueueRequest): QueueHandle;
  /**
   * Memory that the engines may access through any queue of this process.
   * @throws WD_E_NO_MEMORY
   */
  allocate(bytes: number): DmaBuffer;
  /**
   * Resolves when no engine works for a queue that was closed or reset; undefined = none does. Until then the memory
   * of its jobs may still be written.
   */
  drained?(): Promise<void> | undefined;
  close(): void;
}

export interface AcceleratorHost {
  devices(): DeviceSnapshot[];
  /** @throws WD_E_EINVAL if the host does not offer the mode */
  attach(request: AttachRequest): ProcessContext;
}
