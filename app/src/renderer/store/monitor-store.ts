import type { BenchRun } from '../../../../shared/src/bench.ts';
import type { SoftwareCost } from '../../../../shared/src/software-cost.ts';
import {
  type FaultSnapshot,
  type IommuSnapshot,
  type MdevSnapshot,
  type MdevTypeSnapshot,
  type MonitorMessage,
  type MonitorSample,
  SAMPLE_INTERVAL_MS,
  type StatusSnapshot,
  type Totals,
} from '../../../../shared/src/telemetry.ts';
import { assertNever } from '../../../../shared/src/units.ts';
import { FaultLog } from './fault-log.ts';
import { QueueHistory } from './queue-history.ts';
import { type Counters, type DeviceRow, type QueueRow, RateMeter, type Rates } from './rates.ts';
import { TimeRing } from './time-ring.ts';

export const HISTORY_MS = 3_600_000;
export const FAULT_LOG_CAPACITY = 100_000;
/** Two readings further apart than this are not joined by a line. */
export const GAP_MS = 4 * SAMPLE_INTERVAL_MS;

export type Channel = keyof Rates | 'activeStreams' | 'eventLoopDelayMs';
export const CHANNELS: readonly Channel[] = [
  'inBytesPerSec',
  'outBytesPerSec',
  'ratio',
  'jobsPerSec',
  'faultsPerSec',
  'busyRatio',
  'p50Us',
  'p99Us',
  'fallbackRatio',
  'busyPerSec',
  'occupancyRatio',
  'iotlbHitRatio',
  'pageRequestsPerSec',
  'stalls',
  'oldestStallMs',
  'softwareCores',
  'activeStreams',
  'eventLoopDelayMs',
  'attachedInBytesPerSec',
  'attachedOutBytesPerSec',
];
export type History = TimeRing<Channel>;

/** Everything the panels show of one moment. Never changed once made, so a paused page may keep it. */
export interface Reading {
  atMs: number;
  totals: Totals;
  rates: Rates;
  queues: QueueRow[];
  devices: DeviceRow[];
  /** Absent in the reading made of the first snapshot, and where the service has no IOMMU model. */
  iommu?: IommuSnapshot;
  software?: SoftwareCost;
  /** Absent in the reading made of the first snapshot. */
  host?: { eventLoopDelayMs: number; rssBytes: number; droppedSamples: number; droppedFaults: number };
}

/** A change of an mdev that this page saw or was told of. */
export interface MdevEvent {
  atMs: number;
  uuid: string;
  state: MdevSnapshot['state'];
}
const MAX_MDEV_EVENTS = 500;
const MAX_BENCH_RUNS = 50;

/** The page's data: what the feed said last, an hour of history, the fault log. Touches neither DOM nor clock. */
export class MonitorStore {
  status: StatusSnapshot | undefined;
  reading: Reading | undefined;
  readonly history: History = new TimeRing(CHANNELS, HISTORY_MS / SAMPLE_INTERVAL_MS);
  readonly faults = new FaultLog(FAULT_LOG_CAPACITY);
  readonly mdevs = new Map<string, MdevSnapshot>();
  mdevTypes: readonly MdevTypeSnapshot[] = [];
  /** Oldest first. */
  readonly mdevEvents: MdevEvent[] = [];
  readonly queueHistory = new QueueHistory();
  /** Comparison runs by id, oldest first; undefined while the service did not say that it has any. */
  bench: Map<string, BenchRun> | undefined;
  /** What the service answered to the token; undefined before it was asked. */
  isAdmin: boolean | undefined;
  /** Readings since the page was opened; the pause badge counts with it. */
  readings = 0;
  private readonly meter = new RateMeter();
  private lastAtMs: number | undefined;
  private gapSince: number | undefined;

  /** The sequence number after which faults are missing, once per gap: the caller asks the feed for them. */
  takeGap(): number | undefined {
    const since = this.gapSince;
    this.gapSince = undefined;
    return since;
  }

  apply(message: MonitorMessage): void {
    switch (message.type) {
      case 'snapshot':
        this.applySnapshot(message);
        break;
      case 'sample': {
        const { sample } = message;
        this.read(sample, {
          eventLoopDelayMs: sample.eventLoopDelayMs,
          rssBytes: sample.rssBytes,
          droppedSamples: message.dropped,
          droppedFaults: message.faultsDropped ?? 0,
        });
        break;
      }
      case 'fault':
        this.addFault(message.fault);
        break;
      case 'faults':
        this.faults.insert(message.faults);
        break;
      case 'bench':
        this.keepRun(message.run);
        break;
      case 'auth':
        this.isAdmin = message.isAdmin;
        break;
      case 'mdev':
        this.mdevTypes = message.types ?? this.mdevTypes;
        this.applyMdev(message.mdev);
        break;
      default:
        assertNever(message);
    }
  }

