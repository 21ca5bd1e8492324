import type { FaultKind, FaultPlan, FaultPlanSnapshot } from '../../../../shared/src/fault-injection.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import { checkPlan } from './check-plan.ts';
import { seededRandom } from './random.ts';

type PlanOf<Kind extends FaultKind> = Extract<FaultPlan, { kind: Kind }>;

/** Plans that are done and still shown. */
const KEPT_DONE = 100;

interface Entry {
  readonly plan: FaultPlan;
  readonly snapshot: FaultPlanSnapshot;
  readonly random: () => number;
  /** Called when the plan is cleared: lets go what it holds. */
  readonly release: Set<() => void>;
}

export interface FaultInjectorParts {
  /** Name of the device's function, as plans may say it. */
  device: string;
  clock: Clock;
  log: Log;
  /** Engine cores in threads: without one no core can hang. */
  hasWorkers: boolean;
  /** Raises a hardware error now. */
  raise: (plan: PlanOf<'ras'>) => void;
}

/**
 * The plans of injected faults. The device asks at each occasion whether one strikes, but only while `isActive`: without
 * plans the question costs one load.
 */
export class FaultInjector {
  isActive = false;
  private readonly entries: Entry[] = [];
  private nextId = 1;

  constructor(private readonly parts: FaultInjectorParts) {}

  /** @throws WD_E_EINVAL naming the field and what is allowed */
  inject(plan: FaultPlan): FaultPlanSnapshot {
    const { clock, device, hasWorkers } = this.parts;
    checkPlan(plan, { device, hasWorkers });
    const snapshot: FaultPlanSnapshot = {
      id: this.nextId++,
      device,
      plan,
      isActive: true,
      injectedAtMs: clock.wallMs(),
      seen: 0,
      fired: 0,
    };
    const seed = plan.kind === 'ras' ? 1 : (plan.seed ?? 1);
    const entry: Entry = { plan, snapshot, random: seededRandom(seed), release: new Set() };
    this.entries.push(entry);
    if (plan.kind === 'ras') {
      snapshot.seen = 1;
      this.strike(entry, undefined);
      this.parts.raise(plan);
    }
    this.update();
    return { ...snapshot };
  }

  /** Newest last. */
  list(): FaultPlanSnapshot[] {
    return this.entries.map(({ snapshot }) => ({ ...snapshot }));
  }

  /** Ends one plan, or all, and lets go what they hold. @returns how many were active */
  clear(id?: number): number {
    let cleared = 0;
    for (const { snapshot, release } of this.entries) {
      if (id !== undefined && snapshot.id !== id) continue;
      if (snapshot.isActive) cleared++;
      snapshot.isActive = false;
      for (const letGo of release) letGo();
      release.clear();
    }
    this.update();
    return cleared;
  }

  /** An occasion for faults of this kind. @returns the plan that strikes */
  strikes<Kind extends FaultKind>(kind: Kind, qpId: number): PlanOf<Kind> | undefined {
    for (const entry of this.entries) {
      const { plan, snapshot } = entry;
      if (!snapshot.isActive || plan.kind !== kind || plan.kind === 'ras') continue;
      if (plan.queue !== undefined && plan.queue !== qpId) continue;
      if (snapshot.seen++ < (plan.after ?? 0)) continue;
      const { probability = 1 } = plan;
      if (probability < 1 && entry.random() >= probability) continue;
      this.strike(entry, qpId);
      return plan as PlanOf<Kind>;
    }
    return undefined;
  }

  /** A number from 0 to `limit` − 1 from the plan's own sequence. */
  pick(plan: FaultPlan, limit: number): number {
    const entry = this.entries.find((candidate) => candidate.plan === plan);
    return Math.floor((entry?.random() ?? 0) * limit);
  }

  /** Calls back once when the plan is cleared. @returns cancels that */
  whenCleared(plan: FaultPlan, letGo: () => void): () => void {
    const release = this.entries.find((candidate) => candidate.plan === plan)?.release;
    release?.add(letGo);
    return () => release?.delete(letGo);
  }

  private strike({ plan, snapshot }: Entry, qpId: number | undefined): void {
    const { clock, log } = this.parts;
    snapshot.fired++;
    snapshot.lastFiredAtMs = clock.wallMs();
    if (qpId !== undefined) snapshot.lastQueue = qpId;
    const limit = plan.kind === 'ras' ? 1 : (plan.count ?? 1);
    if (snapshot.fired >= limit) {
      snapshot.isActive = false;
      this.update();
    }
    log.warn({ plan: snapshot.id, kind: plan.kind, qpId, fired: snapshot.fired }, 'injected fault');
  }

  private update(): void {
    this.isActive = this.entries.some(({ snapshot }) => snapshot.isActive);
    const done = this.entries.filter(({ snapshot, release }) => !snapshot.isActive && release.size === 0);
    for (const entry of done.slice(0, Math.max(0, done.length - KEPT_DONE)))
      this.entries.splice(this.entries.indexOf(entry), 1);
  }
}
