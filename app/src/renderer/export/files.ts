import type { BenchRun } from '../../../../shared/src/bench.ts';
import type { FaultSnapshot } from '../../../../shared/src/telemetry.ts';
import { compare } from '../store/comparison.ts';
import { CHANNELS, type Channel, type History } from '../store/monitor-store.ts';
import type { TimeWindow } from '../store/time-range.ts';
import { csv } from './csv.ts';

/** A file for a person to keep. */
export interface ExportFile {
  name: string;
  type: 'text/csv' | 'application/json' | 'application/jsonl' | 'image/png';
  bytes: Uint8Array<ArrayBuffer>;
}

const text = (name: string, type: ExportFile['type'], content: string): ExportFile => ({
  name,
  type,
  bytes: new TextEncoder().encode(content),
});

/** `warpdrive-2026-11-23T19-20-05`: sorts by time and suits every file system. */
export const fileStem = (what: string, atMs: number): string =>
  `warpdrive-${what}-${new Date(atMs).toISOString().slice(0, 19).replaceAll(':', '-')}`;

/** Base units, named in the header. */
const UNITS: Record<Channel, string> = {
  inBytesPerSec: 'in_bytes_per_second',
  outBytesPerSec: 'out_bytes_per_second',
  attachedInBytesPerSec: 'attached_in_bytes_per_second',
  attachedOutBytesPerSec: 'attached_out_bytes_per_second',
  ratio: 'compression_ratio',
  jobsPerSec: 'jobs_per_second',
  faultsPerSec: 'faults_per_second',
  busyRatio: 'engine_busy_ratio',
  p50Us: 'latency_p50_microseconds',
  p99Us: 'latency_p99_microseconds',
  fallbackRatio: 'fallback_ratio',
  busyPerSec: 'full_ring_refusals_per_second',
  occupancyRatio: 'fullest_ring_ratio',
  iotlbHitRatio: 'iotlb_hit_ratio',
  pageRequestsPerSec: 'page_requests_per_second',
  stalls: 'stalled_transactions',
  oldestStallMs: 'oldest_stall_milliseconds',
  softwareCores: 'software_threads_estimate',
  activeStreams: 'active_streams',
  eventLoopDelayMs: 'event_loop_delay_milliseconds',
};

/** The visible stretch of time, one line a reading, ISO times. */
export function exportHistory(history: History, { fromMs, toMs }: TimeWindow): ExportFile {
  const rows = function* () {
    for (const atMs of history.timesBetween(fromMs, toMs))
      yield [new Date(atMs).toISOString(), ...CHANNELS.map((channel) => history.valueAt(channel, atMs, 0))];
  };
  return text(
    `${fileStem('figures', toMs)}.csv`,
    'text/csv',
    csv(['time', ...CHANNELS.map((c) => UNITS[c])], rows()),
  );
}

const FAULT_FIELDS = [
  'seq',
  'time',
  'event',
  'reason',
  'outcome',
  'access',
  'iova',
  'device',
  'stream_id',
  'pasid',
  'pid',
  'process',
  'queue',
  'advice',
  'kernel_line',
];

export function exportFaultsCsv(faults: Iterable<FaultSnapshot>, atMs: number): ExportFile {
  const rows = function* () {
    for (const f of faults)
      yield [
        f.seq,
        new Date(f.atMs).toISOString(),
        f.event,
        f.reason,
        f.outcome,
        f.access,
        f.iova,
        f.device,
        f.streamId,
        f.pasid ?? Number.NaN,
        f.owner?.pid ?? Number.NaN,
        f.owner?.name ?? '',
        f.queue ?? '',
        f.advice,
        f.kernelLine,
      ];
  };
  return text(`${fileStem('faults', atMs)}.csv`, 'text/csv', csv(FAULT_FIELDS, rows()));
}

/** One fault a line, as the service sent it. */
export function exportFaultsJson(faults: Iterable<FaultSnapshot>, atMs: number): ExportFile {
  const lines = Array.from(faults, (fault) => JSON.stringify(fault));
  return text(
    `${fileStem('faults', atMs)}.jsonl`,
    'application/jsonl',
    lines.map((line) => `${line}\n`).join(''),
  );
}

export function exportRuns(runs: readonly BenchRun[]): ExportFile {
  const content = runs.map((run) => ({
    ...run,
    startedAt: new Date(run.startedAtMs).toISOString(),
    rows: compare(run),
  }));
  return text(
    `${fileStem('comparison', runs.at(-1)?.startedAtMs ?? 0)}.json`,
    'application/json',
    `${JSON.stringify(content, null, 2)}\n`,
  );
}

export const exportJson = (what: string, atMs: number, content: unknown): ExportFile =>
  text(`${fileStem(what, atMs)}.json`, 'application/json', `${JSON.stringify(content, null, 2)}\n`);
