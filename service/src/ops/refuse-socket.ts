import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemOf, type WarpDriveError } from '../../../shared/src/problem.ts';

/** Answers on a bare socket, for bytes that are no HTTP request and for upgrades that are refused; then closes. */
export function refuseSocket(socket: Duplex, error: WarpDriveError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const { allow } = error.details;
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
      `Content-Type: application/problem+json\r\nConnection: close\r\n` +
      (Array.isArray(allow) ? `Allow: ${allow.join(', ')}\r\n` : '') +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
