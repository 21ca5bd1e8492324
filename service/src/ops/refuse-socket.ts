import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemOf, type WarpDriveError } from '../../../shared/src/problem.ts';
import { refusalFields } from './refusal-fields.ts';

/**
 * Answers on a bare socket, for bytes that are no HTTP request and for upgrades that are refused; then closes.
 * @param requestId absent where there was no request
 * @returns the status; undefined if nobody reads it any more
 */
export function refuseSocket(socket: Duplex, error: WarpDriveError, requestId?: string): number | undefined {
  if (!socket.writable) {
    socket.destroy();
    return undefined;
  }
  const problem = problemOf(error, requestId);
  const body = JSON.stringify(problem);
  const fields = [...(requestId === undefined ? [] : ['X-Request-Id', requestId]), ...refusalFields(error)];
  let head = '';
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
      `Content-Type: application/problem+json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n` +
      head +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return problem.status;
}
