import { ADMIN_TOKEN, processFigures, type ServiceProcess } from './service-process.ts';

/** What is watched while the service works. Bytes, counts, milliseconds. */
export const FIGURES = {
  rssBytes: 'resident memory, bytes',
  heapBytes: 'JavaScript heap in use, bytes',
  externalBytes: 'memory outside the heap, bytes',
  descriptors: 'open descriptors',
  threads: 'threads',
  queuesBusy: 'queues with jobs in flight',
  jobsInFlight: 'jobs in flight',
  pasids: 'PASIDs in use',
  eventLoopP99Ms: 'event-loop delay p99, ms',
} as const;
export type Figure = keyof typeof FIGURES;
export type Sample = Record<Figure, number> & { atMs: number };

/** One look at the service, by its own API and by the host's kernel. @throws Error when it does not answer */
export async function takeSample(service: ServiceProcess, startedMs: number): Promise<Sample> {
  const [metrics, queues] = await Promise.all([
    fetch(`${service.url}/metrics`, { headers: AUTH }).then((answer) => answer.text()),
    json(`${service.url}/v1/queues`) as Promise<{ queues?: { inFlight: number }[] }>,
  ]);
  const metric = (name: string): number =>
    Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(metrics)?.[1] ?? 0);
  const busy = (queues.queues ?? []).map(({ inFlight }) => inFlight);
  return {
    atMs: performance.now() - startedMs,
    ...processFigures(service.pid),
    heapBytes: metric('nodejs_heap_size_used_bytes'),
    externalBytes: metric('nodejs_external_memory_bytes'),
    queuesBusy: busy.filter((count) => count > 0).length,
    jobsInFlight: busy.reduce((sum, count) => sum + count, 0),
    pasids: metric('warpdrive_pasids_in_use'),
    eventLoopP99Ms: metric('nodejs_eventloop_lag_p99_seconds') * 1000,
  };
}

const AUTH = { Authorization: `Bearer ${ADMIN_TOKEN}` };
const json = async (url: string): Promise<unknown> => (await fetch(url, { headers: AUTH })).json();
