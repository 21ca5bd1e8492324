import { BEARER_PROTOCOL_PREFIX } from '../../../../shared/src/stream-protocol.ts';
import {
  MONITOR_PROTOCOL,
  type MonitorMessage,
  type MonitorRequest,
} from '../../../../shared/src/telemetry.ts';
import type { Clock } from '../timing.ts';
import { reconnectDelayMs } from './backoff.ts';
import { parseMonitorMessage } from './message.ts';
import { type ConnectionState, closeReason } from './state.ts';

const ABNORMAL_CLOSE = 1006;
export const OPEN_TIMEOUT_MS = 5_000;
export const SILENT_AFTER_MS = 2_000;
/** An open socket that says nothing for so long is dead, as sockets are after the machine slept. */
export const DROP_AFTER_MS = 8_000;
export const LOST_AFTER_MS = 30_000;
export const HEALTHY_AFTER_MS = 10_000;

/** What a socket tells the connection. Nothing comes after `close()` was called on it. */
export interface SocketEvents {
  onData(data: unknown): void;
  onClose(code: number, reason: string): void;
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

interface ConnectionDeps {
  clock: Clock;
  openSocket(url: string, protocols: readonly string[], events: SocketEvents): Socket;
  /** Sent as a subprotocol, because browsers can set no header on a WebSocket. */
  token?(): string | undefined;
  onMessage(message: MonitorMessage): void;
  onState(state: ConnectionState): void;
}

/** Keeps one monitor feed alive: opens it, watches for silence, reconnects with growing, jittered waits. */
export class MonitorConnection {
  state: ConnectionState = { kind: 'connecting' };
  /** When the last valid message came, Unix ms; undefined before the first. */
  lastDataAtMs: number | undefined;
  /** Frames that were no message of the protocol; they change nothing on the page. */
  rejectedFrames = 0;
  private socket: Socket | undefined;
  private attempt = 0;
  private liveSinceMs: number | undefined;
  private downSinceMs: number | undefined;
  private cancelTimer = () => {};

  constructor(
    private readonly url: string,
    private readonly deps: ConnectionDeps,
  ) {}

  /** Drops the present socket, if any, and tries at once: at start, on network up, on resume, by the user's wish. */
  connectNow(): void {
    this.release();
    const nowMs = this.deps.clock.nowMs();
    this.downSinceMs ??= nowMs;
    // a try that fails at once must not flash another state over the one that names the reason
    this.enter('reason' in this.state ? { ...this.state, retryAtMs: nowMs } : { kind: 'connecting' });
    const token = this.deps.token?.();
    const protocols = [MONITOR_PROTOCOL, ...(token === undefined ? [] : [bearerProtocol(token)])];
    this.socket = this.deps.openSocket(this.url, protocols, {
      onData: (data) => this.receive(data),
      onClose: (code, reason) => this.retryLater(this.reasonOf(code, reason)),
    });
    this.startTimer(OPEN_TIMEOUT_MS, () => this.retryLater(this.reasonOf(ABNORMAL_CLOSE, '')));
  }

  /** Asks the feed for something; lost when there is no live socket, as its answer would be. */
  ask(request: MonitorRequest): void {
    if (this.state.kind === 'live') this.socket?.send(JSON.stringify(request));
  }

  dispose(): void {
    this.release();
  }

  private receive(data: unknown): void {
    const message = parseMonitorMessage(data);
    if (message === undefined) {
      this.rejectedFrames++;
      return;
    }
    const nowMs = this.deps.clock.nowMs();
    this.lastDataAtMs = nowMs;
    this.liveSinceMs ??= nowMs;
    this.downSinceMs = undefined;
    if (nowMs - this.liveSinceMs >= HEALTHY_AFTER_MS) this.attempt = 0;
    if (this.state.kind !== 'live') {
      this.enter({ kind: 'live' });
      this.watchSilence(nowMs);
    }
    this.deps.onMessage(message);
  }

  /** One timer looks at the age of the last message, because thousands may come in a second. */
  private watchSilence(sinceMs: number): void {
    this.startTimer(sinceMs + SILENT_AFTER_MS - this.deps.clock.nowMs(), () => {
      const lastMs = this.lastDataAtMs ?? sinceMs;
      if (this.deps.clock.nowMs() - lastMs >= SILENT_AFTER_MS) this.fallSilent();
      else this.watchSilence(lastMs);
    });
  }

  private fallSilent(): void {
    this.enter({ kind: 'silent' });
    this.startTimer(DROP_AFTER_MS - SILENT_AFTER_MS, () => this.retryLater('the service stopped sending'));
  }

  /** A try that met nobody tells less than the close before it, so that reason stays. */
  private reasonOf(code: number, reason: string): string {
    if (this.liveSinceMs !== undefined || code !== ABNORMAL_CLOSE) return closeReason(code, reason);
    return 'reason' in this.state ? this.state.reason : 'the service does not answer';
  }

  private retryLater(reason: string): void {
    this.release();
    const { clock } = this.deps;
    const nowMs = clock.nowMs();
    this.downSinceMs ??= nowMs;
    const delayMs = reconnectDelayMs(this.attempt++, clock.random());
    const kind = nowMs - this.downSinceMs >= LOST_AFTER_MS ? 'lost' : 'reconnecting';
    this.enter({ kind, retryAtMs: nowMs + delayMs, reason });
    this.startTimer(delayMs, () => this.connectNow());
  }

  private release(): void {
    this.cancelTimer();
    this.liveSinceMs = undefined;
    this.socket?.close();
    this.socket = undefined;
  }

  private startTimer(ms: number, callback: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.deps.clock.after(ms, callback);
  }

  private enter(state: ConnectionState): void {
    this.state = state;
    this.deps.onState(state);
  }
}

/** How a token travels among the subprotocols: base64url, behind the service's prefix. */
function bearerProtocol(token: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(token));
  const text = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return `${BEARER_PROTOCOL_PREFIX}${text}`;
}
