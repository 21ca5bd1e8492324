import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { refuseSocket } from '../ops/refuse-socket.ts';
import { requestId } from '../ops/request-id.ts';
import { KEEP_ALIVE_TIMEOUT_MS } from './one-write.ts';
import { type ProductDeps, Products } from './products.ts';
import { logRefusal, refuse } from './refuse.ts';

export type HttpDeps = ProductDeps & {
  limits: {
    maxHeaderBytes: number;
    maxConnections: number;
    /** Milliseconds for a whole request head. */
    headerTimeout: number;
  };
};

/** How often Node looks for heads that are late: so many times within the limit. */
const CHECKS_PER_TIMEOUT = 3;
export const SOCKET_BUFFER_BYTES = 128 * 1024;

/**
 * The HTTP server, not yet listening. WebSockets attach to its `upgrade` event.
 * @param app answers whatever is not one of the two streaming routes; it says `100 Continue` to those that wait for it
 */
export function createHttpServer(deps: HttpDeps, app: RequestListener): Server {
  const { limits } = deps;
  const products = new Products(deps);
  const server = createServer({
    requestTimeout: 0, // a stream may last for days; silence is limited by the idle timer below
    headersTimeout: limits.headerTimeout,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.ceil(limits.headerTimeout / CHECKS_PER_TIMEOUT),
    maxHeaderSize: limits.maxHeaderBytes,
    highWaterMark: SOCKET_BUFFER_BYTES,
    noDelay: true,
    requireHostHeader: false, // checked below: Node's own answer has no body
  });
  server.timeout = deps.idleMs;
  server.maxHeadersCount = limits.maxHeaders + 1; // one more than allowed, so that it is seen
  limitConnections(server, limits.maxConnections);
  const refuseNow = (req: IncomingMessage, res: ServerResponse, error: WarpDriveError): void => {
    const reqId = requestId(req.headers['x-request-id'], deps.jobs.newId());
    logRefusal(deps.log, error, refuse(req, res, error, reqId, deps.clock), { reqId });
  };
  const handle = (req: IncomingMessage, res: ServerResponse, isWaiting: boolean): void => {
    if (namesNoHost(req)) refuseNow(req, res, NO_HOST);
    else if (!products.handle(req, res, isWaiting)) app(req, res);
  };
  server.on('request', (req: IncomingMessage, res: ServerResponse) => handle(req, res, false));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => handle(req, res, true));
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    const reason = `Expect: ${req.headers.expect} is not supported`;
    refuseNow(req, res, new WarpDriveError('WD_E_EXPECTATION', reason));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || isAnswering(socket)) socket.destroy();
    else refuseSocket(socket, fromParser(error, limits));
  });
  return server;
}

/** Not by `server.maxConnections`, which knows nothing of connections that another process handed over. */
function limitConnections(server: Server, limitConnections: number): void {
  let open = 0;
  server.prependListener('connection', (socket: Socket) => {
    open++;
    socket.once('close', () => open--);
    if (open <= limitConnections) return;
    const message = `${limitConnections} connections are open`;
    refuseSocket(
      socket,
      new WarpDriveError('WD_E_LIMIT_STREAMS', message, { limitConnections, measured: 'connections' }),
    );
    socket.destroySoon();
  });
}

/**
 * Whether a part of an answer is out on this socket: another answer behind it would look like more of its body. Node's
 * own answer to such errors looks at the same field, which no public one replaces.
 */
const isAnswering = (socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean =>
  socket._httpMessage?.headersSent === true;

/** RFC 9112 3.2: 400 for a request of HTTP/1.1 without Host. */
const NO_HOST = new WarpDriveError('WD_E_REQUEST', 'a request of HTTP/1.1 needs a Host field');
const namesNoHost = ({ httpVersion, headers }: IncomingMessage): boolean =>
  httpVersion === '1.1' && headers.host === undefined;

function fromParser(error: NodeJS.ErrnoException, limits: HttpDeps['limits']): WarpDriveError {
  const { maxHeaderBytes: limitBytes, headerTimeout: idleMs } = limits;
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new WarpDriveError('WD_E_HEADERS', `the header fields are over ${limitBytes} bytes`, {
      limitBytes,
      measured: 'header fields',
    });
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new WarpDriveError('WD_E_IDLE', `no whole request head within ${idleMs} ms`, { idleMs });
  return new WarpDriveError('WD_E_REQUEST', `the bytes are not HTTP/1.1 (${error.code ?? 'parse error'})`);
}
