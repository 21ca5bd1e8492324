import type { SoftwareCost } from '../../../../shared/src/software-cost.ts';
import type {
  CoreName,
  DeviceSnapshot,
  IommuSnapshot,
  QueueSnapshot,
  Totals,
} from '../../../../shared/src/telemetry.ts';

/** Every per-second figure on the page is the mean over this window, so that neighbouring figures agree. */
export const RATE_WINDOW_MS = 1_000;
/** Over less time than this a rate says more about the moment of reading than about the service. */
const MIN_SPAN_MS = 150;

/** The counters of one moment, as a snapshot or a sample carries them. */
export interface Counters {
  atMs: number;
  totals: Totals;
  queues: QueueSnapshot[];
  devices: DeviceSnapshot[];
  iommu?: IommuSnapshot;
  software?: SoftwareCost;
  /** Process ids of the service and its workers; queues of other processes are attached ones. Absent: there are none. */
  ownPids?: readonly number[];
}

/** NaN: not known yet, or nothing happened that the figure could be made of. */
export interface Rates {
  /** Of HTTP and WebSocket clients and of attached processes together. */
  inBytesPerSec: number;
  outBytesPerSec: number;
  /** The part of attached processes: what the engine read and wrote for their open queues. */
  attachedInBytesPerSec: number;
  attachedOutBytesPerSec: number;
  /** Original bytes ÷ compressed bytes, both directions together. */
  ratio: number;
  jobsPerSec: number;
  faultsPerSec: number;
  /** Engine cores' busy time ÷ elapsed time, 0 to 1. */
  busyRatio: number;
  /** Of the slowest queue that completed a job in the window. */
  p50Us: number;
  p99Us: number;
  /** Requests that software served ÷ requests ended, 0 to 1. */
  fallbackRatio: number;
  /** Submissions refused by full rings. */
  busyPerSec: number;
  /** Of the fullest ring, 0 to 1. */
  occupancyRatio: number;
  iotlbHitRatio: number;
  pageRequestsPerSec: number;
  /** Transactions that wait for a page now, and the age of the oldest. */
  stalls: number;
  oldestStallMs: number;
  /** Threads of node:zlib that the compression now going on would keep busy; an estimate from samples. */
  softwareCores: number;
}

export interface QueueRow {
  queue: QueueSnapshot;
  opsPerSec: number;
  inBytesPerSec: number;
  outBytesPerSec: number;
  busyPerSec: number;
}

export interface CoreRow {
  id: number;
  name: CoreName;
  where: 'worker' | 'polled';
  jobs: number;
  jobsPerSec: number;
  /** 0 to 1; NaN while unknown. */
  busyRatio: number;
}

export interface DeviceRow {
  device: DeviceSnapshot;
  cores: CoreRow[];
}

interface Moment extends Counters {
  byId: ReadonlyMap<string, QueueSnapshot>;
}

/** Turns counters into rates over the last second. Knows nothing of services that restart: clear it then. */
export class RateMeter {
  private readonly moments: Moment[] = [];

  clear(): void {
    this.moments.length = 0;
  }

  push(counters: Counters): void {
    const last = this.moments.at(-1);
    if (last !== undefined && counters.atMs <= last.atMs) return;
    this.moments.push({ ...counters, byId: new Map(counters.queues.map((queue) => [queue.id, queue])) });
    // the oldest moment kept is the newest one that is at least a window old
    while (this.moments.length > 2 && counters.atMs - (this.moments[1]?.atMs ?? 0) >= RATE_WINDOW_MS) {
      this.moments.shift();
    }
  }

  rates(): Rates {
    const now = this.moments.at(-1);
    const before = this.moments[0];
    if (now === undefined || before === undefined || now.atMs - before.atMs < MIN_SPAN_MS)
      return { ...UNKNOWN_RATES };
    const perSec = (name: keyof Totals) => perSecond(now.totals[name] - before.totals[name], now, before);
    const attached = this.attached(now);
    return {
      inBytesPerSec: perSec('bytesIn') + attached.in,
      outBytesPerSec: perSec('bytesOut') + attached.out,
      attachedInBytesPerSec: attached.in,
      attachedOutBytesPerSec: attached.out,
      ratio: this.ratio(now),
      jobsPerSec: perSec('operations'),
      faultsPerSec: perSec('faults'),
      busyRatio: mean(this.deviceRows().flatMap((row) => row.cores.map((core) => core.busyRatio))),
      ...this.slowest(),
      fallbackRatio: share(
        now.totals.fallbacks - before.totals.fallbacks,
        now.totals.requests - before.totals.requests,
      ),
      busyPerSec: this.queueRows().reduce((sum, row) => sum + (row.busyPerSec || 0), 0),
      occupancyRatio: now.queues.reduce(
        (most, { inFlight, depth }) => Math.max(most, inFlight / Math.max(1, depth - 1)),
        0,
      ),
      ...iommuRates(now, before),
      softwareCores: softwareCores(now, before),
    };
  }

  queueRows(): QueueRow[] {
    const now = this.moments.at(-1);
    return (now?.queues ?? []).map((queue) => {
      const base = this.baseOf(queue.id);
      const rate = (name: 'operations' | 'bytesIn' | 'bytesOut' | 'busy') =>
        now === undefined || base === undefined
          ? Number.NaN
          : perSecond(queue[name] - (base.queue?.[name] ?? 0), now, base.moment);
      return {
        queue,
        opsPerSec: rate('operations'),
        inBytesPerSec: rate('bytesIn'),
        outBytesPerSec: rate('bytesOut'),
        busyPerSec: rate('busy'),
      };
    });
  }

