import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { jsonText } from '../http-client.ts';
import { takeSample } from './samples.ts';
import { ADMIN_TOKEN, processFigures, type ServiceProcess } from './service-process.ts';

const MIB = 1024 * 1024;
const CLIENTS = 16;
/** As many again before the first measurement: V8's heap grows, whatever is kept, until its first full collection. */
const WARM_UP_SHARE = 1;
const SAMPLES = 40;
const SETTLE_TRIES = 200;
const SETTLE_MS = 50;
/** How long a download may take to begin; a client that gave up waiting leaves, too. */
const FIRST_BYTES_MS = 2000;

const text = jsonText(600_000);
const bomb = gzipSync(Buffer.alloc(64 * MIB));

/** What a client does before it leaves. */
interface Scenario {
  kind: 'upload' | 'download';
  path: string;
  /** Bytes sent of a body that is announced as far longer. */
  body: Buffer;
}

/** In the middle of sending: in the first packet, within a job, after several jobs, and where each chunk is flushed. */
const UPLOADS: readonly Scenario[] = [
  { kind: 'upload', path: '/v1/compress', body: text.subarray(0, 10) },
  { kind: 'upload', path: '/v1/compress?level=6', body: text.subarray(0, 100_000) },
  { kind: 'upload', path: '/v1/compress?format=zlib', body: text },
  { kind: 'upload', path: '/v1/compress?flush=sync', body: text.subarray(0, 200_000) },
  { kind: 'upload', path: '/v1/decompress', body: bomb.subarray(0, 20) },
];
/** In the middle of reading: after the first bytes of what is far more than sockets hold. */
const DOWNLOADS: readonly Scenario[] = [
  { kind: 'download', path: '/v1/decompress', body: bomb },
  { kind: 'download', path: '/v1/compress', body: Buffer.concat([text, text, text]) },
  { kind: 'download', path: '/v1/compress?as=coding', body: Buffer.concat([text, text, text]) },
];

export interface AbortReport {
  uploads: number;
  downloads: number;
  /** Bytes of RSS by one abort: from the lowest of the second quarter to the lowest of the last. */
  rssSlopeBytes: number;
  rssBeforeBytes: number;
  rssAfterBytes: number;
  /** What the service still held at the end; all 0 if nothing leaked. */
  left: { activeStreams: number; jobsInFlight: number; jobSlotsTaken: number; descriptors: number };
}

/** Makes `count` clients leave in the middle of an upload, and as many in the middle of a download. */
export async function runAborts(service: ServiceProcess, count: number): Promise<AbortReport> {
  const warmUp = Math.ceil(count * WARM_UP_SHARE);
  await abortAll(service, UPLOADS, warmUp, () => {});
  await abortAll(service, DOWNLOADS, warmUp, () => {});
  await settled(service);
  const before = await takeSample(service, 0);
  const points: { x: number; y: number }[] = [];
  let done = 0;
  const every = Math.max(1, Math.floor((2 * count) / SAMPLES));
  const onAbort = () => {
    done++;
    if (done % every === 0) points.push({ x: done, y: processFigures(service.pid).rssBytes });
  };
  // in turns, so that neither kind has the warm half of the run to itself
  for (let part = 0; part < 4; part++) {
    await abortAll(service, UPLOADS, share(count, part), onAbort);
    await abortAll(service, DOWNLOADS, share(count, part), onAbort);
  }
  const left = await settled(service);
  const after = await takeSample(service, 0);
  return {
    uploads: count,
    downloads: count,
    rssSlopeBytes: floorSlope(points),
    rssBeforeBytes: before.rssBytes,
    rssAfterBytes: after.rssBytes,
    left: { ...left, descriptors: Math.max(0, after.descriptors - before.descriptors) },
  };
}

/** Garbage that waits for its collection makes RSS go up and down by tens of MiB, so floors are compared. */
function floorSlope(points: readonly { x: number; y: number }[]): number {
  const quarter = Math.floor(points.length / 4);
  const floor = (from: number) => Math.min(...points.slice(from, from + quarter).map(({ y }) => y));
  const aborts = (points[3 * quarter]?.x ?? 0) - (points[quarter]?.x ?? 0);
  return aborts === 0 ? 0 : (floor(3 * quarter) - floor(quarter)) / aborts;
}

/** Makes so many clients leave, uploads and downloads in turn. */
export async function abortSome(service: ServiceProcess, count: number): Promise<void> {
  await abortAll(service, [...UPLOADS, ...DOWNLOADS], count, () => {});
}

const share = (count: number, part: number): number =>
  Math.floor((count * (part + 1)) / 4) - Math.floor((count * part) / 4);

async function abortAll(
  service: ServiceProcess,
  scenarios: readonly Scenario[],
  count: number,
  onAbort: () => void,
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) {
      const number = next++;
      const scenario = scenarios[number % scenarios.length];
      if (scenario !== undefined) await abortOne(service.url, scenario, number);
      onAbort();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

async function abortOne(url: string, { kind, path, body }: Scenario, number: number): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n`;
  socket.write(head);
  await new Promise((sent) => socket.write(body, sent));
  if (kind === 'download') await firstBytes(socket);
  // some go with a reset, as a crash does it, some with an end
  if (number % 2 === 0) socket.resetAndDestroy();
  else socket.destroy();
}

/** Waits for output and stops reading. */
async function firstBytes(socket: Socket): Promise<void> {
  const cancel = new AbortController();
  const timer = setTimeout(() => cancel.abort(), FIRST_BYTES_MS);
  await once(socket, 'data', { signal: cancel.signal }).catch(() => {});
  clearTimeout(timer);
  socket.pause();
}

/** What is still held once nothing changes any more. */
export async function settled(
  service: ServiceProcess,
): Promise<{ activeStreams: number; jobsInFlight: number; jobSlotsTaken: number }> {
  let held = await heldBy(service);
  for (let i = 0; i < SETTLE_TRIES && Object.values(held).some((value) => value > 0); i++) {
    await new Promise((next) => setTimeout(next, SETTLE_MS));
    held = await heldBy(service);
  }
  return held;
}

async function heldBy({ url }: ServiceProcess) {
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  const sum = (name: string): number =>
    [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return {
    activeStreams: sum('warpdrive_active_streams'),
    jobsInFlight: sum('warpdrive_qp_inflight_sqes'),
    jobSlotsTaken: sum('warpdrive_job_slots_taken'),
  };
}
