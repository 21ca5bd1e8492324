import { z } from 'zod';
import { DEFAULT_LEVEL, FORMATS, type Format, MAX_LEVEL, MIN_LEVEL } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { OPERATIONS } from '../../../shared/src/telemetry.ts';

/** What the URL of a compression or decompression asks for, as WebSockets and the command line have it. */
export type StreamParameters =
  | { op: 'compress'; format: Format; level: number }
  | { op: 'decompress'; format: Format | 'auto' };

const LEVELS = Array.from({ length: MAX_LEVEL - MIN_LEVEL + 1 }, (_, i) => String(MIN_LEVEL + i));
/** RFC 1952 2.3.1 wants Latin-1 without NUL; path separators and quotes have no place in a file's name. */
const FILE_NAME = /^[ !#-.0-[\]-~\u00a0-\u00ff]{1,200}$/;
const AUTO_FORMATS = [...FORMATS, 'auto'] as const;

const ALLOWED = {
  compress: { format: FORMATS, level: LEVELS },
  decompress: { format: AUTO_FORMATS },
} as const satisfies Record<StreamParameters['op'], Readonly<Record<string, readonly string[]>>>;

/** Text of a level, as query strings carry it. */
const level = z.enum(LEVELS).transform(Number).default(DEFAULT_LEVEL);
const compressQuery = z.strictObject({ format: z.enum(FORMATS).default('gzip'), level });
export const decompressQuery = z.strictObject({
  format: z.enum(AUTO_FORMATS).default('auto').describe('container; auto looks at the first two bytes'),
});

/** `as=product`: a media type, chosen by `format` or Accept. `as=coding`: a Content-Encoding, by Accept-Encoding. */
export const httpCompressQuery = z.strictObject({
  format: z
    .enum(FORMATS)
    .exactOptional()
    .describe('container; without it Accept chooses, and gzip is preferred'),
  level: level.describe('1 fastest to 9 smallest'),
  as: z
    .enum(['product', 'coding'])
    .default('product')
    .describe('answer as a media type or as a content coding'),
  flush: z.enum(['none', 'sync']).default('none').describe('sync: each chunk of input comes out at once'),
  name: z
    .string()
    .regex(FILE_NAME)
    .exactOptional()
    .describe('file name for the gzip header and Content-Disposition'),
});
export type HttpCompressQuery = z.output<typeof httpCompressQuery>;

const HTTP_ALLOWED = {
  format: FORMATS,
  level: LEVELS,
  as: ['product', 'coding'],
  flush: ['none', 'sync'],
  name: ['1 to 200 printable Latin-1 characters without / \\ and "'],
} as const;

/** Parameters of POST /v1/compress. @throws WD_E_PARAMETER */
export function parseHttpCompress(query: URLSearchParams): HttpCompressQuery {
  return parseQuery(httpCompressQuery, query, HTTP_ALLOWED);
}

/**
 * Parameters of an operation that the path names.
 * @throws WD_E_PARAMETER naming parameter, value and what is allowed
 */
export function parseParameters(op: StreamParameters['op'], query: URLSearchParams): StreamParameters {
  return op === 'compress'
    ? { op, ...parseQuery(compressQuery, query, ALLOWED.compress) }
    : { op, ...parseQuery(decompressQuery, query, ALLOWED.decompress) };
}

/** The same where the parameter `op` names the operation. */
export function parseWithOperation(query: URLSearchParams): StreamParameters {
  const given = query.getAll('op');
  const op = OPERATIONS.find((name) => name === given[0]);
  if (op === undefined || given.length > 1)
    throw badParameter('op', given.join(), OPERATIONS, given.length > 1 ? 'is given twice' : 'is needed');
  const rest = new URLSearchParams(query);
  rest.delete('op');
  return parseParameters(op, rest);
}

function parseQuery<T>(
  schema: z.ZodType<T>,
  query: URLSearchParams,
  allowed: Readonly<Record<string, readonly string[]>>,
): T {
  const values: Record<string, string> = {};
  for (const [name, value] of query) {
    const choices = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (choices === undefined)
      throw badParameter(name, value, Object.keys(allowed), 'is not a parameter of this route');
    if (values[name] !== undefined) throw badParameter(name, value, choices, 'is given twice');
    values[name] = value;
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const name = String(parsed.error.issues[0]?.path[0]);
  throw badParameter(name, values[name] ?? '', allowed[name] ?? [], `has no value "${values[name]}"`);
}

function badParameter(
  name: string,
  value: string,
  allowed: readonly string[],
  reason: string,
): WarpDriveError {
  return new WarpDriveError('WD_E_PARAMETER', `${name} ${reason}; allowed: ${allowed.join(', ')}`, {
    parameter: name,
    value,
    allowed,
  });
}
