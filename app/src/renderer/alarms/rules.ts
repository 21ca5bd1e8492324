/** What the rules look at, read from one service at one moment. NaN: not known, which never starts an alarm. */
export interface AlarmInputs {
  dataAgeMs: number;
  fallbackRatio: number;
  busyPerSec: number;
  faultsPerSec: number;
  oldestStallMs: number;
  iotlbHitRatio: number;
  p99Us: number;
  /** How long the longest stuck ring has had work without completing any. */
  stuckMs: number;
  eventLoopDelayMs: number;
}

export type AlarmInput = keyof AlarmInputs;

export interface AlarmRule {
  id: string;
  title: string;
  /** What to look at when it fires. */
  advice: string;
  input: AlarmInput;
  /** `above` fires over the threshold, `below` under it. */
  when: 'above' | 'below';
  threshold: number;
  /** The value must come back past this to end the alarm, so that it does not flap. */
  clear: number;
  /** How long the value must stay before the alarm fires, ms. */
  forMs: number;
  /** Display: value × scale, then the unit. */
  scale: number;
  unit: string;
  isOn: boolean;
}

const rule = (part: Omit<AlarmRule, 'isOn'>): AlarmRule => ({ ...part, isOn: true });

export const DEFAULT_RULES: readonly AlarmRule[] = [
  rule({
    id: 'no-data',
    title: 'No data',
    advice: 'Look whether the service runs; its last words are in its log.',
    input: 'dataAgeMs',
    when: 'above',
    threshold: 5_000,
    clear: 2_000,
    forMs: 0,
    scale: 0.001,
    unit: 's',
  }),
  rule({
    id: 'fallback',
    title: 'Software does the work',
    advice:
      'GET /metrics names the reasons (warpdrive_fallback_total); a device that is isolated needs a reload.',
    input: 'fallbackRatio',
    when: 'above',
    threshold: 0.05,
    clear: 0.01,
    forMs: 3_000,
    scale: 100,
    unit: '% of requests',
  }),
  rule({
    id: 'busy',
    title: 'Rings are full',
    advice: 'Open more queues, or let clients keep fewer jobs in flight.',
    input: 'busyPerSec',
    when: 'above',
    threshold: 100,
    clear: 10,
    forMs: 3_000,
    scale: 1,
    unit: 'refusals/s',
  }),
  rule({
    id: 'stuck',
    title: 'A ring is stuck',
    advice: 'Sort the queues by in flight; an administrator may reset the one that does not move.',
    input: 'stuckMs',
    when: 'above',
    threshold: 5_000,
    clear: 1_000,
    forMs: 0,
    scale: 0.001,
    unit: 's without a completion',
  }),
  rule({
    id: 'faults',
    title: 'Burst of IOMMU faults',
    advice: 'The fault log names the process and the address.',
    input: 'faultsPerSec',
    when: 'above',
    threshold: 5,
    clear: 1,
    forMs: 1_000,
    scale: 1,
    unit: 'faults/s',
  }),
  rule({
    id: 'stall',
    title: 'A transaction waits for its page',
    advice: 'Look at the stalls in the IOMMU panel; an administrator may answer them.',
    input: 'oldestStallMs',
    when: 'above',
    threshold: 2_000,
    clear: 500,
    forMs: 0,
    scale: 0.001,
    unit: 's',
  }),
  rule({
    id: 'iotlb',
    title: 'Translations miss the cache',
    advice: 'Reuse buffers instead of new ones for each job.',
    input: 'iotlbHitRatio',
    when: 'below',
    threshold: 0.5,
    clear: 0.6,
    forMs: 10_000,
    scale: 100,
    unit: '% hits',
  }),
  rule({
    id: 'latency',
    title: 'Jobs are slow',
    advice:
      'Compare engine busy and in flight: a queue that waits for the engine needs priority or smaller jobs.',
    input: 'p99Us',
    when: 'above',
    threshold: 1_000_000,
    clear: 500_000,
    forMs: 5_000,
    scale: 0.000001,
    unit: 's p99',
  }),
];
