import { z } from 'zod';
import { FORMATS } from '../../../../shared/src/format.ts';
import type { JobRecord } from '../../../../shared/src/job.ts';
import { PROBLEMS, type Problem, type ProblemCode } from '../../../../shared/src/problem.ts';
import {
  CORE_NAMES,
  type DeviceSnapshot,
  DOMAIN_KINDS,
  FAULT_MODELS,
  type FaultSnapshot,
  MDEV_DOMAINS,
  MDEV_POLICIES,
  MDEV_STATES,
  type MdevSnapshot,
  type MdevTypeSnapshot,
  OPERATIONS,
  QUEUE_MODES,
  type QueueSnapshot,
  type StatusSnapshot,
  WORKER_STATES,
  type WorkerSnapshot,
} from '../../../../shared/src/telemetry.ts';

/**
 * What the API answers, as schemas: OpenAPI is made of them, and the tests parse live answers with them. Their types
 * are those of shared/, so a field that changes there does not compile here.
 */
const count = z.int().nonnegative();
const atMs = count.describe('Unix milliseconds');
const owner = z.object({ pid: z.int(), name: z.string() });
export const problemCode = z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]);

export const problem: z.ZodType<Problem> = z.looseObject({
  type: z.string().describe('urn:warpdrive:problem:…, stable'),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: problemCode,
  advice: z.string().describe('the next step'),
  instance: z.string().exactOptional().describe('the request id'),
});

const worker: z.ZodType<WorkerSnapshot> = z.object({
  vf: count,
  device: z.string(),
  state: z.enum(WORKER_STATES),
  pid: count,
  startedAtMs: atMs,
  restarts: count,
  lastEnd: z.string().exactOptional(),
  queueBase: count,
  queueCount: count,
  rssBytes: count,
  eventLoopDelayMs: z.number(),
});

const totals = z.object({
  requests: count.describe('compressions and decompressions'),
  failures: count,
  bytesIn: count,
  bytesOut: count,
  operations: count.describe('jobs of the engine cores'),
  activeStreams: count,
  faults: count,
  fallbacks: count,
});

export const status: z.ZodType<StatusSnapshot> = z.object({
  service: z.literal('warpdrive'),
  version: z.string(),
  node: z.string(),
  pid: z.int(),
  startedAtMs: atMs,
  atMs,
  ready: z.boolean(),
  draining: z.boolean(),
  mode: z.enum(QUEUE_MODES),
  core: z.enum(CORE_NAMES),
  coreReason: z.string(),
  emulated: z.boolean(),
  totals,
  workers: z.array(worker).exactOptional(),
});

export const device: z.ZodType<DeviceSnapshot> = z.object({
  name: z.string(),
  kind: z.enum(['emulated', 'linux']),
  hardware: z.enum(['zip-v2', 'zip-v3']),
  bdf: z.string(),
  faultModel: z.enum(FAULT_MODELS),
  queuesTotal: count,
  queuesFree: count,
  queuesReserved: count.exactOptional(),
  queuesNative: count.exactOptional(),
  isolated: z.boolean().exactOptional(),
  vf: count.exactOptional(),
  queueBase: count.exactOptional(),
  cores: z.array(
    z.object({
      id: count,
      name: z.enum(CORE_NAMES),
      where: z.enum(['worker', 'polled']),
      jobs: count,
      busyNs: z.number(),
    }),
  ),
});
export const devices = z.object({ devices: z.array(device) });

export const mdev: z.ZodType<MdevSnapshot> = z.object({
  uuid: z.uuid(),
  type: z.string(),
  parent: z.string(),
  state: z.enum(MDEV_STATES),
  qpId: z.int().describe('-1 while it has no queue'),
  createdAtMs: atMs,
  policy: z.enum(MDEV_POLICIES).exactOptional(),
  domain: z.enum(MDEV_DOMAINS).exactOptional(),
  dmaPoolBytes: count.exactOptional(),
  priorityClass: count.exactOptional(),
  iommuGroup: count.exactOptional(),
  timeLine: z.array(z.object({ state: z.enum(MDEV_STATES), atMs })).exactOptional(),
});
export const mdevs = z.object({ mdevs: z.array(mdev) });

const mdevType: z.ZodType<MdevTypeSnapshot> = z.object({
  id: z.string(),
  name: z.string(),
  parent: z.string(),
  policy: z.enum(MDEV_POLICIES),
  domain: z.enum(MDEV_DOMAINS),
  availableInstances: count,
});
export const mdevTypes = z.object({ types: z.array(mdevType) });

export const queue: z.ZodType<QueueSnapshot> = z.object({
  id: z.string(),
  device: z.string(),
  qpId: count,
  mdev: z.string(),
  owner,
  mode: z.enum(QUEUE_MODES),
  operation: z.enum(OPERATIONS),
  priority: count,
  state: z.enum(['init', 'started', 'stopped', 'zombie']),
  depth: count,
  inFlight: count,
  operations: count,
  bytesIn: count,
  bytesOut: count,
  doorbells: count,
  busy: count,
  errors: count,
  lastError: z.string().exactOptional(),
  latencyUs: z.object({ p50: z.number(), p99: z.number() }).exactOptional(),
});
export const queues = z.object({ queues: z.array(queue) });

export const fault: z.ZodType<FaultSnapshot> = z.object({
  seq: count,
  atMs,
  device: z.string(),
  streamId: count,
  pasid: count.exactOptional().describe('for the administrator'),
  iova: z.string(),
  access: z.enum(['read', 'write']),
  event: z.string(),
  reason: z.string(),
  outcome: z.enum(['aborted', 'resolved', 'stalled']),
  domainKind: z.enum(DOMAIN_KINDS),
  owner: owner.exactOptional(),
  queue: z.string().exactOptional(),
  advice: z.string(),
  kernelLine: z.string(),
  stag: count.exactOptional(),
});
export const faults = z.object({ faults: z.array(fault) });
/** Answered page requests and faults have one shape. */
export const answeredRequest = fault;

export const job: z.ZodType<JobRecord> = z.object({
  id: z.string(),
  requestId: z.string(),
  traceId: z.string().exactOptional(),
  op: z.enum(OPERATIONS),
  format: z.enum([...FORMATS, 'auto', 'identity']),
  level: z.int().exactOptional(),
  state: z.enum(['running', 'done', 'failed', 'aborted']),
  status: z.int().exactOptional().describe('499: the client left'),
  bytesIn: count,
  bytesOut: count,
  crc32: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .exactOptional(),
  core: z.enum([...CORE_NAMES, 'none']).exactOptional(),
  fallbackReason: z.string().exactOptional(),
  startedAtMs: atMs,
  durationMs: count,
  problem: z.object({ code: problemCode, detail: z.string() }).exactOptional(),
});

export const healthz = z.object({ status: z.literal('ok') });
export const readyz = z.object({
  status: z.enum(['ready', 'not ready']),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string() })),
  core: z.enum(CORE_NAMES),
});
export const version = z.object({ version: z.string(), node: z.string() });

const sysfsKinds = { path: z.string(), target: z.string().exactOptional() };
export const sysfsNode = z.discriminatedUnion('kind', [
  z.object({
    ...sysfsKinds,
    kind: z.literal('directory'),
    entries: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['directory', 'file', 'link']),
        mode: count,
        target: z.string().exactOptional(),
      }),
    ),
  }),
  z.object({ ...sysfsKinds, kind: z.literal('file'), text: z.string() }),
]);
