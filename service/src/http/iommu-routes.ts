import { type Request, Router } from 'express';
import { z } from 'zod';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { FAULT_MODELS, PAGE_RESPONSES, type StackView } from '../../../shared/src/telemetry.ts';
import { adminBody, needPart } from './admin.ts';
import type { ApiDeps } from './api-deps.ts';
import { parsed } from './parsed.ts';

export const changeBody = z.strictObject({
  faultModel: z.enum(FAULT_MODELS).optional(),
  hold: z.boolean().optional(),
});
export const answerBody = z.strictObject({ response: z.enum(PAGE_RESPONSES) });

/**
 * Groups, devices, bound address spaces, cache, stalls; PASIDs for the administrator alone, who may also change the
 * device's fault model, hold page requests and answer them one by one.
 */
export function iommuRoutes({ status, access }: ApiDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const { view } = status;
  router
    .route('/v1/iommu')
    .get((req, res) => void res.json(stateOf(view, access.isAdmin(req.headers.authorization))))
    .patch(adminBody(access), async (req: Request, res) => {
      const admin = needPart(view.admin);
      const { faultModel, hold } = parsed(changeBody, req.body);
      if (faultModel !== undefined) await admin.setFaultModel(faultModel);
      if (hold !== undefined) await admin.holdPageRequests(hold);
      res.json(stateOf(view, true));
    });
  router.post('/v1/iommu/stalls/:stag', adminBody(access), async (req: Request<{ stag: string }>, res) => {
    const { response } = parsed(answerBody, req.body);
    const admin = needPart(view.admin);
    res.json({ response: await admin.answerPageRequest(Number(req.params.stag), response) });
  });
  return router;
}

function stateOf(view: StackView, isAdmin: boolean): object {
  const iommu = view.iommu?.(isAdmin);
  if (!iommu) throw new WarpDriveError('WD_E_ENODEV', 'this host has no IOMMU model', { errno: 'ENODEV' });
  return { ...iommu, answered: view.pageRequests?.(isAdmin) ?? [] };
}