  private applySnapshot(snapshot: Extract<MonitorMessage, { type: 'snapshot' }>): void {
    const { status } = snapshot;
    const isSameRun = this.status?.startedAtMs === status.startedAtMs && this.status.pid === status.pid;
    if (!isSameRun) {
      this.faults.clear(); // sequence numbers and counters start again
      this.mdevEvents.length = 0;
      this.queueHistory.clear();
    }
    this.isAdmin = undefined; // rights belong to a connection
    this.bench = undefined;
    for (const run of snapshot.bench ?? []) this.keepRun(run);
    if (snapshot.bench !== undefined) this.bench ??= new Map();
    this.mdevTypes = snapshot.mdevTypes ?? [];
    this.meter.clear(); // a rate must not span the time without a connection
    this.status = status;
    this.mdevs.clear();
    for (const mdev of snapshot.mdevs) this.applyMdev(mdev);
    for (const fault of snapshot.faults) this.addFault(fault);
    this.read({
      atMs: status.atMs,
      totals: status.totals,
      queues: snapshot.queues,
      devices: snapshot.devices,
    });
  }

  private addFault(fault: FaultSnapshot): void {
    const gap = this.faults.add(fault);
    this.gapSince ??= gap;
  }

  private keepRun(run: BenchRun): void {
    this.bench ??= new Map();
    this.bench.set(run.id, run);
    for (const id of this.bench.keys()) {
      if (this.bench.size <= MAX_BENCH_RUNS) break;
      this.bench.delete(id);
    }
  }

  private applyMdev(mdev: MdevSnapshot): void {
    const seenUntilMs = this.mdevEvents.findLast(({ uuid }) => uuid === mdev.uuid)?.atMs ?? 0;
    for (const { atMs, state } of mdev.timeLine ?? [])
      if (atMs > seenUntilMs) this.mdevEvents.push({ atMs, uuid: mdev.uuid, state });
    if (mdev.state === 'removed' && this.mdevs.has(mdev.uuid))
      this.mdevEvents.push({ atMs: this.reading?.atMs ?? 0, uuid: mdev.uuid, state: 'removed' });
    this.mdevEvents.sort((a, b) => a.atMs - b.atMs);
    if (this.mdevEvents.length > MAX_MDEV_EVENTS)
      this.mdevEvents.splice(0, this.mdevEvents.length - MAX_MDEV_EVENTS);
    if (mdev.state === 'removed') this.mdevs.delete(mdev.uuid);
    else this.mdevs.set(mdev.uuid, mdev);
  }

  private read(
    counters: Counters & Pick<MonitorSample, 'workers'>,
    host?: NonNullable<Reading['host']>,
  ): void {
    const { atMs } = counters;
    const workers = counters.workers ?? this.status?.workers ?? [];
    const ownPids = [this.status?.pid ?? 0, ...workers.map(({ pid }) => pid)];
    this.meter.push({ ...counters, ownPids });
    const rates = this.meter.rates();
    this.reading = {
      atMs,
      totals: counters.totals,
      rates,
      queues: this.meter.queueRows(),
      devices: this.meter.deviceRows(),
      ...(counters.iommu === undefined ? {} : { iommu: counters.iommu }),
      ...(counters.software === undefined ? {} : { software: counters.software }),
      ...(host === undefined ? {} : { host }),
    };
    this.readings++;
    if (this.lastAtMs !== undefined && atMs < this.lastAtMs) this.history.clear(); // the clock was set back
    if (this.lastAtMs !== undefined && atMs - this.lastAtMs > GAP_MS) {
      this.history.push(this.lastAtMs + 1, NOTHING); // breaks the line where there was no data
    }
    this.history.push(atMs, {
      ...rates,
      activeStreams: counters.totals.activeStreams,
      eventLoopDelayMs: host?.eventLoopDelayMs ?? Number.NaN,
    });
    this.queueHistory.push(atMs, this.reading.queues);
    this.lastAtMs = atMs;
  }
}

const NOTHING = Object.fromEntries(CHANNELS.map((channel) => [channel, Number.NaN])) as Record<
  Channel,
  number
>;
