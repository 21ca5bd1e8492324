import { join } from 'node:path';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { BenchControl } from '../../../shared/src/bench.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { headerRefusal } from '../ops/header-count.ts';
import { PACKAGE_ROOT } from '../ops/package.ts';
import { requestId } from '../ops/request-id.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { apiRoutes } from './api.ts';
import type { ApiDeps } from './api-deps.ts';
import { benchRoutes } from './bench-routes.ts';
import { answerOptions, corsFields } from './cors.ts';
import { faultRoutes } from './fault-routes.ts';
import { iommuRoutes } from './iommu-routes.ts';
import { mdevRoutes } from './mdev-routes.ts';
import { monitorPolicy } from './monitor-policy.ts';
import { methodsOf } from './openapi/routes.ts';
import { logRefusal, refuse } from './refuse.ts';
import { sysfsRoutes } from './sysfs-routes.ts';

export interface AppDeps extends ApiDeps {
  limits: { maxHeaders: number };
  /** Absent where the service cannot run comparisons. */
  bench?: BenchControl;
  clock: Clock;
  log: Log;
}

const MONITOR_FILES = join(PACKAGE_ROOT, 'dist/app/renderer');
const SECURITY_FIELDS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
const US_PER_S = 1e6;
/** Probes, the page and what describes the service: they hold no data, and the page must load to ask for a token. */
const OPEN_ROUTES = /^\/($|healthz$|readyz$|version$|openapi\.json$|monitor(\/|$))/;

/** All routes but the streaming ones. */
export function createApp(deps: AppDeps): Express {
  const { access, clock, log } = deps;
  const { counters } = deps.status;
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('strict routing').enable('case sensitive routing');
  app.set('query parser', 'simple');

  app.use((req, res, next) => {
    const startedUs = clock.monotonicUs();
    const id = requestId(req.headers['x-request-id'], deps.jobs.newId());
    res.locals['id'] = id;
    res.set(SECURITY_FIELDS).set('X-Request-Id', id).set('Cache-Control', 'no-store');
    res.once('finish', () => {
      const seconds = (clock.monotonicUs() - startedUs) / US_PER_S;
      counters.route(routeOf(req)).ended(req.method, res.statusCode, seconds);
    });
    const { host, origin, authorization } = req.headers;
    const needsToken = !OPEN_ROUTES.test(req.path) && req.method !== 'OPTIONS';
    const refused =
      access.refusal(host, origin) ??
      headerRefusal(req, deps.limits.maxHeaders) ??
      access.tokenRefusal(authorization, req.socket.remoteAddress, needsToken);
    if (refused === undefined && origin !== undefined) setFields(res, corsFields(origin));
    next(refused);
  });
  app.use((req, res, next) => {
    const allow = req.method === 'OPTIONS' ? methodsOf(req.path) : [];
    if (allow.length === 0) next();
    else answerOptions(req, res, allow, String(res.locals['id']));
  });
  app.use(mdevRoutes(deps), sysfsRoutes(deps), iommuRoutes(deps), faultRoutes(deps), benchRoutes(deps));
  app.use(apiRoutes(deps));
  app.get('/', (_req, res) => res.redirect('/monitor/'));
  app.use(
    '/monitor',
    (req: Request, res: Response, next: NextFunction) => {
      res.set('Content-Security-Policy', monitorPolicy(req.query['service']));
      next();
    },
    express.static(MONITOR_FILES, {
      setHeaders: (res) => void res.setHeader('Cache-Control', 'no-cache'),
    }),
  );
  app.use((req: Request) => {
    throw unserved(req);
  });
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => {
    const known = fromExpress(error);
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const reqId = String(res.locals['id']);
    logRefusal(log, known, refuse(req, res, known, reqId, clock), { reqId });
  });
  return app;
}

/** Why no route took the request. */
function unserved({ method, path }: Request): WarpDriveError {
  const allow = methodsOf(path);
  if (allow.length === 0)
    return new WarpDriveError('WD_E_NOT_FOUND', `${method} ${path} is not a route of this service`);
  if (allow.includes(method) && !path.startsWith('/monitor'))
    return new WarpDriveError('WD_E_UPGRADE', `${path} is a WebSocket route`);
  return new WarpDriveError('WD_E_METHOD', `${method} is not allowed here`, { allow });
}

/** Express and its parts throw errors that carry a status; those of the client's making are named, others are ours. */
function fromExpress(error: unknown): unknown {
  if (error instanceof WarpDriveError || !(error instanceof Error) || !('status' in error)) return error;
  if (error.status === 404) return new WarpDriveError('WD_E_NOT_FOUND', 'no such file', {}, { cause: error });
  if (error.status === 413)
    return new WarpDriveError('WD_E_LIMIT_INPUT', 'the body is too large for this route', {
      ...('limit' in error ? { limitBytes: Number(error.limit) } : {}),
      measured: 'input',
    });
  if (error.status === 415)
    return new WarpDriveError('WD_E_CODING', error.message, { supported: ['gzip', 'deflate', 'identity'] });
  if (typeof error.status === 'number' && error.status < 500)
    return new WarpDriveError('WD_E_REQUEST', error.message, {}, { cause: error });
  return error;
}

/** Label of a small closed set: the pattern that matched, never the path that was asked for. */
function routeOf(req: Request): string {
  const pattern: unknown = req.route?.path;
  if (typeof pattern === 'string') return pattern;
  return req.baseUrl === '/monitor' || req.originalUrl.startsWith('/monitor/') ? '/monitor/' : 'other';
}

function setFields(res: Response, fields: readonly string[]): void {
  for (let i = 0; i < fields.length; i += 2) res.append(fields[i] ?? '', fields[i + 1] ?? '');
}
