import { Router } from 'express';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { ApiDeps } from './api.ts';

/** Groups, devices, bound address spaces, cache, stalls; PASIDs for the administrator alone. */
export function iommuRoutes({ status, access }: ApiDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const { view } = status;
  router.get('/v1/iommu', (req, res) => {
    const isAdmin = access.isAdmin(req.headers.authorization);
    const iommu = view.iommu?.(isAdmin);
    if (!iommu) throw new WarpDriveError('WD_E_ENODEV', 'this host has no IOMMU model', { errno: 'ENODEV' });
    res.json({ ...iommu, answered: view.pageRequests?.(isAdmin) ?? [] });
  });
  return router;
}
