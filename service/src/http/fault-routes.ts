import express, { type Request, Router } from 'express';
import { z } from 'zod';
import { needPart, requireAdmin } from './admin.ts';
import type { ApiDeps } from './api.ts';
import { parsed } from './parsed.ts';

const injectBody = z.strictObject({
  /** A RAS error of the device: counts towards isolation and resets the controller. */
  kind: z.enum(['hardware-error']),
});

/** What an administrator may break on purpose, and mend: reset a queue, make the device fail, bring it back. */
export function faultRoutes({ status, access }: ApiDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const { view } = status;
  router.post('/v1/queues/:id/reset', async (req: Request<{ id: string }>, res) => {
    requireAdmin(req, access);
    await needPart(view.admin).resetQueue(req.params.id);
    res.json({ id: req.params.id, reset: true });
  });
  router.post('/v1/faults/inject', express.json(), async (req, res) => {
    requireAdmin(req, access);
    const { kind } = parsed(injectBody, req.body);
    res.json({ kind, isolated: await needPart(view.admin).hardwareError() });
  });
  router.post('/v1/devices/:name/reload', async (req: Request<{ name: string }>, res) => {
    requireAdmin(req, access);
    await needPart(view.admin).reloadDriver();
    res.json({ name: req.params.name, isolated: false });
  });
  return router;
}
