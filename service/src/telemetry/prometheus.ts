import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { WORKER_STATES } from '../../../shared/src/telemetry.ts';
import type { DomainDurations } from '../../../shared/src/timings.ts';
import { OUTCOMES } from './counters.ts';
import { type ExposedHistogram, exposed } from './histogram.ts';
import type { StatusSource } from './status.ts';

type Labels = Record<string, string | number>;
type Put = (labels: Labels, value: number) => void;

const EVENT_LOOP_PRECISION_MS = 500;
const MAX_QUEUE_LABELS = 64;
const OTHER_QUEUE = 'other';

/** The exposition of /metrics; values are read from the counters and the stack's view when it is scraped. */
export class Metrics {
  private readonly registry = new Registry();
  readonly contentType = this.registry.contentType;

  constructor(private readonly source: StatusSource) {
    // because each measurement of the event loop wakes the process, also when nothing is to do
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS });
    this.service();
    this.devices();
    this.iommu();
    this.queues();
    this.workers();
  }

  async text(): Promise<string> {
    const { counters, view } = this.source;
    const timings = view.timings?.();
    const byDomain = (all: DomainDurations[] = []): [Labels, ExposedHistogram][] =>
      all.map(({ domainKind, durations }) => [{ domain_kind: domainKind }, exposed(durations)]);
    return (
      (await this.registry.metrics()) +
      histogramText(
        'warpdrive_http_request_duration_seconds',
        'Time from the request to the end of its answer',
        [...counters.routes.values()].map(({ route, duration }) => [{ route }, duration.read()]),
      ) +
      histogramText(
        'warpdrive_job_duration_seconds',
        'Time of a compression or decompression request',
        [...counters.jobs.values()].map(({ op, format, duration }) => [
          { op, format, engine: view.core },
          duration.read(),
        ]),
      ) +
      histogramText(
        'warpdrive_sqe_latency_seconds',
        'Doorbell to completion entry of an SQE',
        (timings?.sqes ?? []).map(({ device, durations }) => [{ device }, exposed(durations)]),
      ) +
      histogramText(
        'warpdrive_iopf_duration_seconds',
        'Page request to its answer',
        byDomain(timings?.pageRequests),
      ) +
      histogramText(
        'warpdrive_iommu_translation_seconds',
        'Time of a translation; one of 61 is timed, so the count is of samples',
        byDomain(timings?.translations),
      )
    );
  }

  private service(): void {
    const { counters, view, version } = this.source;
    const slots = () => view.jobSlots?.() ?? [];
    this.gauge('build_info', 'Always 1', ['version', 'node'], (put) =>
      put({ version, node: process.version }, 1),
    );
    this.counter('http_requests_total', 'Requests by route', ['route', 'method', 'status'], (put) => {
      for (const route of counters.routes.values())
        for (const { method, status, count } of route.read())
          put({ route: route.route, method, status }, count);
    });
    const jobLabels = ['op', 'format', 'engine'];
    const jobs = () =>
      [...counters.jobs.values()].map((job) => ({
        job,
        labels: { op: job.op, format: job.format, engine: view.core },
      }));
    this.counter('jobs_total', 'Compression and decompression requests', [...jobLabels, 'outcome'], (put) => {
      for (const { job, labels } of jobs())
        for (const outcome of OUTCOMES) put({ ...labels, outcome }, job.outcomes[outcome]);
    });
    this.counter('job_input_bytes_total', 'Bytes that clients sent', jobLabels, (put) => {
      for (const { job, labels } of jobs()) put(labels, job.bytesIn);
    });
    this.counter('job_output_bytes_total', 'Bytes that clients were sent', jobLabels, (put) => {
      for (const { job, labels } of jobs()) put(labels, job.bytesOut);
    });
    this.gauge('job_slots', 'Job slots: what is in flight at most', ['pool'], (put) => {
      for (const { pool, total } of slots()) put({ pool }, total);
    });
    this.gauge('job_slots_taken', 'Job slots in use', ['pool'], (put) => {
      for (const { pool, taken } of slots()) put({ pool }, taken);
    });
    this.gauge('jobs_waiting', 'Jobs that wait for a slot', ['pool'], (put) => {
      for (const { pool, waiting } of slots()) put({ pool }, waiting);
    });
    this.gauge(
      'queue_occupancy_ratio',
      'Jobs in slots and waiting, over slots, of the fuller pool',
      [],
      (put) => put({}, Math.max(0, ...slots().map(({ total, taken, waiting }) => (taken + waiting) / total))),
    );
    this.gauge('active_streams', 'Requests being streamed', [], (put) => put({}, counters.activeStreams));
    this.counter('fallback_total', 'Requests that software served', ['reason'], (put) => {
      for (const [reason, count] of counters.fallbacks) put({ reason }, count);
    });
    this.counter('job_retries_total', 'Jobs that the device failed and was given again', [], (put) =>
      put({}, counters.retries),
    );
    this.gauge('ws_sessions', 'Open WebSockets', [], (put) => put({}, counters.webSockets.sessions));
    this.gauge('ws_buffered_bytes', 'Output that waits for WebSocket clients to read', [], (put) =>
      put({}, counters.bufferedBytes()),
    );
    this.counter('ws_dropped_snapshots_total', 'Samples that a slow client missed', [], (put) =>
      put({}, counters.webSockets.droppedSamples),
    );
    this.counter('ws_closes_total', 'Closed WebSockets', ['code'], (put) => {
      for (const [code, count] of counters.webSockets.closes) put({ code }, count);
    });
    this.counter('iommu_faults_total', 'Faults that the IOMMU recorded', ['domain_kind', 'reason'], (put) => {
      for (const { domainKind, event, count } of counters.faults)
        put({ domain_kind: domainKind, reason: event }, count);
    });
  }

  /** Only where there is more than one process. */
  private workers(): void {
    const { view } = this.source;
    const all = () => view.workers?.() ?? [];
    if (view.workers === undefined) return;
    this.gauge('workers', 'Worker processes', ['state'], (put) => {
      for (const state of WORKER_STATES)
        put({ state }, all().filter((worker) => worker.state === state).length);
    });
    this.counter('worker_restarts_total', 'Worker processes that replaced a dead one', ['vf'], (put) => {
      for (const { vf, restarts } of all()) put({ vf }, restarts);
    });
    this.gauge('worker_resident_memory_bytes', 'Memory of a worker process', ['vf'], (put) => {
      for (const { vf, rssBytes } of all()) put({ vf }, rssBytes);
    });
  }

  private devices(): void {
    const { view } = this.source;
    this.gauge('device_info', 'Always 1', ['device', 'kind', 'fault_model'], (put) => {
      for (const d of view.devices()) put({ device: d.name, kind: d.kind, fault_model: d.faultModel }, 1);
    });
    this.gauge('queues_free', 'Queues that can be opened', ['device'], (put) => {
      for (const d of view.devices()) put({ device: d.name }, d.queuesFree);
    });
    const coreLabels = ['device', 'core', 'engine', 'where'];
    const cores = () =>
      view.devices().flatMap((device) =>
        device.cores.map((core) => ({
          core,
          labels: { device: device.name, core: core.id, engine: core.name, where: core.where },
        })),
      );
    this.counter('engine_jobs_total', 'Jobs of an engine core', coreLabels, (put) => {
      for (const { core, labels } of cores()) put(labels, core.jobs);
    });
    this.counter('engine_busy_seconds_total', 'Time that an engine core worked', coreLabels, (put) => {
      for (const { core, labels } of cores()) put(labels, core.busyNs / 1e9);
    });
    this.gauge('mdev_instances', 'Mediated devices', ['type', 'state'], (put) => {
      const counts = new Map<string, { labels: Labels; count: number }>();
      for (const { type, state } of view.mdevs()) {
        const entry = counts.get(`${type} ${state}`) ?? { labels: { type, state }, count: 0 };
        entry.count++;
        counts.set(`${type} ${state}`, entry);
      }
      for (const { labels, count } of counts.values()) put(labels, count);
    });
  }

  private iommu(): void {
    const { view } = this.source;
    const snapshot = () => view.iommu?.(false);
    this.counter('iotlb_lookups_total', 'Lookups in the translation cache', ['result'], (put) => {
      const { hits = 0, misses = 0 } = snapshot()?.iotlb ?? {};
      put({ result: 'hit' }, hits);
      put({ result: 'miss' }, misses);
    });
    this.counter('iopf_total', 'Page requests answered', ['response'], (put) => {
      for (const [response, count] of Object.entries(snapshot()?.pageRequests ?? {}))
        put({ response }, count);
    });
    this.gauge('iommu_stalled_transactions', 'Transactions that wait for a page', [], (put) =>
      put({}, snapshot()?.stalls.length ?? 0),
    );
    this.gauge(
      'iommu_oldest_stall_seconds',
      'Age of the transaction that waits longest for its page',
      [],
      (put) => put({}, Math.max(0, ...(snapshot()?.stalls ?? []).map(({ ageMs }) => ageMs)) / 1000),
    );
    this.gauge('pasids_in_use', 'Address spaces bound to devices', [], (put) =>
      put({}, snapshot()?.pasids.inUse ?? 0),
    );
    this.gauge('pasids_limit', 'Address spaces that can be bound', [], (put) =>
      put({}, snapshot()?.pasids.limit ?? 0),
    );
    this.gauge('iommu_mapped_bytes', 'Memory that devices reach', ['domain_kind'], (put) => {
      const byKind = new Map<string, number>();
      const domains = (snapshot()?.devices ?? []).flatMap((one) => [
        one.domain,
        ...one.bound.map((b) => b.domain),
      ]);
      for (const { kind, mappedBytes } of domains) byKind.set(kind, (byKind.get(kind) ?? 0) + mappedBytes);
      for (const [kind, bytes] of byKind) put({ domain_kind: kind }, bytes);
    });
  }

  private queues(): void {
    const { view } = this.source;
    const perQueue =
      (pick: 'inFlight' | 'depth' | 'doorbells' | 'operations' | 'busy' | 'errors') => (put: Put) => {
        let other = 0;
        view.queues().forEach((queue, i) => {
          if (i < MAX_QUEUE_LABELS) put({ device: queue.device, qp: queue.qpId }, queue[pick]);
          else other += queue[pick];
        });
        if (other > 0) put({ device: OTHER_QUEUE, qp: OTHER_QUEUE }, other);
      };
    const labels = ['device', 'qp'];
    this.gauge('qp_inflight_sqes', 'SQEs that the device has', labels, perQueue('inFlight'));
    this.gauge('qp_depth_sqes', 'Slots of the ring', labels, perQueue('depth'));
    this.counter('qp_doorbells_total', 'Doorbell writes', labels, perQueue('doorbells'));
    this.counter('qp_completions_total', 'SQEs completed', labels, perQueue('operations'));
    this.counter('qp_busy_total', 'Submissions refused by a full ring', labels, perQueue('busy'));
    this.gauge(
      'qp_latency_seconds',
      'Doorbell to completion, of the last completions',
      [...labels, 'quantile'],
      (put) => {
        for (const { device, qpId: qp, latencyUs } of view.queues().slice(0, MAX_QUEUE_LABELS)) {
          if (latencyUs === undefined) continue;
          put({ device, qp, quantile: '0.5' }, latencyUs.p50 / 1e6);
          put({ device, qp, quantile: '0.99' }, latencyUs.p99 / 1e6);
        }
      },
    );
    this.counter('qp_errors_total', 'SQEs that failed', labels, perQueue('errors'));
  }

  private gauge(name: string, help: string, labelNames: string[], read: (put: Put) => void): void {
    const gauge = new Gauge({
      ...this.named(name, help, labelNames),
      collect: () => {
        gauge.reset();
        read((labels, value) => gauge.set(labels, value));
      },
    });
  }

  private counter(name: string, help: string, labelNames: string[], read: (put: Put) => void): void {
    const counter = new Counter({
      ...this.named(name, help, labelNames),
      collect: () => {
        counter.reset();
        read((labels, value) => counter.inc(labels, value));
      },
    });
  }

  private named(name: string, help: string, labelNames: string[]) {
    return { name: `warpdrive_${name}`, help, labelNames, registers: [this.registry] };
  }
}

function histogramText(name: string, help: string, series: [Labels, ExposedHistogram][]): string {
  const lines = [`\n# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const [labels, histogram] of series) {
    const text = Object.entries(labels)
      .map(([key, value]) => `${key}="${value}"`)
      .join(',');
    const { buckets, sum, count } = histogram;
    for (const bucket of buckets) lines.push(`${name}_bucket{${text},le="${bucket.le}"} ${bucket.count}`);
    lines.push(`${name}_sum{${text}} ${sum}`, `${name}_count{${text}} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}
