/**
 * What the service tells about itself: the JSON of /v1/status, /v1/devices, /v1/mdevs, /v1/queues, /v1/faults and
 * the messages of the WebSocket /v1/monitor (subprotocol warpdrive.monitor.v1). All times are Unix milliseconds,
 * all counters are totals since start, all sizes bytes.
 */
import type { BenchRun } from './bench.ts';
import type { FaultPlan, FaultPlanSnapshot } from './fault-injection.ts';
import type { SoftwareCost, SoftwareSamples } from './software-cost.ts';
import type { StackTimings } from './timings.ts';

export const QUEUE_MODES = ['sva', 'vfio', 'noiommu', 'native'] as const;
export type QueueMode = (typeof QUEUE_MODES)[number];
export const OPERATIONS = ['compress', 'decompress'] as const;
export type Operation = (typeof OPERATIONS)[number];
export const CORE_NAMES = ['wasm', 'isal', 'zlib'] as const;
export type CoreName = (typeof CORE_NAMES)[number];
/** Fault recovery of a device: none, the IOMMU holds the transaction, or the device asks for the page itself. */
export const FAULT_MODELS = ['none', 'stall', 'pri'] as const;
export type FaultModel = (typeof FAULT_MODELS)[number];
/** Kinds of an IOMMU domain: nothing translates, all passes, filled by map and unmap, a process's own page table. */
export const DOMAIN_KINDS = ['blocking', 'identity', 'dma', 'sva'] as const;
export type DomainKind = (typeof DOMAIN_KINDS)[number];
/** Whose domain an mdev uses: its parent's, one of its own behind a PASID, or none of the IOMMU's (vendor driver). */
export const MDEV_DOMAINS = ['inherit', 'private', 'external'] as const;
export type MdevDomain = (typeof MDEV_DOMAINS)[number];
/** When an mdev gets its queue. */
export const MDEV_POLICIES = ['on-create', 'on-open'] as const;
export type MdevPolicy = (typeof MDEV_POLICIES)[number];
export type QueueState = 'init' | 'started' | 'stopped' | 'zombie';

export interface QueueSnapshot {
  /** Stable while the queue is open, e.g. `hisi_zip-0/3`. */
  id: string;
  device: string;
  /** Hardware queue pair number on its device. */
  qpId: number;
  /** UUID of its mdev; empty for queues of the uacce view and of the service itself. */
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
  faultModel: FaultModel;
  queuesTotal: number;
  queuesFree: number;
  /** Queues kept for the service's own (`native`) use, and how many of them are open. */
  queuesReserved?: number;
  queuesNative?: number;
  /** Taken out by the isolation strategy. */
  isolated?: boolean;
  /** Number of the virtual function that this is, and where its queues begin in the whole device's; absent: physical. */
  vf?: number;
  queueBase?: number;
  cores: { id: number; name: CoreName; where: 'worker' | 'polled'; jobs: number; busyNs: number }[];
}

export const MDEV_STATES = ['created', 'opened', 'bound', 'active', 'draining', 'removed'] as const;
export type MdevState = (typeof MDEV_STATES)[number];

export interface MdevSnapshot {
  uuid: string;
  type: string;
  parent: string;
  state: MdevState;
  /** -1 while policy `on-open` has given it none. */
  qpId: number;
  createdAtMs: number;
  policy?: MdevPolicy;
  domain?: MdevDomain;
  /** DMA memory reserved at create. */
  dmaPoolBytes?: number;
  /** Highest queue priority that its user may ask for, 0–15. */
  priorityClass?: number;
  /** Number of its own IOMMU group: /dev/vfio/<n>. */
  iommuGroup?: number;
  /** The last changes of state, oldest first. */
  timeLine?: { state: MdevState; atMs: number }[];
}

/** A kind of mdev that a device offers. */
export interface MdevTypeSnapshot {
  id: string;
  name: string;
  parent: string;
  policy: MdevPolicy;
  domain: MdevDomain;
  availableInstances: number;
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
  /** Of the domain that refused or held the access; `blocking` where there was none. */
  domainKind: DomainKind;
  /** The process whose address space it was; absent for traffic without PASID and unknown PASIDs. */
  owner?: { pid: number; name: string };
  queue?: string;
  /** The suggested next action, in words. */
  advice: string;
  /** The line that a Linux kernel log would show. */
  kernelLine: string;
  /** Tag of the held transaction, when the device's fault model held it. */
  stag?: number;
}

/** An address space as a device reaches it. */
export interface DomainSnapshot {
  kind: DomainKind;
  mappedBytes: number;
}

