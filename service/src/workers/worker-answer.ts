import { z } from 'zod';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { PAGE_RESPONSES } from '../../../shared/src/telemetry.ts';
import { faultPlan } from '../http/openapi/routes.ts';
import { job } from '../http/openapi/schemas.ts';

/** What workers answer to calls, by the schemas of the API that passes it on. */
export const ANSWERS = {
  /** Undefined: this worker does not have it. */
  job: job.optional(),
  injectFault: faultPlan,
  faultPlans: z.array(faultPlan),
  clearFaults: z.int().min(0),
  answerPageRequest: z.enum(PAGE_RESPONSES),
} as const;

/** @throws WD_E_INTERNAL naming the call and the field: a worker of another build, or a defect */
export function answerOf<Value>(method: string, schema: z.ZodType<Value>, answer: unknown): Value {
  const { success, data, error } = schema.safeParse(answer);
  if (success) return data;
  const [issue] = error.issues;
  throw new WarpDriveError(
    'WD_E_INTERNAL',
    `a worker's answer to ${method}: ${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'not valid'}`,
  );
}
