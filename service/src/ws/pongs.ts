import type { WebSocket } from 'ws';
import type { Clock } from '../platform/clock.ts';

export const PONG_INTERVAL_MS = 1000;

/**
 * Answers pings: one that comes a second or more after the last answer at once, and of those that come sooner only the
 * newest, when the second is over (RFC 6455 section 5.5.3 allows it). A flood of pings costs one pong a second.
 * @param maxBuffered bytes that wait to be sent, beyond which there is no pong: a client that does not read piles none up
 */
export function answerPings(ws: WebSocket, clock: Clock, maxBuffered: number): void {
  let newest: Buffer | undefined;
  let stopTimer: (() => void) | undefined;
  const answer = (): void => {
    stopTimer = undefined;
    if (newest === undefined) return;
    if (ws.bufferedAmount <= maxBuffered) ws.pong(newest);
    newest = undefined;
    stopTimer = clock.after(PONG_INTERVAL_MS, answer);
  };
  ws.on('ping', (data: Buffer) => {
    newest = Buffer.from(data); // a copy: what came is a piece of all that the socket read
    if (stopTimer === undefined) answer();
  });
  ws.on('close', () => stopTimer?.());
}
