import type { Format } from '../../../shared/src/format.ts';
import type {
  DomainKind,
  FaultSnapshot,
  Operation,
  StackView,
  Totals,
} from '../../../shared/src/telemetry.ts';
import { DurationHistogram } from './histogram.ts';
import { SoftwareCostSampler } from './software-cost.ts';

export const OUTCOMES = ['ok', 'refused', 'corrupt', 'aborted', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The outcome that a request with this HTTP status had. */
export function outcomeOf(status: number): Outcome {
  if (status < 400) return 'ok';
  if (status === 422) return 'corrupt';
  if (status === 499) return 'aborted';
  return status < 500 || status === 503 ? 'refused' : 'failed';
}

/** `identity`: the client accepted no coding, so its bytes went back as they were. */
export type JobFormat = Format | 'auto' | 'identity';

/** Jobs of one operation and format. The fields only grow. */
export class JobCounters {
  readonly outcomes: Record<Outcome, number> = { ok: 0, refused: 0, corrupt: 0, aborted: 0, failed: 0 };
  readonly duration = new DurationHistogram();
  bytesIn = 0;
  bytesOut = 0;
  constructor(
    readonly op: Operation,
    readonly format: JobFormat,
  ) {}

  ended(outcome: Outcome, seconds: number): void {
    this.outcomes[outcome]++;
    this.duration.observe(seconds);
  }
}

/** Requests of one route by method and status. */
export class RouteCounters {
  private readonly counts = new Map<string, Map<number, number>>();
  readonly duration = new DurationHistogram();
  constructor(readonly route: string) {}

  ended(method: string, status: number, seconds: number): void {
    this.add(method, status, 1);
    this.duration.observe(seconds);
  }

  add(method: string, status: number, count: number): void {
    let byStatus = this.counts.get(method);
    if (byStatus === undefined) {
      byStatus = new Map();
      this.counts.set(method, byStatus);
    }
    byStatus.set(status, (byStatus.get(status) ?? 0) + count);
  }

  *read(): Generator<{ method: string; status: number; count: number }> {
    for (const [method, byStatus] of this.counts)
      for (const [status, count] of byStatus) yield { method, status, count };
  }
}

interface FaultCount {
  readonly domainKind: DomainKind;
  readonly event: string;
  count: number;
}

/** What of a WebSocket is measured. */
interface OutputBuffer {
  readonly bufferedAmount: number;
}

/** All that the service counts itself; the stack's own figures come from its view. */
export class Counters {
  readonly routes = new Map<string, RouteCounters>();
  readonly jobs = new Map<string, JobCounters>();
  readonly fallbacks = new Map<string, number>();
  readonly webSockets = { sessions: 0, droppedSamples: 0, closes: new Map<number, number>() };
  /** Output that waits for clients of other processes; `bufferedBytes` adds this process's own. */
  bufferedElsewhere = 0;
  readonly softwareCost = new SoftwareCostSampler(() => performance.now() * 1000);
  activeStreams = 0;
  /** Jobs that the device failed and was given again. */
  retries = 0;
  /** Faults by the kind of domain and the event. */
  readonly faults: FaultCount[] = [];
  private readonly openSockets = new Set<OutputBuffer>();

  constructor(private readonly view: StackView) {
    for (const fault of view.faults()) this.faulted(fault);
    view.onFault((fault) => this.faulted(fault));
  }

  route(route: string): RouteCounters {
    let counters = this.routes.get(route);
    if (counters === undefined) {
      counters = new RouteCounters(route);
      this.routes.set(route, counters);
    }
    return counters;
  }

  job(op: Operation, format: JobFormat): JobCounters {
    const key = `${op} ${format}`;
    let counters = this.jobs.get(key);
    if (counters === undefined) {
      counters = new JobCounters(op, format);
      this.jobs.set(key, counters);
    }
    return counters;
  }

  /** Input of all compression requests, bytes. */
  compressedBytes(): number {
    let bytes = 0;
    for (const { op, bytesIn } of this.jobs.values()) if (op === 'compress') bytes += bytesIn;
    return bytes;
  }

  fellBack(reason: string, count = 1): void {
    this.fallbacks.set(reason, (this.fallbacks.get(reason) ?? 0) + count);
  }

  webSocketOpened(socket: OutputBuffer): void {
    this.webSockets.sessions++;
    this.openSockets.add(socket);
  }

  webSocketClosed(socket: OutputBuffer, code: number): void {
    this.webSockets.sessions--;
    this.openSockets.delete(socket);
    this.addCloses(code, 1);
  }

  /** Output that waits in sockets for WebSocket clients to read. */
  bufferedBytes(): number {
    let bytes = this.bufferedElsewhere;
    for (const { bufferedAmount } of this.openSockets) bytes += bufferedAmount;
    return bytes;
  }

  private faulted({ domainKind, event }: FaultSnapshot): void {
    const known = this.faults.find((one) => one.domainKind === domainKind && one.event === event);
    if (known === undefined) this.faults.push({ domainKind, event, count: 1 });
    else known.count++;
  }

  addCloses(code: number, count: number): void {
    this.webSockets.closes.set(code, (this.webSockets.closes.get(code) ?? 0) + count);
  }

  /** `requests` and its kin count compress and decompress requests; `operations` are jobs of the engine cores. */
  totals(): Totals {
    const totals: Totals = {
      requests: 0,
      failures: 0,
      bytesIn: 0,
      bytesOut: 0,
      operations: 0,
      activeStreams: this.activeStreams,
      faults: this.faults.reduce((sum, { count }) => sum + count, 0),
      fallbacks: 0,
    };
    for (const { outcomes, bytesIn, bytesOut } of this.jobs.values()) {
      const failures = outcomes.refused + outcomes.corrupt + outcomes.aborted + outcomes.failed;
      totals.requests += outcomes.ok + failures;
      totals.failures += failures;
      totals.bytesIn += bytesIn;
      totals.bytesOut += bytesOut;
    }
    for (const device of this.view.devices()) for (const core of device.cores) totals.operations += core.jobs;
    for (const count of this.fallbacks.values()) totals.fallbacks += count;
    return totals;
  }
}
