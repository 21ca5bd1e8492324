import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemOf, WarpDriveError } from '../../../shared/src/problem.ts';
import type { Clock } from '../platform/clock.ts';

/** How long a client that was refused may go on sending before the connection is cut. */
const REFUSAL_GRACE_MS = 1000;
const RETRY_AFTER_S = 1;
export const PROBLEM_TYPE = 'application/problem+json';

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** The header fields that an error asks for besides its body. */
function fieldsOf(error: unknown, status: number): string[] {
  const fields: string[] = [];
  if (status === 503) fields.push('Retry-After', String(RETRY_AFTER_S));
  if (status === 401) fields.push('WWW-Authenticate', 'Bearer');
  if (status === 415) fields.push('Accept-Encoding', 'identity');
  if (error instanceof WarpDriveError && Array.isArray(error.details['allow']))
    fields.push('Allow', error.details['allow'].join(', '));
  return fields;
}

/**
 * Answers with the error's problem document. A request body that is still arriving is dropped for a short grace
 * before the connection closes: destroying it at once could reset the answer away.
 * @returns the status
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  id: string,
  clock: Clock,
): number {
  const problem = problemOf(error, id);
  const { status } = problem;
  const body = Buffer.from(JSON.stringify(problem));
  const fields = ['Content-Type', PROBLEM_TYPE, 'Cache-Control', 'no-store', 'X-Request-Id', id];
  fields.push('Content-Length', String(body.length), ...fieldsOf(error, status));
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
