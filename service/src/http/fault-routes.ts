import { type Request, Router } from 'express';
import { z } from 'zod';
import { FAULT_KINDS, type FaultPlan, RAS_SEVERITIES } from '../../../shared/src/fault-injection.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { adminBody, needPart, requireAdmin } from './admin.ts';
import type { ApiDeps } from './api-deps.ts';
import { parsed } from './parsed.ts';

const trigger = {
  device: z.string().exactOptional(),
  queue: z.number().exactOptional(),
  after: z.number().exactOptional(),
  count: z.number().exactOptional(),
  probability: z.number().exactOptional(),
  seed: z.number().exactOptional(),
};

/** Shapes only; the device checks ranges and names (emulator/faults/check-plan.ts). */
export const plan = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sqe-bit-flip'), bit: z.number().exactOptional(), ...trigger }),
  z.strictObject({
    kind: z.enum(['core-hang', 'core-crash', 'lost-interrupt', 'lost-doorbell', 'cqe-error', 'stall']),
    ...trigger,
  }),
  z.strictObject({ kind: z.enum(['late-doorbell', 'slow-dma']), delayMs: z.number(), ...trigger }),
  z.strictObject({ kind: z.literal('completion-error'), status: z.number().exactOptional(), ...trigger }),
  z.strictObject({
    kind: z.literal('ras'),
    severity: z.enum(RAS_SEVERITIES),
    error: z.string().exactOptional(),
    device: z.string().exactOptional(),
  }),
]);

/** A RAS error that is handled before the answer: counts towards isolation and resets the controller. */
const HARDWARE_ERROR = 'hardware-error';
const KINDS = [HARDWARE_ERROR, ...FAULT_KINDS] as const;
const hardwareError = z.strictObject({ kind: z.literal(HARDWARE_ERROR) });
/** Body of POST /v1/faults/inject. */
export const injectBody = z.union([plan, hardwareError]);
const kindOnly = z.looseObject({ kind: z.enum(KINDS) });

/** @throws WD_E_EINVAL naming the field and, where it is one of several words, those */
function planOf(body: unknown): FaultPlan | typeof HARDWARE_ERROR {
  const { success, data } = kindOnly.safeParse(body);
  if (!success)
    throw new WarpDriveError('WD_E_EINVAL', `kind: expected one of ${KINDS.join(', ')}`, {
      errno: 'EINVAL',
      field: 'kind',
      allowed: KINDS,
    });
  if (data.kind !== HARDWARE_ERROR) return parsed(plan, body);
  parsed(hardwareError, body);
  return HARDWARE_ERROR;
}

/** What an administrator may break on purpose, and mend: reset a queue, make the device fail, bring it back. */
export function faultRoutes({ status, access }: ApiDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const { view } = status;
  router.post('/v1/queues/:id/reset', async (req: Request<{ id: string }>, res) => {
    requireAdmin(req, access);
    await needPart(view.admin).resetQueue(req.params.id);
    res.json({ id: req.params.id, reset: true });
  });
  router.post('/v1/faults/inject', adminBody(access), async (req, res) => {
    const fault = planOf(req.body);
    const admin = needPart(view.admin);
    if (fault === HARDWARE_ERROR) res.json({ kind: fault, isolated: await admin.hardwareError() });
    else res.status(201).json(await admin.injectFault(fault));
  });
  router.get('/v1/faults/inject', async (_req, res) => {
    res.json({ plans: await needPart(view.admin).faultPlans() });
  });
  router.delete('/v1/faults/inject', async (req, res) => {
    requireAdmin(req, access);
    res.json({ cleared: await needPart(view.admin).clearFaults() });
  });
  router.delete('/v1/faults/inject/:id', async (req: Request<{ id: string }>, res) => {
    requireAdmin(req, access);
    const id = Number(req.params.id);
    const admin = needPart(view.admin);
    if (!(await admin.faultPlans()).some((known) => known.id === id))
      throw new WarpDriveError('WD_E_ENOENT', `no fault plan ${req.params.id}`, {
        errno: 'ENOENT',
        field: 'id',
      });
    res.json({ cleared: await admin.clearFaults(id) });
  });
  router.post('/v1/devices/:name/reload', async (req: Request<{ name: string }>, res) => {
    requireAdmin(req, access);
    await needPart(view.admin).reloadDriver();
    res.json({ name: req.params.name, isolated: false });
  });
  return router;
}
