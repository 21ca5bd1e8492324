/**
 * Faults that an administrator or a test lets the emulated device have (POST /v1/faults/inject). A plan waits for its
 * occasions: it lets `after` of them pass, then strikes with `probability` at each, at most `count` times.
 */
export const FAULT_KINDS = [
  'sqe-bit-flip',
  'core-hang',
  'core-crash',
  'lost-interrupt',
  'lost-doorbell',
  'late-doorbell',
  'slow-dma',
  'completion-error',
  'cqe-error',
  'stall',
  'ras',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const RAS_SEVERITIES = ['ce', 'nfe', 'fe'] as const;
export type RasSeverity = (typeof RAS_SEVERITIES)[number];

/** When a plan strikes. */
export interface FaultTrigger {
  /** Function, such as `hisi_zip-0`; absent: the only one, or, with workers, every one. */
  device?: string;
  /** Hardware queue number (`qpId` of /v1/queues); absent: every queue. */
  queue?: number;
  /** Occasions that pass unharmed first; absent: 0. */
  after?: number;
  /** Strikes before the plan is done; absent: 1. */
  count?: number;
  /** Of each occasion, above 0 and up to 1; absent: 1. */
  probability?: number;
  /** Of the random numbers, so that a run can be repeated; absent: 1. */
  seed?: number;
}

export type FaultPlan =
  /** One bit of an SQE is wrong as the device fetched it. `bit` 0–1023; absent: random. Occasion: a fetch. */
  | ({ kind: 'sqe-bit-flip'; bit?: number } & FaultTrigger)
  /** An engine core in a thread of its own stops answering, or dies. Occasion: a job that such a core can take. */
  | ({ kind: 'core-hang' | 'core-crash' } & FaultTrigger)
  /** The event is in the EQ, its interrupt never comes. Occasion: a completion of an armed queue. */
  | ({ kind: 'lost-interrupt' } & FaultTrigger)
  /** Occasion: an SQ doorbell. */
  | ({ kind: 'lost-doorbell' } & FaultTrigger)
  | ({ kind: 'late-doorbell'; delayMs: number } & FaultTrigger)
  /** A job's data takes longer. Occasion: a fetch. */
  | ({ kind: 'slow-dma'; delayMs: number } & FaultTrigger)
  /** The SQE comes back with this status, 0–255; absent: 0x42, a core that failed. 0x41 is what an IOMMU abort gives. Occasion: a completion. */
  | ({ kind: 'completion-error'; status?: number } & FaultTrigger)
  /** The CQE cannot be written: the device gives the queue up. Occasion: a completion. */
  | ({ kind: 'cqe-error' } & FaultTrigger)
  /** The IOMMU holds a job's access and nobody ever answers. Occasion: a fetch. */
  | ({ kind: 'stall' } & FaultTrigger)
  /**
   * A hardware error, at once: correctable, or one that resets the controller, or one whose reset fails too.
   * `error` is the kernel's name of the bit; absent: one of the severity.
   */
  | { kind: 'ras'; severity: RasSeverity; error?: string; device?: string };

/** A plan with what came of it; plans that are done stay in the record for a while. */
export interface FaultPlanSnapshot {
  id: number;
  device: string;
  plan: FaultPlan;
  isActive: boolean;
  injectedAtMs: number;
  /** Occasions seen, and strikes. */
  seen: number;
  fired: number;
  lastFiredAtMs?: number;
  lastQueue?: number;
}
