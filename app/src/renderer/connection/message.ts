import type { MonitorMessage } from '../../../../shared/src/telemetry.ts';

type Fields = Record<string, unknown>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasLists = (value: Fields, ...names: string[]) => names.every((name) => Array.isArray(value[name]));

/** A reading may reach the screen only if what every panel reads from it is there. */
const isSample = (value: unknown) =>
  isObject(value) &&
  typeof value['atMs'] === 'number' &&
  isObject(value['totals']) &&
  hasLists(value, 'queues', 'devices');

const CHECKS: Record<MonitorMessage['type'], (message: Fields) => boolean> = {
  snapshot: (m) =>
    isObject(m['status']) &&
    isObject(m['status']['totals']) &&
    hasLists(m, 'devices', 'mdevs', 'queues', 'faults'),
  sample: (m) => isSample(m['sample']),
  fault: (m) => isObject(m['fault']) && typeof m['fault']['seq'] === 'number',
  faults: (m) =>
    typeof m['sinceSeq'] === 'number' &&
    Array.isArray(m['faults']) &&
    m['faults'].every((fault) => isObject(fault) && typeof fault['seq'] === 'number'),
  bench: (m) => isObject(m['run']) && typeof m['run']['id'] === 'string' && hasLists(m['run'], 'rows'),
  auth: (m) => typeof m['isAdmin'] === 'boolean',
  mdev: (m) => isObject(m['mdev']) && typeof m['mdev']['uuid'] === 'string',
};

/** The message in a text frame; undefined for anything this page does not know or that lacks what it must hold. */
export function parseMonitorMessage(data: unknown): MonitorMessage | undefined {
  if (typeof data !== 'string') return undefined;
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isObject(message) || typeof message['type'] !== 'string') return undefined;
  const check = Object.hasOwn(CHECKS, message['type'])
    ? CHECKS[message['type'] as MonitorMessage['type']]
    : undefined;
  return check?.(message) ? (message as unknown as MonitorMessage) : undefined;
}
