import type { FaultSnapshot, StackView, StatusSnapshot } from '../../../shared/src/telemetry.ts';
import type { Clock } from '../platform/clock.ts';
import type { Counters } from './counters.ts';

export interface StatusSource {
  view: StackView;
  counters: Counters;
  clock: Clock;
  version: string;
  startedAtMs: number;
  phase: { readonly ready: boolean; readonly draining: boolean };
}

export function statusSnapshot(source: StatusSource): StatusSnapshot {
  const { view, phase } = source;
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
  };
}

/** A fault as anyone may see it: the PASID is for administrators, also as the kernel line's ssid. */
export function publicFault({ pasid: _, ...fault }: FaultSnapshot): FaultSnapshot {
  return { ...fault, kernelLine: fault.kernelLine.replace(/\bssid: 0x[0-9a-f]+/, 'ssid: hidden') };
}
