import type { MmioView } from './accelerator.ts';

/** Interrupts of a function: completions, queue faults, messages between functions, RAS errors. */
export type IrqVector = 'eq' | 'aeq' | 'command' | 'abnormal';

/** What the kernel side reaches of a device: its function's registers, its queues' doorbell pages, its interrupts. */
export interface DeviceBus {
  read32(offset: number): number;
  write32(offset: number, value: number): void;
  /** One 64-bit store: a doorbell (sources.md 5.3). */
  write64(offset: number, low: number, high: number): void;
  /** One 128-bit store, as the mailbox needs it (sources.md 5.6). */
  write128(offset: number, words: readonly [number, number, number, number]): void;
  doorbellPage(qpId: number): MmioView;
  /** One listener a vector. */
  onInterrupt(vector: IrqVector, listener: () => void): void;
  /** The firmware's reset method (ACPI "ZRST"): every register and queue starts anew. @returns whether it worked */
  firmwareReset(): boolean;
}
