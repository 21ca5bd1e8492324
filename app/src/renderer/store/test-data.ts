import type {
  DeviceSnapshot,
  FaultSnapshot,
  MonitorMessage,
  QueueSnapshot,
  StatusSnapshot,
  Totals,
} from '../../../../shared/src/telemetry.ts';

export const totalsOf = (part: Partial<Totals> = {}): Totals => ({
  requests: 0,
  failures: 0,
  bytesIn: 0,
  bytesOut: 0,
  operations: 0,
  activeStreams: 0,
  faults: 0,
  fallbacks: 0,
  ...part,
});

export const queueOf = (part: Partial<QueueSnapshot> = {}): QueueSnapshot => ({
  id: 'hisi_zip-0/1',
  device: 'hisi_zip-0',
  qpId: 1,
  mdev: 'a1b2',
  owner: { pid: 42, name: 'node' },
  mode: 'sva',
  operation: 'compress',
  priority: 4,
  state: 'started',
  depth: 1024,
  inFlight: 0,
  operations: 0,
  bytesIn: 0,
  bytesOut: 0,
  doorbells: 0,
  busy: 0,
  errors: 0,
  ...part,
});

export const deviceOf = (busyNs = 0, jobs = 0): DeviceSnapshot => ({
  name: 'hisi_zip-0',
  kind: 'emulated',
  hardware: 'zip-v3',
  bdf: '0000:75:00.0',
  faultModel: 'stall',
  queuesTotal: 8,
  queuesFree: 7,
  cores: [{ id: 0, name: 'isal', where: 'worker', jobs, busyNs }],
});

export const faultOf = (seq: number, atMs = seq): FaultSnapshot => ({
  seq,
  atMs,
  device: 'hisi_zip-0',
  streamId: 0x7500,
  iova: '0x1000',
  access: 'read',
  event: 'F_TRANSLATION',
  reason: 'no page is mapped',
  outcome: 'aborted',
  domainKind: 'sva',
  advice: 'Map it.',
  kernelLine: 'event 0x10 received',
});

export const statusOf = (part: Partial<StatusSnapshot> = {}): StatusSnapshot => ({
  service: 'warpdrive',
  version: '0.1.0',
  node: 'v20.20.2',
  pid: 7,
  startedAtMs: 1_000,
  atMs: 10_000,
  ready: true,
  draining: false,
  mode: 'sva',
  core: 'isal',
  coreReason: '',
  emulated: true,
  totals: totalsOf(),
  ...part,
});

type Snapshot = Extract<MonitorMessage, { type: 'snapshot' }>;

export const snapshotOf = (part: Partial<Snapshot> = {}): Snapshot => ({
  type: 'snapshot',
  status: statusOf(),
  devices: [],
  mdevs: [],
  queues: [],
  faults: [],
  ...part,
});

export const sampleOf = (
  atMs: number,
  totals: Partial<Totals> = {},
  queues: QueueSnapshot[] = [],
  devices: DeviceSnapshot[] = [],
): MonitorMessage => ({
  type: 'sample',
  dropped: 0,
  sample: { atMs, totals: totalsOf(totals), queues, devices, eventLoopDelayMs: 0, rssBytes: 0 },
});