export interface IommuDeviceSnapshot {
  /** PCI address or mdev UUID. */
  name: string;
  streamId: number;
  faultModel: FaultModel;
  /** Of requests without PASID. */
  domain: DomainSnapshot;
  /** One per bound address space. */
  bound: {
    /** Admin only. */
    pasid?: number;
    binds: number;
    owner?: { pid: number; name: string };
    domain: DomainSnapshot;
  }[];
}

/** Linux include/uapi/linux/iommu.h enum iommu_page_response_code. */
export const PAGE_RESPONSES = ['success', 'invalid', 'failure'] as const;
export type PageResponse = (typeof PAGE_RESPONSES)[number];

/** A transaction that waits for its page. */
export interface StallSnapshot {
  stag: number;
  ageMs: number;
  device: string;
  /** Admin only. */
  pasid?: number;
  iova: string;
  access: 'read' | 'write';
}

/** The IOMMU: groups → devices → PASIDs → domains, its translation cache, and what waits for pages. */
export interface IommuSnapshot {
  groups: { id: number; devices: string[] }[];
  devices: IommuDeviceSnapshot[];
  iotlb: { entries: number; hits: number; misses: number; invalidations: number };
  pageRequests: { success: number; invalid: number; failure: number };
  stalls: StallSnapshot[];
  /** Address spaces with a PASID, and how many there can be. */
  pasids: { inUse: number; limit: number };
  /** Event records written, and records pushed out before anyone could read them all. */
  events: { recorded: number; lost: number };
}

/** One entry of a virtual /sys directory. */
export interface SysfsEntry {
  name: string;
  kind: 'directory' | 'file' | 'link';
  /** Octal permission bits as a number, e.g. 0o444. */
  mode: number;
  target?: string;
}

/** The kernel's attributes under the paths that Linux gives them. Every method throws errors with `details.errno`. */
export interface SysfsView {
  list(path: string): SysfsEntry[];
  read(path: string, isAdmin: boolean): string;
  write(path: string, text: string, isAdmin: boolean): void;
  readlink(path: string): string;
  stat(path: string): SysfsEntry;
}

export interface MdevCreateRequest {
  /** Made up by the service if absent. */
  uuid?: string;
  type: string;
  dmaPoolBytes?: number;
  priorityClass?: number;
}

/** A promise where the function that is asked is in another process. */
export type Eventual<Value> = Value | Promise<Value>;

/** What an administrator may do with mdevs and the IOMMU. */
export interface StackAdmin {
  mdevTypes(): MdevTypeSnapshot[];
  createMdev(request: MdevCreateRequest, isAdmin: boolean): MdevSnapshot;
  removeMdev(uuid: string, isAdmin: boolean): Eventual<void>;
  /** What the device can do about absent pages, from its next access on. */
  setFaultModel(model: FaultModel): Eventual<void>;
  /** Holds page requests, so that stalled transactions can be looked at, or lets them go. */
  holdPageRequests(isHeld: boolean): Eventual<void>;
  /** Answers one held page request; `success` becomes `invalid` where nothing is mapped. */
  answerPageRequest(stag: number, response: PageResponse): Eventual<PageResponse>;
  /** Stops one queue as a reset does; its user opens another. @param id as in QueueSnapshot */
  resetQueue(id: string): Eventual<void>;
  /** Counts a hardware error and resets the controller. @returns whether the device is isolated now */
  hardwareError(): Eventual<boolean>;
  /** Brings an isolated device back. */
  reloadDriver(): Eventual<void>;
  /** Lets the device have a fault. @throws WD_E_EINVAL naming the field and what is allowed */
  injectFault(plan: FaultPlan): Eventual<FaultPlanSnapshot>;
  /** Plans of injected faults, the newest last; done ones stay for a while. */
  faultPlans(): Eventual<FaultPlanSnapshot[]>;
  /** Ends one plan, or all. @returns how many were active */
  clearFaults(id?: number): Eventual<number>;
}

/** `backoff`: died, a new one starts soon; `failed`: died quickly again and again, tried once a minute. */
export const WORKER_STATES = ['starting', 'ready', 'draining', 'backoff', 'failed', 'ended'] as const;
export type WorkerState = (typeof WORKER_STATES)[number];

/** A service process of its own with a virtual function of the device (`--workers`). */
export interface WorkerSnapshot {
  /** Number of its virtual function, from 1. */
  vf: number;
  /** UACCE name of that function, e.g. `hisi_zip-1`. */
  device: string;
  state: WorkerState;
  /** 0 while there is none. */
  pid: number;
  startedAtMs: number;
  /** Processes that took the place of one that died. */
  restarts: number;
  /** How the last one ended, e.g. `SIGKILL` or `exit code 70`. */
  lastEnd?: string;
  /** Its window of the device's queues. */
  queueBase: number;
  queueCount: number;
  rssBytes: number;
  eventLoopDelayMs: number;
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
  /** Absent with one process. */
  workers?: WorkerSnapshot[];
}

