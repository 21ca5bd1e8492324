import type { SoftwareSamples } from '../../../shared/src/software-cost.ts';
import type {
  CoreName,
  DeviceSnapshot,
  FaultSnapshot,
  IommuSnapshot,
  JobSlots,
  MdevSnapshot,
  QueueMode,
  QueueSnapshot,
  StackAdmin,
  StackView,
  SysfsView,
  WorkerSnapshot,
} from '../../../shared/src/telemetry.ts';
import type { StackTimings } from '../../../shared/src/timings.ts';
import { FaultFeed } from './fault-feed.ts';
import { countsOf, mergeIommu, stagOf } from './merge-iommu.ts';
import { mergeTimings } from './merge-timings.ts';
import type { WorkerReport } from './messages.ts';

/** What the jobs of processes that are gone leave behind. */
type CoreTotals = Map<number, { jobs: number; busyNs: number }>;

interface VirtualFunctionState {
  report: Omit<WorkerReport, 'increments'>;
  readonly gone: CoreTotals;
  goneTimings?: StackTimings;
  goneIommu?: IommuSnapshot;
}

export interface MergedParts {
  /** The physical function, in this process. */
  pf: StackView;
  admin: StackAdmin | undefined;
  workers(): WorkerSnapshot[];
  watch(isOn: boolean): void;
}

/** The physical function and every virtual one as one stack, from what the workers reported last. */
export class MergedView implements StackView {
  private readonly functions = new Map<number, VirtualFunctionState>();
  private readonly feed = new FaultFeed();

  constructor(private readonly parts: MergedParts) {
    for (const fault of parts.pf.faults(undefined, true)) this.addFault(0, fault);
    parts.pf.onFault((fault) => this.addFault(0, fault));
  }

  get mode(): QueueMode {
    return this.parts.pf.mode;
  }
  get core(): CoreName {
    return this.parts.pf.core;
  }
  get coreReason(): string {
    return this.parts.pf.coreReason;
  }
  get emulated(): boolean {
    return this.parts.pf.emulated;
  }
  get sysfs(): SysfsView | undefined {
    return this.parts.pf.sysfs;
  }
  get admin(): StackAdmin | undefined {
    return this.parts.admin;
  }

  reported(vf: number, report: WorkerReport): void {
    const known = this.functions.get(vf);
    if (known) known.report = report;
    else this.add(vf, report);
  }

  /** In order of their numbers, whichever reported first. */
  private add(vf: number, report: WorkerReport): void {
    const all = [...this.functions, [vf, { report, gone: new Map() }] as const].sort(([a], [b]) => a - b);
    this.functions.clear();
    for (const [number, known] of all) this.functions.set(number, known);
  }

  addFault(vf: number, fault: FaultSnapshot): void {
    this.feed.add(fault.stag === undefined ? fault : { ...fault, stag: stagOf(vf, fault.stag) });
  }

  /** The process of this function is gone: its queues and mdevs with it, what it did stays counted. */
  gone(vf: number): void {
    const known = this.functions.get(vf);
    if (!known) return;
    for (const { cores } of known.report.devices)
      for (const { id, jobs, busyNs } of cores) {
        const before = known.gone.get(id) ?? { jobs: 0, busyNs: 0 };
        known.gone.set(id, { jobs: before.jobs + jobs, busyNs: before.busyNs + busyNs });
      }
    const devices = known.report.devices.map((device) => ({
      ...device,
      queuesFree: 0,
      cores: device.cores.map((core) => ({ ...core, jobs: 0, busyNs: 0 })),
    }));
    known.goneTimings = mergeTimings(timingsOf(known));
    known.goneIommu = countsOf(mergeIommu(iommuOf(vf, known), false));
    const { iommu: _, software: __, timings: ___, ...rest } = known.report;
    known.report = { ...rest, devices, mdevs: [], queues: [], jobSlots: [] };
  }

  devices(): DeviceSnapshot[] {
    return [
      ...this.parts.pf.devices(),
      ...[...this.functions.values()].flatMap(({ report, gone }) =>
        report.devices.map((device) => ({
          ...device,
          cores: device.cores.map((core) => {
            const before = gone.get(core.id) ?? { jobs: 0, busyNs: 0 };
            return { ...core, jobs: core.jobs + before.jobs, busyNs: core.busyNs + before.busyNs };
          }),
        })),
      ),
    ];
  }

  mdevs(): MdevSnapshot[] {
    return [...this.parts.pf.mdevs(), ...this.reports().flatMap(({ mdevs }) => mdevs)];
  }

  queues(): QueueSnapshot[] {
    return [...this.parts.pf.queues(), ...this.reports().flatMap(({ queues }) => queues)];
  }

  jobSlots(): JobSlots[] {
    const sums = new Map<JobSlots['pool'], JobSlots>();
    for (const { pool, total, taken, waiting } of this.reports().flatMap(({ jobSlots }) => jobSlots)) {
      const sum = sums.get(pool) ?? { pool, total: 0, taken: 0, waiting: 0 };
      sums.set(pool, {
        pool,
        total: sum.total + total,
        taken: sum.taken + taken,
        waiting: sum.waiting + waiting,
      });
    }
    return [...sums.values()];
  }

  faults(sinceSeq?: number, isAdmin?: boolean): FaultSnapshot[] {
    return this.feed.list(sinceSeq, isAdmin);
  }

  onFault(listener: (fault: FaultSnapshot) => void): () => void {
    return this.feed.onFault(listener);
  }

  iommu(isAdmin: boolean): IommuSnapshot {
    const own = this.parts.pf.iommu?.(true);
    const parts = own ? [{ vf: 0, iommu: own }] : [];
    return mergeIommu(
      [...parts, ...[...this.functions].flatMap(([vf, known]) => iommuOf(vf, known))],
      isAdmin,
    );
  }

  pageRequests(isAdmin: boolean): FaultSnapshot[] {
    const others = this.reports().flatMap(({ pageRequests }) => pageRequests);
    const all = [...(this.parts.pf.pageRequests?.(true) ?? []), ...others];
    return all
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ pasid, ...rest }) => (isAdmin && pasid !== undefined ? { ...rest, pasid } : rest));
  }

  timings(): StackTimings {
    const own = this.parts.pf.timings?.();
    return mergeTimings([...(own ? [own] : []), ...[...this.functions.values()].flatMap(timingsOf)]);
  }

  softwareSamples(): SoftwareSamples[] {
    return this.reports().flatMap(({ software }) => (software ? [software] : []));
  }

  workers(): WorkerSnapshot[] {
    return this.parts.workers();
  }

  watch(isOn: boolean): void {
    this.parts.watch(isOn);
  }

  private reports(): VirtualFunctionState['report'][] {
    return [...this.functions.values()].map(({ report }) => report);
  }
}

/** Of the processes that are gone, and of the one that runs. */
const timingsOf = ({ report, goneTimings }: VirtualFunctionState): StackTimings[] =>
  [goneTimings, report.timings].filter((timings) => timings !== undefined);

const iommuOf = (
  vf: number,
  { report, goneIommu }: VirtualFunctionState,
): { vf: number; iommu: IommuSnapshot }[] =>
  [goneIommu, report.iommu].filter((iommu) => iommu !== undefined).map((iommu) => ({ vf, iommu }));
