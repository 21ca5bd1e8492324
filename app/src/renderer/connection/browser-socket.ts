import type { Socket, SocketEvents } from './connection.ts';

/** A browser's WebSocket as the connection wants it: silent from the moment it is closed from this side. */
export function openBrowserSocket(url: string, protocol: string, events: SocketEvents): Socket {
  const socket = new WebSocket(url, protocol);
  const listening = new AbortController();
  const { signal } = listening;
  socket.addEventListener('message', (event) => events.onData(event.data), { signal });
  socket.addEventListener('close', (event) => events.onClose(event.code, event.reason), { signal });
  return {
    close: () => {
      listening.abort();
      socket.close();
    },
  };
}
