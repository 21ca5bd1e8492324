import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Access } from '../ops/access.ts';
import type { Lifecycle } from '../ops/lifecycle.ts';
import { refuseSocket } from '../ops/refuse-socket.ts';

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

export interface UpgradeDeps {
  access: Access;
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
      refuseSocket(socket, known);
    }
  });
}

function routeFor(req: IncomingMessage, url: URL, { access, lifecycle, routes }: UpgradeDeps): SocketRoute {
  const forbidden = access.refusal(req.headers.host, req.headers.origin);
  if (forbidden !== undefined) throw forbidden;
  if (lifecycle.draining) throw new WarpDriveError('WD_E_DRAINING', 'the service is shutting down');
  const route = routes.get(url.pathname);
  if (route === undefined)
    throw new WarpDriveError('WD_E_NOT_FOUND', `${url.pathname} is not a WebSocket route`);
  const offered = (req.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.includes(route.protocol))
    throw new WarpDriveError('WD_E_PARAMETER', `no offered subprotocol is supported`, {
      parameter: 'Sec-WebSocket-Protocol',
      value: offered.join(', '),
      allowed: [route.protocol],
    });
  return route;
}
