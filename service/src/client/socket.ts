import { WarpDriveError } from '../../../shared/src/problem.ts';
import { BEARER_PROTOCOL_PREFIX } from '../../../shared/src/stream-protocol.ts';
import { STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';

/** The part of the standard WebSocket that is used; the package `ws` has it too. */
export interface Socket {
  binaryType: string;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
}

type SocketClass = new (url: string, protocols: string[], options?: { perMessageDeflate: boolean }) => Socket;

/** The platform's WebSocket; on Node without one, `ws`, which would offer to compress what is compressed already. */
async function socketClass(): Promise<{ make: SocketClass; options?: { perMessageDeflate: boolean } }> {
  const own: unknown = Reflect.get(globalThis, 'WebSocket');
  if (own) return { make: own as SocketClass };
  const { WebSocket } = await import('ws');
  return { make: WebSocket as unknown as SocketClass, options: { perMessageDeflate: false } };
}

/**
 * Connects. A browser cannot set header fields, so the token goes as a subprotocol, everywhere the same way.
 * @throws WD_E_ABORTED when there is no connection: nobody listens, or the service refused the upgrade
 */
export async function connectSocket(url: URL, token: string | undefined): Promise<Socket> {
  const protocols = [STREAM_PROTOCOL];
  if (token !== undefined) protocols.push(BEARER_PROTOCOL_PREFIX + base64url(token));
  const { make, options } = await socketClass();
  const socket = options ? new make(url.href, protocols, options) : new make(url.href, protocols);
  socket.binaryType = 'arraybuffer';
  await new Promise<void>((resolve, reject) => {
    const refuse = (): void =>
      reject(new WarpDriveError('WD_E_ABORTED', `no connection to ${url.origin}: not there, or refused`));
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', refuse);
    socket.addEventListener('close', refuse);
  });
  return socket;
}

function base64url(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
