import type { Service } from '../services.ts';
import type { Reading } from '../store/monitor-store.ts';
import type { Clock } from '../timing.ts';
import { recall, remember } from '../widgets/storage.ts';
import { Alarm, type AlarmChange } from './alarm.ts';
import { type AlarmInputs, type AlarmRule, DEFAULT_RULES } from './rules.ts';

const KEPT_CHANGES = 200;
const RULES_KEY = 'warpdrive.alarms';
const NOTIFY_KEY = 'warpdrive.notify';
export const MUTE_MS = 3_600_000;

export interface WatchedAlarm {
  service: Service;
  alarm: Alarm;
}

/** The alarms of all services, their rules as the user set them, what happened, and the system's notifications. */
export class AlarmWatch {
  rules: AlarmRule[] = storedRules();
  /** Newest last. */
  readonly history: (AlarmChange & { service: string })[] = [];
  wantsNotifications = recall(NOTIFY_KEY) === true;
  private readonly alarms = new Map<Service, Alarm[]>();
  private readonly stuck = new Map<string, { operations: number; sinceMs: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {}

  get nowMs(): number {
    return this.clock.nowMs();
  }

  of(service: Service): Alarm[] {
    let alarms = this.alarms.get(service);
    if (alarms === undefined) {
      alarms = this.rules.map((rule) => new Alarm(rule));
      this.alarms.set(service, alarms);
    }
    return alarms;
  }

  /** Those that fire and that nobody has acknowledged or muted, on any service. */
  loud(): WatchedAlarm[] {
    const nowMs = this.clock.nowMs();
    return [...this.alarms].flatMap(([service, alarms]) =>
      alarms.filter((alarm) => alarm.isLoud(nowMs)).map((alarm) => ({ service, alarm })),
    );
  }

  look(service: Service): void {
    const nowMs = this.clock.nowMs();
    const { connection, store } = service;
    if (connection.lastDataAtMs === undefined) return; // never heard of: the strip says so, no alarm is due
    const inputs = inputsOf(store.reading, nowMs - connection.lastDataAtMs, this.stuckMs(service));
    let hasChanged = false;
    for (const alarm of this.of(service)) {
      const change = alarm.look(inputs, nowMs);
      if (change === undefined) continue;
      hasChanged = true;
      this.history.push({ ...change, service: service.endpoint.label });
      if (this.history.length > KEPT_CHANGES) this.history.shift();
      if (change.kind === 'fired' && !alarm.isMuted(nowMs)) this.notify(service, change);
    }
    if (hasChanged) this.onChange();
  }

  /** Changes one rule, for all services, and remembers it. */
  setRule(id: string, part: Partial<AlarmRule>): void {
    this.rules = this.rules.map((rule) => (rule.id === id ? { ...rule, ...part } : rule));
    for (const alarms of this.alarms.values())
      for (const alarm of alarms)
        alarm.rule = this.rules.find((rule) => rule.id === alarm.rule.id) ?? alarm.rule;
    remember(
      RULES_KEY,
      this.rules.map(({ id, threshold, clear, forMs, isOn }) => ({ id, threshold, clear, forMs, isOn })),
    );
    this.onChange();
  }

  resetRules(): void {
    for (const rule of DEFAULT_RULES) this.setRule(rule.id, rule);
  }

  /** Asks the system; false when the person or the system refused. */
  async setNotifications(wanted: boolean): Promise<boolean> {
    const isGranted =
      wanted && 'Notification' in window && (await Notification.requestPermission()) === 'granted';
    this.wantsNotifications = isGranted;
    remember(NOTIFY_KEY, isGranted);
    this.onChange();
    return isGranted || !wanted;
  }

  private notify(service: Service, { title, value, ruleId }: AlarmChange): void {
    if (!this.wantsNotifications || !('Notification' in window) || Notification.permission !== 'granted')
      return;
    new Notification(title, { body: `${value} on ${service.endpoint.label}`, tag: `warpdrive-${ruleId}` });
  }

  /** How long the queue that moves least has had jobs in flight without completing one. */
  private stuckMs({ store, endpoint }: Service): number {
    const { reading } = store;
    if (reading === undefined) return Number.NaN;
    let longest = 0;
    for (const { queue } of reading.queues) {
      const key = `${endpoint.httpOrigin} ${queue.id}`;
      const known = this.stuck.get(key);
      if (queue.inFlight === 0) this.stuck.delete(key);
      else if (known?.operations !== queue.operations)
        this.stuck.set(key, { operations: queue.operations, sinceMs: reading.atMs });
      else longest = Math.max(longest, reading.atMs - known.sinceMs);
    }
    return longest;
  }
}

export function inputsOf(reading: Reading | undefined, dataAgeMs: number, stuckMs: number): AlarmInputs {
  const rates = reading?.rates;
  const unknown = Number.NaN;
  return {
    dataAgeMs,
    fallbackRatio: rates?.fallbackRatio ?? unknown,
    busyPerSec: rates?.busyPerSec ?? unknown,
    faultsPerSec: rates?.faultsPerSec ?? unknown,
    oldestStallMs: rates?.oldestStallMs ?? unknown,
    iotlbHitRatio: rates?.iotlbHitRatio ?? unknown,
    p99Us: rates?.p99Us ?? unknown,
    stuckMs,
    eventLoopDelayMs: reading?.host?.eventLoopDelayMs ?? unknown,
  };
}

/** The defaults with what the user changed; a stored rule of another version is left out. */
function storedRules(): AlarmRule[] {
  const stored = recall(RULES_KEY);
  const changes: unknown[] = Array.isArray(stored) ? stored : [];
  return DEFAULT_RULES.map((rule) => {
    const change = changes.find(
      (one): one is Record<string, unknown> =>
        typeof one === 'object' && one !== null && 'id' in one && one.id === rule.id,
    );
    const number = (name: 'threshold' | 'clear' | 'forMs') => {
      const value = change?.[name];
      return typeof value === 'number' && Number.isFinite(value) ? value : rule[name];
    };
    return {
      ...rule,
      threshold: number('threshold'),
      clear: number('clear'),
      forMs: number('forMs'),
      isOn: typeof change?.['isOn'] === 'boolean' ? change['isOn'] : true,
    };
  });
}
