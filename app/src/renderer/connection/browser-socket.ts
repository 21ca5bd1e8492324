import type { Socket, SocketEvents } from './connection.ts';

/** A browser's WebSocket as the connection wants it: silent from the moment it is closed from this side. */
export function openBrowserSocket(url: string, protocols: readonly string[], events: SocketEvents): Socket {
  const socket = new WebSocket(url, [...protocols]);
  const listening = new AbortController();
  const { signal } = listening;
  socket.addEventListener('message', (event) => events.onData(event.data), { signal });
  socket.addEventListener('close', (event) => events.onClose(event.code, event.reason), { signal });
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      listening.abort();
      socket.close();
    },
  };
}
