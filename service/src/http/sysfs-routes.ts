import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { needPart, requireAdmin } from './admin.ts';
import type { ApiDeps } from './api.ts';

const PREFIX = '/v1/sysfs';
const MAX_TEXT = '8kb';

/**
 * The kernel's attributes by their paths: a directory answers its entries, a file its text; PUT writes one, as the
 * administrator's `echo` does. The tree is virtual: no path reaches a file of the host.
 */
export function sysfsRoutes({ status, access }: ApiDeps): Router {
  const router = Router();
  const { view } = status;
  router.use(PREFIX, express.text({ type: () => true, limit: MAX_TEXT }));
  router.use(PREFIX, (req: Request, res: Response, next: NextFunction) => {
    const path = pathOf(req);
    const sysfs = needPart(view.sysfs);
    switch (req.method) {
      case 'GET':
      case 'HEAD': {
        const link = sysfs.stat(path);
        const where = { path: `/sys/${path}`, ...(link.kind === 'link' ? { target: link.target } : {}) };
        if (isDirectory(() => sysfs.list(path)))
          res.json({ ...where, kind: 'directory', entries: sysfs.list(path) });
        else
          res.json({
            ...where,
            kind: 'file',
            text: sysfs.read(path, access.isAdmin(req.headers.authorization)),
          });
        return;
      }
      case 'PUT':
        requireAdmin(req, access);
        sysfs.write(path, typeof req.body === 'string' ? req.body : '', true);
        res.status(204).end();
        return;
      default:
        next(
          new WarpDriveError('WD_E_METHOD', `${req.method} is not allowed here`, {
            allow: ['GET', 'HEAD', 'PUT'],
          }),
        );
    }
  });
  return router;
}

/** The path below /sys, percent-decoded once. @throws WD_E_EINVAL */
function pathOf(req: Request): string {
  try {
    return decodeURIComponent(req.path).replace(/^\/+(sys\/+)?/, '');
  } catch {
    throw new WarpDriveError('WD_E_EINVAL', 'the path is not percent-encoded UTF-8', {
      errno: 'EINVAL',
      field: 'path',
    });
  }
}

function isDirectory(list: () => unknown): boolean {
  try {
    list();
    return true;
  } catch (error) {
    if (error instanceof WarpDriveError && error.code === 'WD_E_ENOTDIR') return false;
    throw error;
  }
}
