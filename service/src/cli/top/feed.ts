import { WebSocket } from 'ws';
import { MONITOR_PROTOCOL, type MonitorMessage } from '../../../../shared/src/telemetry.ts';
import type { Clock } from '../../platform/clock.ts';

export const SILENT_AFTER_MS = 2000;
const DROP_AFTER_MS = 8000;
const OPEN_TIMEOUT_MS = 5000;
const MIN_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
const ABNORMAL_CLOSE = 1006;
const CLOSE_WORDS: Readonly<Record<number, string>> = {
  1000: 'the service closed the feed',
  1006: 'the connection ended without a close frame',
  1008: 'the service refused this monitor',
  1012: 'the service is restarting',
  1013: 'the service has no room for another monitor',
};

/** What may be claimed about the figures: only `live` ones are current. */
export type FeedState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** Open, but nothing came for a while. */
  | { kind: 'silent' }
  | { kind: 'reconnecting'; retryAtMs: number; reason: string };

export interface FeedEvents {
  onMessage(message: MonitorMessage): void;
  onState(state: FeedState): void;
}

/** Keeps one /v1/monitor feed alive: notices silence, reconnects with growing, jittered waits. */
export class Feed {
  state: FeedState = { kind: 'connecting' };
  private socket: WebSocket | undefined;
  private attempt = 0;
  private cancelTimer = () => {};

  /** @param random 0 ≤ value < 1, spreads reconnects */
  constructor(
    private readonly url: URL,
    private readonly token: string | undefined,
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly events: FeedEvents,
  ) {}

  connect(): void {
    this.release();
    const headers = this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
    const ws = new WebSocket(this.url, MONITOR_PROTOCOL, { perMessageDeflate: false, headers });
    this.socket = ws;
    let refusal = '';
    ws.on('message', (data: Buffer, isBinary) => {
      if (ws === this.socket && !isBinary) this.receive(data.toString());
    });
    ws.on('unexpected-response', (_request, response) => {
      refusal = `the service answered ${response.statusCode}`;
      response.resume();
      ws.terminate();
    });
    ws.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== undefined) refusal ||= `${this.url.host} does not answer (${error.code})`;
    });
    ws.on('close', (code, reason) => {
      if (ws === this.socket) this.retryLater(refusal || closeReason(code, reason.toString()));
    });
    this.startTimer(OPEN_TIMEOUT_MS, () => this.retryLater('the service does not answer'));
  }

  close(): void {
    this.release();
  }

  private receive(text: string): void {
    const message = parse(text);
    if (message === undefined) return;
    this.startTimer(SILENT_AFTER_MS, () => this.fallSilent());
    if (message.type === 'sample') this.attempt = 0;
    if (this.state.kind !== 'live') this.enter({ kind: 'live' });
    this.events.onMessage(message);
  }

  private fallSilent(): void {
    this.enter({ kind: 'silent' });
    this.startTimer(DROP_AFTER_MS - SILENT_AFTER_MS, () => this.retryLater('the service stopped sending'));
  }

  private retryLater(reason: string): void {
    this.release();
    const ceilingMs = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** ++this.attempt);
    const delayMs = Math.round(MIN_DELAY_MS + this.random() * (ceilingMs - MIN_DELAY_MS));
    this.startTimer(delayMs, () => this.connect());
    this.enter({ kind: 'reconnecting', retryAtMs: this.clock.wallMs() + delayMs, reason });
  }

  private release(): void {
    this.cancelTimer();
    const { socket } = this;
    this.socket = undefined;
    socket?.terminate();
  }

  private startTimer(ms: number, callback: () => void): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.after(ms, callback);
  }

  private enter(state: FeedState): void {
    this.state = state;
    this.events.onState(state);
  }
}

function closeReason(code: number, reason: string): string {
  const words = CLOSE_WORDS[code] ?? `the service closed the feed with code ${code}`;
  return reason === '' || code === ABNORMAL_CLOSE ? words : `${words}: ${reason}`;
}

/** A message that this monitor knows; undefined for anything else, also of a newer service. */
function parse(text: string): MonitorMessage | undefined {
  try {
    const message: MonitorMessage = JSON.parse(text);
    return ['snapshot', 'sample', 'fault', 'mdev'].includes(message.type) ? message : undefined;
  } catch {
    return undefined;
  }
}
