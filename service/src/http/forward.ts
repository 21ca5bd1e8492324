import {
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { requestId } from '../ops/request-id.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { logRefusal, refuse } from './refuse.ts';

/** Whose request it was, from the worker that passed it on; whatever a client sends under this name is dropped. */
export const PEER_FIELD = 'Wd-Peer-Address';
/** Fields of one hop (RFC 9110, 7.6.1), which Node makes anew. */
const HOP_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);
const PEER_FIELD_LOWER = PEER_FIELD.toLowerCase();

/** Lets the process at a Unix socket answer. A connection a request: no idle one can be closed under a request. */
export function forwardTo(
  socketPath: string,
  { clock, jobs, log }: { clock: Clock; jobs: { newId(): string }; log: Log },
): RequestListener {
  return (req, res) => {
    const { method, url: path } = req;
    const headers = [...endToEnd(req), PEER_FIELD, req.socket.remoteAddress ?? ''];
    const target = { ...(method ? { method } : {}), ...(path ? { path } : {}) };
    const onward = request({ socketPath, agent: false, ...target, headers });
    onward.on('continue', () => res.writeContinue()); // of a request with `Expect`, once it passed the checks there
    onward.on('response', (answer) => sendBack(answer, res));
    onward.on('error', () => {
      if (res.headersSent) res.destroy();
      else {
        const error = unreachable();
        const reqId = requestId(req.headers['x-request-id'], jobs.newId());
        const status = refuse(req, res, error, reqId, clock);
        logRefusal(log, error, status, { reqId, path: path?.split('?', 1)[0] });
      }
    });
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  };
}

function sendBack(answer: IncomingMessage, res: ServerResponse): void {
  res.writeHead(answer.statusCode ?? 502, endToEnd(answer));
  pipeline(answer, res, () => {}); // a broken answer breaks the client's, too
}

/** Names and values in turns, as `rawHeaders`. */
function endToEnd({ rawHeaders }: IncomingMessage): string[] {
  const kept: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const isKept = !HOP_FIELDS.has(name.toLowerCase()) && name.toLowerCase() !== PEER_FIELD_LOWER;
    if (isKept) kept.push(name, rawHeaders[i + 1] ?? '');
  }
  return kept;
}

const unreachable = () => new WarpDriveError('WD_E_DRAINING', 'the primary process does not answer');

/**
 * The primary's side: requests that came over its Unix socket have their client's address again. Only workers reach
 * that socket, and each of its connections carries the requests of one client.
 */
export function rememberPeers(server: Server): void {
  const remember = (req: IncomingMessage) => {
    const { socket } = req;
    const address = req.headers[PEER_FIELD_LOWER];
    dropPeerField(req); // so that the client's own fields are counted
    if (socket.remoteAddress === undefined && typeof address === 'string' && address !== '')
      Object.defineProperty(socket, 'remoteAddress', { value: address });
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation', 'upgrade'])
    server.prependListener(event, remember);
}

function dropPeerField({ headers, rawHeaders }: IncomingMessage): void {
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === PEER_FIELD_LOWER);
  if (at < 0) return;
  rawHeaders.splice(at, 2);
  delete headers[PEER_FIELD_LOWER];
}
