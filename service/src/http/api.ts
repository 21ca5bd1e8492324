import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { publicFault, readiness, statusSnapshot } from '../telemetry/status.ts';
import type { ApiDeps } from './api-deps.ts';
import { openApiDocument } from './openapi/document.ts';

/** Everything that reads: status, the stack's tables, metrics, probes. */
export function apiRoutes({ status, metrics, access, jobs }: ApiDeps): Router {
  const router = Router({ strict: true, caseSensitive: true });
  const { view } = status;
  const read = (path: string, handler: RequestHandler) =>
    router.get(path, noQuery(path === '/v1/faults' ? ['since'] : []), handler);

  read('/v1/status', (_req, res) => void res.json(statusSnapshot(status)));
  read('/v1/devices', (_req, res) => void res.json({ devices: view.devices() }));
  read('/v1/mdevs', (_req, res) => void res.json({ mdevs: view.mdevs() }));
  read('/v1/queues', (_req, res) => void res.json({ queues: view.queues() }));
  read('/v1/faults', (req, res) => {
    const isAdmin = access.isAdmin(req.headers.authorization);
    const faults = view.faults(sinceSeq(req.query['since']), isAdmin);
    res.json({ faults: isAdmin ? faults : faults.map(publicFault) });
  });
  read('/v1/jobs/:id', async (req, res) => {
    const record = await jobs.find(String(req.params['id']));
    if (record === undefined)
      throw new WarpDriveError('WD_E_NOT_FOUND', 'no such job; a record is kept for a minute after its end');
    res.json(record);
  });
  read('/metrics', async (_req, res) => {
    res.type(metrics.contentType).send(await metrics.text());
  });
  read('/healthz', (_req, res) => void res.json({ status: 'ok' }));
  read('/readyz', (_req, res) => {
    const { ready, checks } = readiness(status);
    if (!ready) res.set('Retry-After', '1');
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', checks, core: view.core });
  });
  let description: ReturnType<typeof openApiDocument> | undefined; // made when it is asked for, not before readiness
  read('/openapi.json', (_req, res) => {
    description ??= openApiDocument();
    res.json(description);
  });
  read('/version', (_req, res) => void res.json({ version: status.version, node: process.version }));
  return router;
}

function noQuery(allowed: readonly string[]): RequestHandler {
  return (req: Request, _res: Response, next: NextFunction) => {
    const unknown = Object.keys(req.query).find((name) => !allowed.includes(name));
    if (unknown !== undefined)
      throw new WarpDriveError('WD_E_PARAMETER', `${unknown} is not a parameter of this route`, {
        parameter: unknown,
        value: String(req.query[unknown]),
        allowed,
      });
    next();
  };
}

function sinceSeq(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^\d{1,15}$/.test(value)) return Number(value);
  throw new WarpDriveError('WD_E_PARAMETER', 'since is not a fault sequence number', {
    parameter: 'since',
    value: String(value),
    allowed: ['0 and up'],
  });
}
