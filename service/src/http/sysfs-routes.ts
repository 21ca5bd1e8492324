import express, { type Request, Router } from 'express';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { adminBody, needPart } from './admin.ts';
import type { ApiDeps } from './api-deps.ts';

const PREFIX = '/v1/sysfs';
const MAX_TEXT = '8kb';

/**
 * The kernel's attributes by their paths: a directory answers its entries, a file its text; PUT writes one, as the
 * administrator's `echo` does. The tree is virtual: no path reaches a file of the host.
 */
export function sysfsRoutes({ status, access }: ApiDeps): Router {
  const router = Router();
  const { view } = status;
  router.get([PREFIX, `${PREFIX}/*path`], (req: Request, res) => {
    const path = pathOf(req);
    const sysfs = needPart(view.sysfs);
    const link = sysfs.stat(path);
    const where = { path: `/sys/${path}`, ...(link.kind === 'link' ? { target: link.target } : {}) };
    if (isDirectory(() => sysfs.list(path)))
      res.json({ ...where, kind: 'directory', entries: sysfs.list(path) });
    else {
      const text = sysfs.read(path, access.isAdmin(req.headers.authorization));
      res.json({ ...where, kind: 'file', text });
    }
  });
  const text = adminBody(access, express.text({ type: () => true, limit: MAX_TEXT }));
  router.put(`${PREFIX}/*path`, text, (req: Request, res) => {
    needPart(view.sysfs).write(pathOf(req), typeof req.body === 'string' ? req.body : '', true);
    res.status(204).end();
  });
  return router;
}

/** The path below /sys, percent-decoded once. @throws WD_E_EINVAL */
function pathOf(req: Request): string {
  try {
    return decodeURIComponent(req.path.slice(PREFIX.length)).replace(/^\/+(sys\/+)?/, '');
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