/** One reading of the changing figures; the service sends four a second. */
export interface MonitorSample {
  atMs: number;
  totals: Totals;
  queues: QueueSnapshot[];
  devices: DeviceSnapshot[];
  /** Without PASIDs. */
  iommu?: IommuSnapshot;
  /** Absent before the first sample of compression traffic. */
  software?: SoftwareCost;
  /** Of the slowest process. */
  eventLoopDelayMs: number;
  /** Of all processes. */
  rssBytes: number;
  /** Absent with one process. */
  workers?: WorkerSnapshot[];
}

export type MonitorMessage =
  | {
      type: 'snapshot';
      status: StatusSnapshot;
      devices: DeviceSnapshot[];
      mdevs: MdevSnapshot[];
      queues: QueueSnapshot[];
      faults: FaultSnapshot[];
      /** Comparison runs, newest last; absent where the service cannot run any. */
      bench?: BenchRun[];
      mdevTypes?: MdevTypeSnapshot[];
    }
  /** `dropped` samples and `faultsDropped` faults were left out for this client so far, because they came too fast. */
  | { type: 'sample'; sample: MonitorSample; dropped: number; faultsDropped?: number }
  | { type: 'fault'; fault: FaultSnapshot }
  /** Answer to a request for faults: those after `sinceSeq` that the service still has, oldest first, at most 2000. */
  | { type: 'faults'; sinceSeq: number; faults: FaultSnapshot[] }
  /** `types`: what is free now, where the service knows. */
  | { type: 'mdev'; mdev: MdevSnapshot; types?: MdevTypeSnapshot[] }
  | { type: 'bench'; run: BenchRun }
  /** Answer to `auth`: from now on PASIDs are in what the feed sends, or not. */
  | { type: 'auth'; isAdmin: boolean };

/** What a monitor may ask of its feed; anything else closes it with 4400. */
export type MonitorRequest =
  /** The admin token, for clients that cannot set Authorization on a WebSocket. */
  | { type: 'auth'; token: string }
  /** Faults that were skipped: what the feed dropped under load can be asked for again. */
  | { type: 'faults'; sinceSeq: number };

export const MONITOR_PROTOCOL = 'warpdrive.monitor.v1';
export const STREAM_PROTOCOL = 'warpdrive.stream.v1';
export const SAMPLE_INTERVAL_MS = 250;

export interface JobSlots {
  pool: 'small' | 'large';
  total: number;
  taken: number;
  /** Jobs that wait for a slot. */
  waiting: number;
}

/** What the hosted stack answers at any time; `host.ts` implements it, telemetry, http and ws read it. */
export interface StackView {
  readonly mode: QueueMode;
  readonly core: CoreName;
  readonly coreReason: string;
  readonly emulated: boolean;
  devices(): DeviceSnapshot[];
  mdevs(): MdevSnapshot[];
  queues(): QueueSnapshot[];
  /** Newest last; `sinceSeq` leaves out what the caller has; `isAdmin`: PASIDs may be shown. */
  faults(sinceSeq?: number, isAdmin?: boolean): FaultSnapshot[];
  /** Calls back for each new fault record, PASID included; returns the unsubscribe function. */
  onFault(listener: (fault: FaultSnapshot) => void): () => void;
  /** Job slots of the service's own queues; small jobs have theirs. */
  jobSlots?(): JobSlots[];
  /** @param isAdmin whether PASIDs may be shown */
  iommu?(isAdmin: boolean): IommuSnapshot;
  /** Page requests that were answered, newest last: outcome `resolved` or `aborted`. */
  pageRequests?(isAdmin: boolean): FaultSnapshot[];
  timings?(): StackTimings;
  readonly sysfs?: SysfsView | undefined;
  readonly admin?: StackAdmin | undefined;
  /** Absent with one process. */
  workers?(): WorkerSnapshot[];
  /** Of the other processes, one entry each; absent with one process. */
  softwareSamples?(): SoftwareSamples[];
  /** Calls back after each creation and change of state, removal included. @returns the unsubscribe function */
  onMdevChange?(listener: (mdev: MdevSnapshot) => void): () => void;
  /** Samples are being looked at: other processes may measure what costs something only meanwhile. */
  watch?(isOn: boolean): void;
}