  deviceRows(): DeviceRow[] {
    const now = this.moments.at(-1);
    const before = this.moments[0];
    const isKnown = now !== undefined && before !== undefined && now.atMs - before.atMs >= MIN_SPAN_MS;
    return (now?.devices ?? []).map((device) => {
      const earlier = before?.devices.find((other) => other.name === device.name);
      const cores = device.cores.map((core) => {
        const base = earlier?.cores.find((other) => other.id === core.id);
        const rate = (name: 'jobs' | 'busyNs') =>
          isKnown && base !== undefined ? perSecond(core[name] - base[name], now, before) : Number.NaN;
        return {
          id: core.id,
          name: core.name,
          where: core.where,
          jobs: core.jobs,
          jobsPerSec: rate('jobs'),
          busyRatio: Math.min(1, rate('busyNs') / 1e9),
        };
      });
      return { device, cores };
    });
  }

  /** Where a queue's rate counts from: the oldest moment that knows it, or zero at the last one before it opened. */
  private baseOf(id: string): { moment: Moment; queue: QueueSnapshot | undefined } | undefined {
    const known = this.moments.findIndex((moment) => moment.byId.has(id));
    const moment = this.moments[Math.max(0, known - 1)];
    if (moment === undefined || (this.moments.at(-1)?.atMs ?? 0) - moment.atMs < MIN_SPAN_MS)
      return undefined;
    return { moment, queue: moment.byId.get(id) };
  }

  private attached({ ownPids }: Counters): { in: number; out: number } {
    const sum = { in: 0, out: 0 };
    if (ownPids === undefined) return sum;
    for (const { queue, inBytesPerSec, outBytesPerSec } of this.queueRows()) {
      if (ownPids.includes(queue.owner.pid)) continue;
      sum.in += inBytesPerSec || 0;
      sum.out += outBytesPerSec || 0;
    }
    return sum;
  }

  private ratio(now: Counters): number {
    let original = 0;
    let compressed = 0;
    for (const queue of now.queues) {
      const base = this.baseOf(queue.id)?.queue;
      const bytesIn = queue.bytesIn - (base?.bytesIn ?? 0);
      const bytesOut = queue.bytesOut - (base?.bytesOut ?? 0);
      original += queue.operation === 'compress' ? bytesIn : bytesOut;
      compressed += queue.operation === 'compress' ? bytesOut : bytesIn;
    }
    return compressed > 0 ? original / compressed : Number.NaN;
  }

  private slowest(): { p50Us: number; p99Us: number } {
    let slowest = { p50: Number.NaN, p99: Number.NaN };
    for (const { queue, opsPerSec } of this.queueRows()) {
      if (!(opsPerSec > 0) || queue.latencyUs === undefined) continue;
      if (!(queue.latencyUs.p99 <= slowest.p99)) slowest = queue.latencyUs;
    }
    return { p50Us: slowest.p50, p99Us: slowest.p99 };
  }
}

const UNKNOWN_RATES: Readonly<Rates> = {
  inBytesPerSec: Number.NaN,
  outBytesPerSec: Number.NaN,
  attachedInBytesPerSec: Number.NaN,
  attachedOutBytesPerSec: Number.NaN,
  ratio: Number.NaN,
  jobsPerSec: Number.NaN,
  faultsPerSec: Number.NaN,
  busyRatio: Number.NaN,
  p50Us: Number.NaN,
  p99Us: Number.NaN,
  fallbackRatio: Number.NaN,
  busyPerSec: Number.NaN,
  occupancyRatio: Number.NaN,
  iotlbHitRatio: Number.NaN,
  pageRequestsPerSec: Number.NaN,
  stalls: Number.NaN,
  oldestStallMs: Number.NaN,
  softwareCores: Number.NaN,
};

type IommuRates = Pick<Rates, 'iotlbHitRatio' | 'pageRequestsPerSec' | 'stalls' | 'oldestStallMs'>;

function iommuRates(now: Counters, before: Counters): IommuRates {
  if (now.iommu === undefined)
    return {
      iotlbHitRatio: Number.NaN,
      pageRequestsPerSec: Number.NaN,
      stalls: Number.NaN,
      oldestStallMs: Number.NaN,
    };
  const { iotlb, stalls } = now.iommu;
  const earlier = before.iommu;
  const answered = ({ pageRequests: { success, invalid, failure } }: IommuSnapshot) =>
    success + invalid + failure;
  const hits = iotlb.hits - (earlier?.iotlb.hits ?? Number.NaN);
  const misses = iotlb.misses - (earlier?.iotlb.misses ?? Number.NaN);
  return {
    iotlbHitRatio: share(hits, hits + misses),
    pageRequestsPerSec:
      earlier === undefined ? Number.NaN : perSecond(answered(now.iommu) - answered(earlier), now, before),
    stalls: stalls.length,
    oldestStallMs: stalls.reduce((oldest, { ageMs }) => Math.max(oldest, ageMs), 0),
  };
}

function softwareCores(now: Counters, before: Counters): number {
  if (now.software === undefined || before.software === undefined) return Number.NaN;
  const bytes = now.software.compressedBytes - before.software.compressedBytes;
  return perSecond(bytes, now, before) / now.software.bytesPerSec;
}

/** A part of a whole, 0 to 1; unknown where the whole is nothing. */
const share = (part: number, whole: number) =>
  whole > 0 ? Math.min(1, Math.max(0, part / whole)) : Number.NaN;

/** A counter that went back (a queue id used again) counts as nothing, never as a negative rate. */
const perSecond = (delta: number, now: Counters, before: Counters) =>
  (Math.max(0, delta) * 1000) / (now.atMs - before.atMs);

const mean = (values: number[]) =>
  values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
