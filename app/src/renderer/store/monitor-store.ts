import {
  type MdevSnapshot,
  type MonitorMessage,
  SAMPLE_INTERVAL_MS,
  type StatusSnapshot,
  type Totals,
} from '../../../../shared/src/telemetry.ts';
import { assertNever } from '../../../../shared/src/units.ts';
import { FaultLog } from './fault-log.ts';
import { type Counters, type DeviceRow, type QueueRow, RateMeter, type Rates } from './rates.ts';
import { TimeRing } from './time-ring.ts';

export const HISTORY_MS = 3_600_000;
export const FAULT_LOG_CAPACITY = 100_000;
/** Two readings further apart than this are not joined by a line. */
export const GAP_MS = 4 * SAMPLE_INTERVAL_MS;

export type Channel = Exclude<keyof Rates, 'p50Us'> | 'activeStreams';
const CHANNELS: readonly Channel[] = [
  'inBytesPerSec',
  'outBytesPerSec',
  'ratio',
  'jobsPerSec',
  'faultsPerSec',
  'busyRatio',
  'p99Us',
  'activeStreams',
];
export type History = TimeRing<Channel>;

/** Everything the panels show of one moment. Never changed once made, so a paused page may keep it. */
export interface Reading {
  atMs: number;
  totals: Totals;
  rates: Rates;
  queues: QueueRow[];
  devices: DeviceRow[];
  /** Absent in the reading made of the first snapshot. */
  host?: { eventLoopDelayMs: number; rssBytes: number; droppedSamples: number };
}

/** The page's data: what the feed said last, an hour of history, the fault log. Touches neither DOM nor clock. */
export class MonitorStore {
  status: StatusSnapshot | undefined;
  reading: Reading | undefined;
  readonly history: History = new TimeRing(CHANNELS, HISTORY_MS / SAMPLE_INTERVAL_MS);
  readonly faults = new FaultLog(FAULT_LOG_CAPACITY);
  readonly mdevs = new Map<string, MdevSnapshot>();
  /** Readings since the page was opened; the pause badge counts with it. */
  readings = 0;
  private readonly meter = new RateMeter();
  private lastAtMs: number | undefined;

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
        });
        break;
      }
      case 'fault':
        this.faults.add(message.fault);
        break;
      case 'mdev':
        this.applyMdev(message.mdev);
        break;
      default:
        assertNever(message);
    }
  }

  private applySnapshot(snapshot: Extract<MonitorMessage, { type: 'snapshot' }>): void {
    const { status } = snapshot;
    const isSameRun = this.status?.startedAtMs === status.startedAtMs && this.status.pid === status.pid;
    if (!isSameRun) this.faults.clear(); // sequence numbers and counters start again
    this.meter.clear(); // a rate must not span the time without a connection
    this.status = status;
    this.mdevs.clear();
    for (const mdev of snapshot.mdevs) this.applyMdev(mdev);
    for (const fault of snapshot.faults) this.faults.add(fault);
    this.read({
      atMs: status.atMs,
      totals: status.totals,
      queues: snapshot.queues,
      devices: snapshot.devices,
    });
  }

  private applyMdev(mdev: MdevSnapshot): void {
    if (mdev.state === 'removed') this.mdevs.delete(mdev.uuid);
    else this.mdevs.set(mdev.uuid, mdev);
  }

  private read(counters: Counters, host?: NonNullable<Reading['host']>): void {
    const { atMs } = counters;
    this.meter.push(counters);
    const rates = this.meter.rates();
    this.reading = {
      atMs,
      totals: counters.totals,
      rates,
      queues: this.meter.queueRows(),
      devices: this.meter.deviceRows(),
      ...(host === undefined ? {} : { host }),
    };
    this.readings++;
    if (this.lastAtMs !== undefined && atMs < this.lastAtMs) this.history.clear(); // the clock was set back
    if (this.lastAtMs !== undefined && atMs - this.lastAtMs > GAP_MS) {
      this.history.push(this.lastAtMs + 1, NOTHING); // breaks the line where there was no data
    }
    this.history.push(atMs, { ...rates, activeStreams: counters.totals.activeStreams });
    this.lastAtMs = atMs;
  }
}

const NOTHING = Object.fromEntries(CHANNELS.map((channel) => [channel, Number.NaN])) as Record<
  Channel,
  number
>;
