import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { PROBLEMS, type ProblemCode } from '../../../../shared/src/problem.ts';
import { VERSION } from '../../ops/package.ts';
import { ROUTES, type RouteDescription } from './routes.ts';
import * as schemas from './schemas.ts';

/** Problems that any route may answer with. */
const COMMON: readonly ProblemCode[] = ['WD_E_FORBIDDEN', 'WD_E_THROTTLED', 'WD_E_HEADERS', 'WD_E_METHOD'];
const DRAFT = { target: 'draft-2020-12', io: 'input' } as const;

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document, from the schemas that validate requests and, in tests, answers. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'warpdrive',
      version: VERSION,
      description: 'Streaming compression on the WarpDrive accelerator stack. docs/http.md says more.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: schemaOf(schemas.problem) },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(route: RouteDescription): Json {
  const { method, path, summary, access, body } = route;
  const responses: Json = { [route.answer.status]: answerOf(route.answer) };
  if (path === '/readyz') responses['503'] = answerOf({ ...route.answer, status: 503 });
  for (const [status, codes] of problemsOf(route)) responses[status] = problemAnswer(status, codes);
  return {
    operationId: `${method} ${path}`.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, next: string = '') =>
      next.toUpperCase(),
    ),
    summary,
    ...(access === 'open' ? {} : { security: access === 'admin' ? [{ bearer: [] }] : [{}, { bearer: [] }] }),
    parameters: [...pathParameters(path), ...queryParameters(route.query)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(body.media, body.schema) } }),
    responses,
  };
}

function problemsOf({ access, problems = [] }: RouteDescription): Map<number, ProblemCode[]> {
  const token: readonly ProblemCode[] = access === 'open' ? [] : ['WD_E_UNAUTHORIZED'];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...problems, ...COMMON, ...token])) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function problemAnswer(status: number, codes: readonly ProblemCode[]): Json {
  const examples = codes.map((code) => [
    code,
    {
      value: {
        type: `urn:warpdrive:problem:${code.slice('WD_E_'.length).toLowerCase().replaceAll('_', '-')}`,
        title: PROBLEMS[code].title,
        status,
        detail: PROBLEMS[code].title,
        code,
        advice: PROBLEMS[code].advice,
      },
    },
  ]);
  return {
    description: codes.map((code) => `${code}: ${PROBLEMS[code].title}`).join('; '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

function answerOf({ status, media, schema, headers = [] }: RouteDescription['answer']): Json {
  const fields = headers.map((name) => [name, { schema: { type: 'string' } }]);
  return {
    description: STATUS_CODES[status] ?? '',
    ...(fields.length === 0 ? {} : { headers: Object.fromEntries(fields) }),
    ...(media === undefined ? {} : { content: contentOf(media, schema) }),
  };
}

const contentOf = (media: string, schema: z.ZodType | undefined): Json => ({
  [media]: schema === undefined ? {} : { schema: schemaOf(schema) },
});

const pathParameters = (path: string): Json[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));

const queryParameters = (query: z.ZodObject | undefined): Json[] =>
  Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: schemaOf(schema as z.ZodType),
  }));

function schemaOf(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, DRAFT);
  return rest;
}
