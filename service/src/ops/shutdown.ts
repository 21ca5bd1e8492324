import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Lifecycle } from './lifecycle.ts';

const CLOSE_IDLE_EVERY_MS = 100;

export interface ShutdownParts {
  lifecycle: Lifecycle;
  server: Server;
  /** Ends WebSockets with 1012. */
  closeSockets(): void;
  /** Cuts the WebSockets that did not answer the close. */
  cutSockets(): void;
  /** Resolves when the connections that the server did not accept itself are closed, too. */
  handedOverClosed?(): Promise<void>;
  /** Stops queues and the device; after it nothing of the stack is left. */
  closeHost(): Promise<void>;
  /** How long requests are still served after /readyz said no. */
  delayMs: number;
  timeoutMs: number;
  clock: Clock;
  log: Log;
}

/** Not ready → wait for proxies → stop listening → close what is idle → WebSockets 1012 → drain → stack down. */
export async function shutDown(parts: ShutdownParts): Promise<void> {
  const { lifecycle, server, clock, log } = parts;
  if (parts.delayMs > 0) {
    lifecycle.leave();
    log.info({ delayMs: parts.delayMs }, 'leaving: not ready, still serving');
    const lastOnConnection = (_req: IncomingMessage, res: ServerResponse) => {
      res.shouldKeepAlive = false;
    };
    server.prependListener('request', lastOnConnection).prependListener('checkContinue', lastOnConnection);
    await new Promise<void>((resolve) => void clock.after(parts.delayMs, resolve));
  }
  lifecycle.drain();
  log.info({ timeoutMs: parts.timeoutMs }, 'draining');
  const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(() =>
    parts.handedOverClosed?.(),
  );
  parts.closeSockets();
  let stopSweep = () => {};
  const sweep = () => {
    server.closeIdleConnections();
    stopSweep = clock.after(CLOSE_IDLE_EVERY_MS, sweep);
  };
  sweep();
  let stopDeadline = () => {};
  const deadline = new Promise<'late'>((resolve) => {
    stopDeadline = clock.after(parts.timeoutMs, () => resolve('late'));
  });
  if ((await Promise.race([closed, deadline])) === 'late') {
    log.warn({ timeoutMs: parts.timeoutMs }, 'streams cut off at the shutdown timeout');
    parts.cutSockets();
    server.closeAllConnections();
    await closed;
  }
  stopSweep();
  stopDeadline();
  await parts.closeHost();
  log.info({}, 'stopped');
}

/** The first SIGTERM or SIGINT stops in order, a second one exits 1 at once. */
export function onStopSignal(stop: () => Promise<void>, exit: (code: number) => void): void {
  let stopping = false;
  const handler = () => {
    if (stopping) {
      exit(1);
      return;
    }
    stopping = true;
    stop().then(
      () => exit(0),
      () => exit(EXIT_SOFTWARE),
    );
  };
  process.on('SIGTERM', handler);
  process.on('SIGINT', handler);
}

export const EXIT_SOFTWARE = 70;

const DEFECT_DRAIN_MS = 1000;

/**
 * A defect leaves the process in an unknown state: it is logged, open streams get a moment, and the process ends.
 * @param stop ends what runs, if anything does
 */
export function exitOnDefect(
  log: Log,
  exit: (code: number) => void,
  stop: () => Promise<void> | undefined,
): void {
  let ending = false;
  const fatal = (error: unknown) => {
    log.error({ err: error }, 'uncaught error');
    const end = () => exit(EXIT_SOFTWARE);
    if (ending) return end();
    ending = true;
    setTimeout(end, DEFECT_DRAIN_MS);
    Promise.resolve(stop()).then(end, end);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);
}
