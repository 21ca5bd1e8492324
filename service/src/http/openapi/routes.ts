import { z } from 'zod';
import type { ProblemCode } from '../../../../shared/src/problem.ts';
import { PAGE_RESPONSES } from '../../../../shared/src/telemetry.ts';
import { decompressQuery, httpCompressQuery } from '../../config/stream-parameters.ts';
import { benchBody } from '../bench-routes.ts';
import { injectBody, plan } from '../fault-routes.ts';
import { answerBody, changeBody } from '../iommu-routes.ts';
import { createBody } from '../mdev-routes.ts';
import { benchRun, benchRuns } from './bench-schema.ts';
import { iommu } from './iommu-schema.ts';
import * as schemas from './schemas.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** One operation of the API. `OPTIONS` and `HEAD` go without saying. */
export interface RouteDescription {
  method: Method;
  /** With parameters in braces. */
  path: string;
  summary: string;
  /** `open`: no token; `data`: where the service needs one; `admin`: the admin token. */
  access: 'open' | 'data' | 'admin';
  query?: z.ZodObject;
  body?: { media: string; schema?: z.ZodType };
  /** The successful answer; without `schema` it is not JSON. */
  answer: { status: number; media?: string; schema?: z.ZodType; headers?: readonly string[] };
  /** Problems besides those that every route has. */
  problems?: readonly ProblemCode[];
}

const BYTES = 'application/octet-stream';
const JSON_MEDIA = 'application/json';
const RESULT_FIELDS = [
  'Wd-Job',
  'Wd-Core',
  'Wd-Input-Bytes',
  'Wd-Output-Bytes',
  'Wd-Crc32',
  'Wd-Retries',
  'Wd-Fallback-Reason',
  'X-Request-Id',
];
const PRODUCT_PROBLEMS = [
  'WD_E_PARAMETER',
  'WD_E_IDLE',
  'WD_E_LIMIT_INPUT',
  'WD_E_CODING',
  'WD_E_LIMIT_CLIENT',
  'WD_E_LIMIT_STREAMS',
  'WD_E_NO_QUEUE',
  'WD_E_DEVICE',
] as const satisfies readonly ProblemCode[];

const read = (path: string, summary: string, schema: z.ZodType, more: Partial<RouteDescription> = {}) =>
  ({
    method: 'get',
    path,
    summary,
    access: 'data',
    answer: { status: 200, media: JSON_MEDIA, schema },
    ...more,
  }) satisfies RouteDescription;

const act = (
  method: Method,
  path: string,
  summary: string,
  answer: RouteDescription['answer'],
  more: Partial<RouteDescription> = {},
): RouteDescription => ({ method, path, summary, access: 'admin', answer, ...more });

const ok = (schema: z.ZodType) => ({ status: 200, media: JSON_MEDIA, schema });
const json = (schema: z.ZodType) => ({ media: JSON_MEDIA, schema });

const products: RouteDescription[] = (['post', 'put'] as const).flatMap((method) => [
  {
    method,
    path: '/v1/compress',
    summary: 'Bytes in, one compressed member out, streamed',
    access: 'data',
    query: httpCompressQuery,
    body: { media: '*/*' },
    answer: {
      status: 200,
      media: 'application/gzip',
      headers: [...RESULT_FIELDS, 'Wd-Level', 'Wd-Format', 'Content-Disposition'],
    },
    problems: [...PRODUCT_PROBLEMS, 'WD_E_NOT_ACCEPTABLE'],
  },
  {
    method,
    path: '/v1/decompress',
    summary: 'Compressed bytes in, what they hold out, streamed',
    access: 'data',
    query: decompressQuery,
    body: { media: '*/*' },
    answer: { status: 200, media: BYTES, headers: RESULT_FIELDS },
    problems: [...PRODUCT_PROBLEMS, 'WD_E_LIMIT_OUTPUT', 'WD_E_LIMIT_RATIO', 'WD_E_INPUT_CORRUPT'],
  },
]);

/** A plan of GET /v1/faults/inject. */
export const faultPlan = z.object({
  id: z.int(),
  device: z.string(),
  plan,
  isActive: z.boolean(),
  injectedAtMs: z.number(),
  seen: z.int(),
  fired: z.int(),
  lastFiredAtMs: z.number().exactOptional(),
  lastQueue: z.int().exactOptional(),
});

/** Query of GET /v1/faults. */
const faultsQuery = z.strictObject({
  since: z
    .string()
    .regex(/^\d{1,15}$/)
    .exactOptional()
    .describe('leaves out faults up to this seq'),
});

