import type { ServerResponse } from 'node:http';

/** How long a connection may stay idle; longer than the 60 s of common proxies, so that they and not we end it. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const KEEP_ALIVE = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_TIMEOUT_MS / 1000}\r\n`;
const MS_PER_S = 1000;

/** How Node marks the state of a head. No public field says or sets it without building the head again. */
interface HeadState {
  _header?: string | null;
  _headerSent?: boolean;
}

/** How the head of a 200 begins. */
export const STATUS_LINE = 'HTTP/1.1 200 OK\r\n';

let dateSecond = 0;
let lastLines = '';

/** What Node ends a head with, made once a second: `Date`, how long the connection lives, and an empty line. */
function lastLinesOf(wallMs: number): string {
  const second = Math.floor(wallMs / MS_PER_S);
  if (second !== dateSecond) {
    dateSecond = second;
    lastLines = `Date: ${new Date(wallMs).toUTCString()}\r\n${KEEP_ALIVE}\r\n`;
  }
  return lastLines;
}

/**
 * A whole 200 as one string: `writeHead` and `end` check every field again and write twice, the second time nothing,
 * which is a seventh of a 2 KiB request. Only for a keep-alive connection of HTTP/1.1 with nothing under way on it.
 * @param firstLines status line and valid fields, each with its CRLF, `Content-Length` among them
 * @param body of few KiB: it is copied
 * @returns false where it does not apply, then nothing was done
 */
export function sendInOneWrite(
  res: ServerResponse,
  firstLines: string,
  body: Uint8Array,
  wallMs: number,
): boolean {
  const state: ServerResponse & HeadState = res;
  const { socket } = res;
  const isFresh = state._header === null && state._headerSent === false;
  if (!isFresh || !res.shouldKeepAlive || res.req.httpVersionMinor !== 1) return false;
  if (socket === null || !socket.writable || socket.writableLength > 0) return false;
  const head = firstLines + lastLinesOf(wallMs);
  state._header = head;
  state._headerSent = true;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
  socket.write(head + bytes.toString('latin1'), 'latin1');
  res.end();
  return true;
}
