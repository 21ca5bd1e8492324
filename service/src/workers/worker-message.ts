import { z } from 'zod';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { DOMAIN_KINDS } from '../../../shared/src/telemetry.ts';
import type { DurationCounts } from '../../../shared/src/timings.ts';
import { snapshot as iommu } from '../http/openapi/iommu-schema.ts';
import { device, fault, mdev, problemCode, queue } from '../http/openapi/schemas.ts';
import type { ToPrimary, WorkerReport } from './messages.ts';

const count = z.int().nonnegative();
const durations: z.ZodType<DurationCounts> = z.object({ counts: z.array(count), sumUs: z.number() });
const byDomain = z.array(z.object({ domainKind: z.enum(DOMAIN_KINDS), durations }));

const report: z.ZodType<WorkerReport> = z.object({
  increments: z.record(z.string(), z.number()),
  devices: z.array(device),
  mdevs: z.array(mdev),
  queues: z.array(queue),
  jobSlots: z.array(
    z.object({ pool: z.enum(['small', 'large']), total: count, taken: count, waiting: count }),
  ),
  iommu: iommu.exactOptional(),
  pageRequests: z.array(fault),
  timings: z
    .object({
      sqes: z.array(z.object({ device: z.string(), durations })),
      pageRequests: byDomain,
      translations: byDomain,
    })
    .exactOptional(),
  software: z.object({ count, bytes: count, us: z.number() }).exactOptional(),
  rssBytes: count,
  eventLoopDelayMs: z.number(),
});

const detail = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const error = z.object({ code: problemCode, message: z.string(), details: z.record(z.string(), detail) });

const MESSAGES: z.ZodType<ToPrimary> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('taken'), id: count }),
  z.object({
    type: z.literal('answer'),
    id: count,
    value: z.unknown().exactOptional(),
    error: error.exactOptional(),
  }),
  z.object({ type: z.literal('report'), report }),
  z.object({ type: z.literal('fault'), fault }),
  z.object({ type: z.literal('ended') }),
]);

/** @throws WD_E_INTERNAL naming the field of a message that no worker of this build sends */
export function workerMessage(message: unknown): ToPrimary {
  const { success, error: wrong } = MESSAGES.safeParse(message);
  // the message itself and not zod's copy of it, which lacks what the schemas do not name
  if (success) return message as ToPrimary;
  const [issue] = wrong.issues;
  throw new WarpDriveError(
    'WD_E_INTERNAL',
    `a worker's message: ${issue?.path.join('.') || 'type'}: ${issue?.message ?? 'not valid'}`,
  );
}