/** Every operation of the service, in the order of the documentation; /openapi.json and `Allow` are made of it. */
export const ROUTES: readonly RouteDescription[] = [
  ...products,
  read('/v1/stream', 'WebSocket warpdrive.stream.v1, see docs/websocket.md', z.never(), {
    answer: { status: 101 },
  }),
  read('/v1/monitor', 'WebSocket warpdrive.monitor.v1: snapshot, samples, faults, mdevs', z.never(), {
    answer: { status: 101 },
  }),
  read('/v1/jobs/{id}', 'Record of one job, for a minute after its end', schemas.job, {
    problems: ['WD_E_NOT_FOUND'],
  }),
  read('/v1/status', 'The service and its totals', schemas.status),
  read('/v1/devices', 'Accelerators and their engine cores', schemas.devices),
  read('/v1/queues', 'Open queue pairs', schemas.queues),
  act(
    'post',
    '/v1/queues/{id}/reset',
    'Reset one queue; its user opens another',
    ok(z.object({ id: z.string(), reset: z.boolean() })),
    {
      problems: ['WD_E_ENODEV'],
    },
  ),
  act(
    'post',
    '/v1/devices/{name}/reload',
    'Bring an isolated device back',
    ok(z.object({ name: z.string(), isolated: z.boolean() })),
  ),
  read('/v1/mdevs', 'Mediated devices', schemas.mdevs),
  read('/v1/mdevs/types', 'Kinds of mediated devices', schemas.mdevTypes),
  act(
    'post',
    '/v1/mdevs',
    'Create a mediated device',
    { status: 201, media: JSON_MEDIA, schema: schemas.mdev, headers: ['Location'] },
    {
      body: json(createBody),
      problems: ['WD_E_EINVAL', 'WD_E_EEXIST', 'WD_E_EUSERS'],
    },
  ),
  read('/v1/mdevs/{uuid}', 'One mediated device', schemas.mdev, { problems: ['WD_E_ENODEV'] }),
  act(
    'delete',
    '/v1/mdevs/{uuid}',
    'Remove it',
    { status: 204 },
    { problems: ['WD_E_ENODEV', 'WD_E_EBUSY'] },
  ),
  read('/v1/bench', 'Comparison runs, newest last', benchRuns),
  act(
    'post',
    '/v1/bench',
    'Measure engine cores beside node:zlib; progress comes on /v1/monitor',
    { status: 202, media: JSON_MEDIA, schema: benchRun, headers: ['Location'] },
    { body: json(benchBody), problems: ['WD_E_EINVAL', 'WD_E_EBUSY'] },
  ),
  act('delete', '/v1/bench/{id}', 'Cancel the run that is going on', ok(benchRun), {
    problems: ['WD_E_NOT_FOUND'],
  }),
  read('/v1/faults', 'Fault records of the IOMMU', schemas.faults, {
    query: faultsQuery,
    problems: ['WD_E_PARAMETER'],
  }),
  read('/v1/faults/inject', 'Plans of faults on purpose', z.object({ plans: z.array(faultPlan) })),
  act(
    'post',
    '/v1/faults/inject',
    'Make the device fail; 200 with whether it is isolated for kind hardware-error',
    { status: 201, media: JSON_MEDIA, schema: faultPlan },
    { body: json(injectBody), problems: ['WD_E_EINVAL'] },
  ),
  act('delete', '/v1/faults/inject', 'End all plans', ok(z.object({ cleared: z.int() }))),
  act('delete', '/v1/faults/inject/{id}', 'End one plan', ok(z.object({ cleared: z.int() })), {
    problems: ['WD_E_ENOENT'],
  }),
  read('/v1/iommu', 'Groups, devices, address spaces, cache, stalls', iommu),
  act('patch', '/v1/iommu', 'Change the fault model; hold page requests', ok(iommu), {
    body: json(changeBody),
    problems: ['WD_E_EINVAL'],
  }),
  act(
    'post',
    '/v1/iommu/stalls/{stag}',
    'Answer a held page request',
    ok(z.object({ response: z.enum(PAGE_RESPONSES) })),
    {
      body: json(answerBody),
      problems: ['WD_E_EINVAL'],
    },
  ),
  read('/v1/sysfs', 'The root of the kernel model’s /sys', schemas.sysfsNode),
  read('/v1/sysfs/{path}', 'An attribute or directory of the kernel model', schemas.sysfsNode, {
    problems: ['WD_E_ENOENT', 'WD_E_EACCES'],
  }),
  act(
    'put',
    '/v1/sysfs/{path}',
    'Write an attribute',
    { status: 204 },
    {
      body: { media: 'text/plain' },
      problems: ['WD_E_ENOENT', 'WD_E_EINVAL', 'WD_E_EISDIR'],
    },
  ),
  read('/metrics', 'Prometheus exposition', z.never(), { answer: { status: 200, media: 'text/plain' } }),
  read('/healthz', 'Alive', schemas.healthz, { access: 'open' }),
  read('/readyz', 'Whether new work should be sent here; 503 with the same body if not', schemas.readyz, {
    access: 'open',
  }),
  read('/version', 'Versions of the service and of Node', schemas.version, { access: 'open' }),
  read('/openapi.json', 'This description', z.looseObject({ openapi: z.string() }), { access: 'open' }),
  read('/monitor/', 'The monitor as a page', z.never(), {
    access: 'open',
    answer: { status: 200, media: 'text/html' },
  }),
];

const PATTERNS = ROUTES.map(({ method, path }) => ({
  method: method.toUpperCase(),
  // the path of an attribute has slashes of its own
  pattern: new RegExp(`^${path.replace('{path}', '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** The methods of a path, for `Allow`; empty if the path is no route. */
export function methodsOf(path: string): string[] {
  const methods = new Set(PATTERNS.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
  if (methods.size === 0) return [];
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods, 'OPTIONS'];
}
