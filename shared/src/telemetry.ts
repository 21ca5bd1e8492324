/**
 * What the service tells about itself: the JSON of /v1/status, /v1/devices, /v1/mdevs, /v1/queues, /v1/faults and
 * the messages of the WebSocket /v1/monitor (subprotocol warpdrive.monitor.v1). All times are Unix milliseconds,
 * all counters are totals since start, all sizes bytes.
 */
export const QUEUE_MODES = ['sva', 'vfio', 'noiommu', 'native'] as const;
export type QueueMode = (typeof QUEUE_MODES)[number];
export const OPERATIONS = ['compress', 'decompress'] as const;
export type Operation = (typeof OPERATIONS)[number];
export const CORE_NAMES = ['wasm', 'isal', 'zlib'] as const;
export type CoreName = (typeof CORE_NAMES)[number];
export type QueueState = 'init' | 'started' | 'stopped' | 'zombie';

export interface QueueSnapshot {
  /** Stable while the queue is open, e.g. `hisi_zip-0/3`. */
  id: string;
  device: string;
  /** Hardware queue pair number on its device. */
  qpId: number;
  mdev: string;
  owner: { pid: number; name: string };
  mode: QueueMode;
  operation: Operation;
  /** 0–15, higher is served more. */
  priority: number;
  state: QueueState;
  /** Ring slots; usable are depth − 1. */
  depth: number;
  inFlight: number;
  /** SQEs completed, failed ones included. */
  operations: number;
  bytesIn: number;
  bytesOut: number;
  doorbells: number;
  /** Submissions refused because the ring was full. */
  busy: number;
  errors: number;
  lastError?: string;
  /** Submit → completion over the last completions, microseconds; absent before the first. */
  latencyUs?: { p50: number; p99: number };
}

export interface DeviceSnapshot {
  /** UACCE node name, e.g. `hisi_zip-0`. */
  name: string;
  kind: 'emulated' | 'linux';
  hardware: 'zip-v2' | 'zip-v3';
  bdf: string;
  faultModel: 'none' | 'stall' | 'pri';
  queuesTotal: number;
  queuesFree: number;
  cores: { id: number; name: CoreName; where: 'worker' | 'polled'; jobs: number; busyNs: number }[];
}

export interface MdevSnapshot {
  uuid: string;
  type: string;
  parent: string;
  state: 'created' | 'opened' | 'bound' | 'active' | 'draining' | 'removed';
  qpId: number;
  createdAtMs: number;
}

export interface FaultSnapshot {
  seq: number;
  atMs: number;
  device: string;
  streamId: number;
  /** Admin only; absent for everyone else. */
  pasid?: number;
  /** Hex string, `0x…`. */
  iova: string;
  access: 'read' | 'write';
  /** SMMU event name, e.g. `F_TRANSLATION`. */
  event: string;
  reason: string;
  outcome: 'aborted' | 'resolved' | 'stalled';
  /** The process whose address space it was; absent for traffic without PASID and unknown PASIDs. */
  owner?: { pid: number; name: string };
  queue?: string;
  /** The suggested next action, in words. */
  advice: string;
  /** The line that a Linux kernel log would show. */
  kernelLine: string;
}

export interface Totals {
  requests: number;
  failures: number;
  bytesIn: number;
  bytesOut: number;
  operations: number;
  activeStreams: number;
  faults: number;
  fallbacks: number;
}

export interface StatusSnapshot {
  service: 'warpdrive';
  version: string;
  node: string;
  pid: number;
  startedAtMs: number;
  atMs: number;
  ready: boolean;
  draining: boolean;
  mode: QueueMode;
  core: CoreName;
  /** Why this core and not a faster one; e.g. `libisal.so.2 not found`. */
  coreReason: string;
  emulated: boolean;
  totals: Totals;
}

/** One reading of the changing figures; the service sends four a second. */
export interface MonitorSample {
  atMs: number;
  totals: Totals;
  queues: QueueSnapshot[];
  devices: DeviceSnapshot[];
  eventLoopDelayMs: number;
  rssBytes: number;
}

export type MonitorMessage =
  | {
      type: 'snapshot';
      status: StatusSnapshot;
      devices: DeviceSnapshot[];
      mdevs: MdevSnapshot[];
      queues: QueueSnapshot[];
      faults: FaultSnapshot[];
    }
  | { type: 'sample'; sample: MonitorSample; dropped: number }
  | { type: 'fault'; fault: FaultSnapshot }
  | { type: 'mdev'; mdev: MdevSnapshot };

export const MONITOR_PROTOCOL = 'warpdrive.monitor.v1';
export const STREAM_PROTOCOL = 'warpdrive.stream.v1';
export const SAMPLE_INTERVAL_MS = 250;

/** What the hosted stack answers at any time; `host.ts` implements it, telemetry, http and ws read it. */
export interface StackView {
  readonly mode: QueueMode;
  readonly core: CoreName;
  readonly coreReason: string;
  readonly emulated: boolean;
  devices(): DeviceSnapshot[];
  mdevs(): MdevSnapshot[];
  queues(): QueueSnapshot[];
  /** Newest last; `sinceSeq` leaves out what the caller has. */
  faults(sinceSeq?: number): FaultSnapshot[];
  /** Calls back for each new fault record; returns the unsubscribe function. */
  onFault(listener: (fault: FaultSnapshot) => void): () => void;
}
