import { type Request, Router } from 'express';
import { z } from 'zod';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { MdevCreateRequest } from '../../../shared/src/telemetry.ts';
import { adminBody, needPart, requireAdmin } from './admin.ts';
import type { ApiDeps } from './api-deps.ts';
import { parsed } from './parsed.ts';

export const createBody = z.strictObject({
  uuid: z.string().max(64).optional(),
  type: z.string().max(128),
  dmaPoolBytes: z.number().int().nonnegative().optional(),
  priorityClass: z.number().int().optional(),
});

/** The administrator's part of /v1/mdevs; the list itself is read in api.ts. */
export function mdevRoutes({ status, access }: ApiDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const { view } = status;
  router.get('/v1/mdevs/types', (_req, res) => void res.json({ types: needPart(view.admin).mdevTypes() }));
  router.post('/v1/mdevs', adminBody(access), (req, res) => {
    const mdev = needPart(view.admin).createMdev(requestOf(req.body), true);
    res.status(201).location(`/v1/mdevs/${mdev.uuid}`).json(mdev);
  });
  router
    .route('/v1/mdevs/:uuid')
    .delete(async (req: Request<{ uuid: string }>, res) => {
      requireAdmin(req, access);
      await needPart(view.admin).removeMdev(req.params.uuid, true);
      res.status(204).end();
    })
    .get((req: Request<{ uuid: string }>, res) => {
      const mdev = view.mdevs().find(({ uuid }) => uuid === req.params.uuid.toLowerCase());
      if (!mdev)
        throw new WarpDriveError('WD_E_ENODEV', `no mdev ${req.params.uuid}`, {
          errno: 'ENODEV',
          field: 'uuid',
        });
      res.json(mdev);
    });
  return router;
}

function requestOf(body: unknown): MdevCreateRequest {
  const { uuid, type, dmaPoolBytes, priorityClass } = parsed(createBody, body);
  return {
    type,
    ...(uuid === undefined ? {} : { uuid }),
    ...(dmaPoolBytes === undefined ? {} : { dmaPoolBytes }),
    ...(priorityClass === undefined ? {} : { priorityClass }),
  };
}
