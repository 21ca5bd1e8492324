import { z } from 'zod';
import {
  DOMAIN_KINDS,
  FAULT_MODELS,
  type IommuSnapshot,
  type StallSnapshot,
} from '../../../../shared/src/telemetry.ts';
import { answeredRequest } from './schemas.ts';

const count = z.int().nonnegative();
const domain = z.object({ kind: z.enum(DOMAIN_KINDS), mappedBytes: count });
const stall: z.ZodType<StallSnapshot> = z.object({
  stag: count,
  ageMs: z.number(),
  device: z.string(),
  pasid: count.exactOptional().describe('for the administrator'),
  iova: z.string(),
  access: z.enum(['read', 'write']),
});

export const snapshot = z.object({
  groups: z.array(z.object({ id: count, devices: z.array(z.string()) })),
  devices: z.array(
    z.object({
      name: z.string(),
      streamId: count,
      faultModel: z.enum(FAULT_MODELS),
      domain: domain.describe('of requests without PASID'),
      bound: z.array(
        z.object({
          pasid: count.exactOptional().describe('for the administrator'),
          binds: count,
          owner: z.object({ pid: z.int(), name: z.string() }).exactOptional(),
          domain,
        }),
      ),
    }),
  ),
  iotlb: z.object({ entries: count, hits: count, misses: count, invalidations: count }),
  pageRequests: z.object({ success: count, invalid: count, failure: count }),
  stalls: z.array(stall),
  pasids: z.object({ inUse: count, limit: count }),
  events: z.object({ recorded: count, lost: count }),
}) satisfies z.ZodType<IommuSnapshot>;

/** GET /v1/iommu: the state, and the page requests that were answered. */
export const iommu = snapshot.extend({ answered: z.array(answeredRequest) });
