import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { BEARER_PROTOCOL_PREFIX } from '../../../shared/src/stream-protocol.ts';
import type { Access } from '../ops/access.ts';
import { headerRefusal } from '../ops/header-count.ts';
import type { Lifecycle } from '../ops/lifecycle.ts';
import { refuseSocket } from '../ops/refuse-socket.ts';
import { requestId } from '../ops/request-id.ts';
import type { Log } from '../platform/log.ts';

/** A WebSocket route. It gets upgrades that passed the checks of Host, Origin and subprotocol. */
export interface SocketRoute {
  readonly protocol: string;
  /** @throws WarpDriveError to refuse the upgrade */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void;
  /** Ends all sessions. */
  close(code: number, reason: string): void;
  /** Cuts all sessions that are still there. */
  terminate(): void;
}

/** Answers an upgrade with the problem and logs it. */
export type RefuseUpgrade = (req: IncomingMessage, socket: Duplex, error: WarpDriveError) => void;

/** @param newId names requests that bring no id of their own */
export function upgradeRefusal(log: Log, newId: () => string): RefuseUpgrade {
  return (req, socket, error) => {
    const reqId = requestId(req.headers['x-request-id'], newId());
    const status = refuseSocket(socket, error, reqId);
    const { code, message: detail } = error;
    const path = req.url?.split('?', 1)[0];
    log.debug({ reqId, path, status, code, detail }, 'WebSocket upgrade refused');
  };
}

export interface UpgradeDeps {
  refuse: RefuseUpgrade;
  access: Access;
  limits: { maxHeaders: number };
  lifecycle: Lifecycle;
  routes: ReadonlyMap<string, SocketRoute>;
}

/** Answers `upgrade` requests: a browser applies no same-origin rule to WebSockets, so the checks are made here. */
export function attachUpgrades(server: Server, deps: UpgradeDeps): void {
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    try {
      const url = new URL(req.url ?? '/', 'http://service');
      routeFor(req, url, deps).accept(req, socket, head, url);
    } catch (error) {
      const known =
        error instanceof WarpDriveError ? error : new WarpDriveError('WD_E_REQUEST', 'not a usable upgrade');
      deps.refuse(req, socket, known);
    }
  });
}

/** Failed handshakes (RFC 6455 4.2.2) are answered as every other refusal; ws would answer in HTML. */
export function refuseBadHandshakes(server: WebSocketServer, refuse: RefuseUpgrade): void {
  server.on('wsClientError', (error, socket, req) =>
    refuse(req, socket, new WarpDriveError('WD_E_UPGRADE', `not a WebSocket handshake: ${error.message}`)),
  );
}

function routeFor(
  req: IncomingMessage,
  url: URL,
  { access, lifecycle, limits, routes }: UpgradeDeps,
): SocketRoute {
  const offered = takeBearer(req);
  const { host, origin, authorization } = req.headers;
  const tooMany = headerRefusal(req, limits.maxHeaders); // first: Host may be among the fields that were cut off
  if (tooMany !== undefined) throw tooMany;
  if (host === undefined) throw new WarpDriveError('WD_E_REQUEST', 'an upgrade needs a Host field'); // RFC 6455 4.1
  const refused =
    access.refusal(host, origin) ?? access.tokenRefusal(authorization, req.socket.remoteAddress, true);
  if (refused !== undefined) throw refused;
  if (lifecycle.draining) throw new WarpDriveError('WD_E_DRAINING', 'the service is shutting down');
  const route = routes.get(url.pathname);
  if (route === undefined)
    throw new WarpDriveError('WD_E_NOT_FOUND', `${url.pathname} is not a WebSocket route`);
  if (!offered.includes(route.protocol))
    throw new WarpDriveError('WD_E_PARAMETER', `no offered subprotocol is supported`, {
      parameter: 'Sec-WebSocket-Protocol',
      value: offered.join(', '),
      allowed: [route.protocol],
    });
  return route;
}

/**
 * The offered subprotocols. A token among them, which is how browsers send one, moves to `Authorization`, so that no
 * answer and no log repeats it.
 */
function takeBearer(req: IncomingMessage): string[] {
  const offered = (req.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const bearer = offered.find((name) => name.startsWith(BEARER_PROTOCOL_PREFIX));
  if (bearer === undefined) return offered;
  const token = Buffer.from(bearer.slice(BEARER_PROTOCOL_PREFIX.length), 'base64url').toString();
  req.headers.authorization ??= `Bearer ${token}`;
  const rest = offered.filter((name) => !name.startsWith(BEARER_PROTOCOL_PREFIX));
  req.headers['sec-websocket-protocol'] = rest.join(', ');
  return rest;
}
