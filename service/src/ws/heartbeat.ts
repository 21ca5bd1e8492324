import type { WebSocket } from 'ws';
import type { Clock } from '../platform/clock.ts';

const PING_INTERVAL_MS = 20_000;
/** Pings within the time that a client has to answer one. */
const PINGS_PER_TIMEOUT = 3;
export const PING_TIMEOUT_MS = PING_INTERVAL_MS * PINGS_PER_TIMEOUT;

/**
 * Pings every open socket, every 20 s or more often where the time to answer is short; one that answers none of them
 * is gone. A socket that we do not read ourselves is not blamed. Runs only while needed.
 */
export class Heartbeat {
  private readonly answeredAtUs = new Map<WebSocket, number>();
  private readonly intervalMs: number;
  private stopTimer: (() => void) | undefined;
  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs = PING_TIMEOUT_MS,
  ) {
    this.intervalMs = Math.min(PING_INTERVAL_MS, Math.ceil(timeoutMs / PINGS_PER_TIMEOUT));
  }

  watch(ws: WebSocket): void {
    const alive = () => this.answeredAtUs.set(ws, this.clock.monotonicUs());
    alive();
    ws.on('pong', alive);
    ws.on('close', () => {
      this.answeredAtUs.delete(ws);
      if (this.answeredAtUs.size > 0) return;
      this.stopTimer?.();
      this.stopTimer = undefined;
    });
    if (this.stopTimer === undefined) this.schedule();
  }

  private schedule(): void {
    this.stopTimer = this.clock.after(this.intervalMs, () => {
      const nowUs = this.clock.monotonicUs();
      for (const [ws, answeredAtUs] of this.answeredAtUs) {
        if (ws.isPaused) this.answeredAtUs.set(ws, nowUs);
        else if (nowUs - answeredAtUs >= this.timeoutMs * 1000) {
          ws.terminate();
          continue;
        }
        ws.ping();
      }
      if (this.answeredAtUs.size > 0) this.schedule();
    });
  }
}
