import type { z } from 'zod';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/** A request body that its schema accepts. @throws WD_E_EINVAL naming the field */
export function parsed<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') || 'body';
  throw new WarpDriveError('WD_E_EINVAL', `${field}: ${issue?.message ?? 'invalid'}`, {
    errno: 'EINVAL',
    field,
  });
}
