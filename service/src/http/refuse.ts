import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemOf, WarpDriveError } from '../../../shared/src/problem.ts';
import { refusalFields } from '../ops/refusal-fields.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { corsFields } from './cors.ts';

/** How long a client that was refused may go on sending before the connection is cut. */
const REFUSAL_GRACE_MS = 1000;
export const PROBLEM_TYPE = 'application/problem+json';

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Answers with the error's problem document. A request body that is still arriving is dropped for a short grace
 * before the connection closes: destroying it at once could reset the answer away.
 * @param more header fields besides those of the error
 * @returns the status
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  id: string,
  clock: Clock,
  more: readonly string[] = [],
): number {
  const problem = problemOf(error, id);
  const { status } = problem;
  const body = Buffer.from(JSON.stringify(problem));
  const fields = ['Content-Type', PROBLEM_TYPE, 'Cache-Control', 'no-store', 'X-Request-Id', id, ...more];
  fields.push('X-Content-Type-Options', 'nosniff', 'Content-Length', String(body.length));
  fields.push(...refusalFields(error));
  const { origin } = request.headers;
  const isForbidden = error instanceof WarpDriveError && error.code === 'WD_E_FORBIDDEN';
  if (origin !== undefined && !isForbidden) fields.push(...corsFields(origin));
  if (request.complete || !hasBody(request)) {
    request.resume();
    response.writeHead(status, fields).end(body);
    return status;
  }
  response.writeHead(status, [...fields, 'Connection', 'close']).write(body);
  const cancel = clock.after(REFUSAL_GRACE_MS, end);
  function end(): void {
    cancel();
    response.end();
  }
  request.once('end', end);
  response.once('close', cancel);
  request.resume();
  return status;
}

/**
 * One line for a request that was answered with an error.
 * @param names what identifies the request
 */
export function logRefusal(log: Log, error: unknown, status: number, names: object): void {
  const details = { ...names, status, ...logged(error) };
  if (status >= 500 && status !== 503) log.error(details, 'request failed');
  else log.debug(details, 'request refused');
}

/** How an error is logged: those of the catalogue by code and sentence, defects with their stack. */
export function logged(error: unknown): object {
  return error instanceof WarpDriveError ? { code: error.code, detail: error.message } : { err: error };
}
