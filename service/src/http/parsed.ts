import { z } from 'zod';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/**
 * A request body that its schema accepts.
 * @throws WD_E_EINVAL naming the field, a short value, and the words or fields that are allowed
 */
export function parsed<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const result = schema.safeParse(body, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.') || 'body';
  const value = shown(issue?.input);
  const allowed = issue === undefined ? undefined : allowedBy(issue, schema);
  throw new WarpDriveError('WD_E_EINVAL', `${field}: ${issue?.message ?? 'not valid'}`, {
    errno: 'EINVAL',
    field,
    ...(value === undefined ? {} : { value }),
    ...(allowed === undefined ? {} : { allowed }),
  });
}

/** The words of a closed set; the names of all fields where one is unknown. */
function allowedBy(issue: z.core.$ZodIssue, schema: z.ZodType): string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'unrecognized_keys' && schema instanceof z.ZodObject
    ? Object.keys(schema.shape)
    : undefined;
}

const MAX_SHOWN = 100;

function shown(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'string' && value.length <= MAX_SHOWN ? value : undefined;
}
