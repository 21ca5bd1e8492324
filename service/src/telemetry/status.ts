import type { FaultSnapshot, StackView, StatusSnapshot } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Counters } from './counters.ts';

export interface StatusSource {
  view: StackView;
  counters: Counters;
  clock: Clock;
  version: string;
  startedAtMs: number;
  phase: { readonly ready: boolean; readonly stopping: boolean; readonly draining: boolean };
}

export function statusSnapshot(source: StatusSource): StatusSnapshot {
  const { view, phase } = source;
  const workers = view.workers?.();
  return {
    service: 'warpdrive',
    version: source.version,
    node: process.version,
    pid: process.pid,
    startedAtMs: source.startedAtMs,
    atMs: source.clock.wallMs(),
    ready: phase.ready,
    draining: phase.draining,
    mode: view.mode,
    core: view.core,
    coreReason: view.coreReason,
    emulated: view.emulated,
    totals: source.counters.totals(),
    ...(workers ? { workers } : {}),
  };
}

/** Whether any worker process takes requests; undefined with one process. */
function workersCheck(view: StackView): Check | undefined {
  const workers = view.workers?.();
  if (!workers) return undefined;
  const ready = workers.filter(({ state }) => state === 'ready').length;
  const others = workers
    .filter(({ state }) => state !== 'ready')
    .map(
      ({ vf, state, lastEnd }) =>
        `; worker ${vf}: ${state}${lastEnd === undefined ? '' : ` after ${lastEnd}`}`,
    );
  return { ok: ready > 0, detail: `${ready} of ${workers.length} workers ready${others.join('')}` };
}

/** A fault as anyone may see it: the PASID is for administrators, also as the kernel line's ssid. */
export function publicFault({ pasid: _, ...fault }: FaultSnapshot): FaultSnapshot {
  return { ...fault, kernelLine: fault.kernelLine.replace(/\bssid: 0x[0-9a-f]+/, 'ssid: hidden') };
}

export interface Check {
  ok: boolean;
  /** One sentence part for a person: what is there, or what is missing. */
  detail: string;
}

/** Whether new work should be sent here, and why not. The answer of /readyz. */
export function readiness({ view, phase }: StatusSource): { ready: boolean; checks: Record<string, Check> } {
  const workers = workersCheck(view);
  const devices = view.devices();
  const usable = devices.filter((device) => device.isolated !== true);
  const queues = view.queues();
  const started = queues.filter((queue) => queue.state === 'started').length;
  const checks = {
    accepting: {
      ok: phase.ready,
      detail: phase.ready ? 'accepting requests' : phase.stopping ? 'shutting down' : 'starting',
    },
    device: {
      ok: devices.length > 0,
      detail:
        devices.length === 0
          ? 'no device: "warpdrive doctor" names what is missing'
          : usable.length > 0
            ? usable.map((device) => `${device.name}, ${device.kind}`).join('; ')
            : 'isolated after hardware errors: software serves where --fallback allows it',
    },
    queues: { ok: true, detail: `${started} of ${queues.length} started` },
    ...(workers ? { workers } : {}),
  };
  return { ready: Object.values(checks).every((check) => check.ok), checks };
}
