import type { WebSocket } from 'ws';
import type { Clock } from '../platform/clock.ts';

const PING_INTERVAL_MS = 20_000;

/** Pings every open socket every 20 s; one that did not answer the last ping is gone. Runs only while needed. */
export class Heartbeat {
  private readonly alive = new Map<WebSocket, boolean>();
  private stopTimer: (() => void) | undefined;
  constructor(private readonly clock: Clock) {}

  watch(ws: WebSocket): void {
    this.alive.set(ws, true);
    ws.on('pong', () => this.alive.set(ws, true));
    ws.on('close', () => {
      this.alive.delete(ws);
      if (this.alive.size > 0) return;
      this.stopTimer?.();
      this.stopTimer = undefined;
    });
    if (this.stopTimer === undefined) this.schedule();
  }

  private schedule(): void {
    this.stopTimer = this.clock.after(PING_INTERVAL_MS, () => {
      for (const [ws, answered] of this.alive) {
        if (!answered) {
          ws.terminate();
          continue;
        }
        this.alive.set(ws, false);
        ws.ping();
      }
      if (this.alive.size > 0) this.schedule();
    });
  }
}
