import type { MmioView } from './accelerator.ts';

/** What the kernel side reaches of a device: its function registers, its queues' doorbell pages, its interrupt. */
export interface DeviceBus {
  read32(offset: number): number;
  write32(offset: number, value: number): void;
  /** One 128-bit store, as the mailbox needs it (warpdrive.md 5.6). */
  write128(offset: number, words: readonly [number, number, number, number]): void;
  doorbellPage(qpId: number): MmioView;
  /** The event queue's interrupt: "CQ of `qpId` has entries". */
  onCompletionInterrupt(listener: (qpId: number) => void): void;
}
