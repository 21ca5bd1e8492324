import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Connections of a server that another process accepted and sent over. The server counts only its own. */
export class HandedOverConnections {
  private readonly open = new Set<Socket>();
  private onEmpty: (() => void) | undefined;

  constructor(private readonly server: Server) {}

  take(socket: Socket): void {
    socket.allowHalfOpen = true; // as http.Server sets it for its own
    socket.setNoDelay(true);
    this.open.add(socket);
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.open.size === 0) this.onEmpty?.();
    });
    this.server.emit('connection', socket);
  }

  closed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.open.size === 0) resolve();
      else this.onEmpty = resolve;
    });
  }
}
