import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type FaultSnapshot,
  type MdevSnapshot,
  MONITOR_PROTOCOL,
  type MonitorMessage,
  SAMPLE_INTERVAL_MS,
} from '../../../shared/src/telemetry.ts';
import type { Access } from '../ops/access.ts';
import type { Sampler } from '../telemetry/sampler.ts';
import { publicFault, type StatusSource, statusSnapshot } from '../telemetry/status.ts';
import { Heartbeat } from './heartbeat.ts';
import type { SocketRoute } from './upgrade.ts';

const MAX_PAYLOAD_BYTES = 4096;
const MAX_SESSIONS = 64;
/** A client this far behind gets no fault messages; the gap in `seq` tells it to read /v1/faults. */
const MAX_BUFFERED_BYTES = 256 * 1024;
const CLOSE_BAD_MESSAGE = 4400;
const CLOSE_OVERLOADED = 1013;

interface Session {
  ws: WebSocket;
  isAdmin: boolean;
  /** The last sample is still on its way: the next one is dropped, a later one replaces it. */
  sending: boolean;
  dropped: number;
}

/** The feed of /v1/monitor: a snapshot, then samples, faults and mdev changes; one timer for all clients. */
export class MonitorFeed implements SocketRoute {
  readonly protocol = MONITOR_PROTOCOL;
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => MONITOR_PROTOCOL,
  });
  private readonly sessions = new Set<Session>();
  private readonly heartbeat: Heartbeat;
  private stopTimer: (() => void) | undefined;
  private mdevs = new Map<string, MdevSnapshot>();

  constructor(
    private readonly source: StatusSource,
    private readonly sampler: Sampler,
    private readonly access: Access,
  ) {
    this.heartbeat = new Heartbeat(source.clock);
    source.view.onFault((fault) => this.sendFault(fault));
  }

  accept(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.server.handleUpgrade(req, socket, head, (ws) => this.open(ws, req));
  }

  close(code: number, reason: string): void {
    for (const { ws } of this.sessions) ws.close(code, reason);
  }

  terminate(): void {
    for (const { ws } of this.sessions) ws.terminate();
  }

  private open(ws: WebSocket, req: IncomingMessage): void {
    ws.on('error', () => ws.terminate());
    if (this.sessions.size >= MAX_SESSIONS) {
      ws.close(CLOSE_OVERLOADED, 'too many monitors');
      return;
    }
    const { counters } = this.source;
    const session = {
      ws,
      isAdmin: this.access.isAdmin(req.headers.authorization),
      sending: false,
      dropped: 0,
    };
    counters.webSockets.sessions++;
    this.sessions.add(session);
    this.heartbeat.watch(ws);
    ws.on('message', () => ws.close(CLOSE_BAD_MESSAGE, 'WD_E_PARAMETER'));
    ws.on('close', (code) => {
      this.sessions.delete(session);
      counters.webSocketClosed(code);
      if (this.sessions.size === 0) this.stop();
    });
    this.sendSnapshot(session);
    if (this.stopTimer === undefined) this.start();
  }

  private start(): void {
    const { clock, view } = this.source;
    this.mdevs = new Map(view.mdevs().map((mdev) => [mdev.uuid, mdev]));
    this.sampler.start();
    const again = () => {
      this.stopTimer = clock.after(SAMPLE_INTERVAL_MS, () => {
        again();
        this.tick();
      });
    };
    again();
  }

  private stop(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    this.sampler.stop();
  }

  private tick(): void {
    this.sendMdevChanges();
    const sample = JSON.stringify(this.sampler.sample());
    for (const session of this.sessions) {
      if (session.sending) {
        session.dropped++;
        this.source.counters.webSockets.droppedSamples++;
        continue;
      }
      session.sending = true;
      session.ws.send(`{"type":"sample","sample":${sample},"dropped":${session.dropped}}`, () => {
        session.sending = false;
      });
    }
  }

  private sendSnapshot({ ws, isAdmin }: Session): void {
    const { view } = this.source;
    const faults = view.faults(undefined, isAdmin);
    const message: MonitorMessage = {
      type: 'snapshot',
      status: statusSnapshot(this.source),
      devices: view.devices(),
      mdevs: view.mdevs(),
      queues: view.queues(),
      faults: isAdmin ? faults : faults.map(publicFault),
    };
    ws.send(JSON.stringify(message));
  }

  private sendFault(fault: FaultSnapshot): void {
    if (this.sessions.size === 0) return;
    const forAll = JSON.stringify({ type: 'fault', fault: publicFault(fault) } satisfies MonitorMessage);
    const forAdmin = JSON.stringify({ type: 'fault', fault } satisfies MonitorMessage);
    for (const { ws, isAdmin } of this.sessions)
      if (ws.bufferedAmount < MAX_BUFFERED_BYTES) ws.send(isAdmin ? forAdmin : forAll);
  }

  /** The view has no event for mdevs, so changes are found by comparing with the last tick. */
  private sendMdevChanges(): void {
    const now = new Map(this.source.view.mdevs().map((mdev) => [mdev.uuid, mdev]));
    const changed: MdevSnapshot[] = [];
    for (const mdev of now.values()) if (this.mdevs.get(mdev.uuid)?.state !== mdev.state) changed.push(mdev);
    for (const mdev of this.mdevs.values())
      if (!now.has(mdev.uuid) && mdev.state !== 'removed') changed.push({ ...mdev, state: 'removed' });
    this.mdevs = now;
    for (const mdev of changed) {
      const text = JSON.stringify({ type: 'mdev', mdev } satisfies MonitorMessage);
      for (const { ws } of this.sessions) ws.send(text);
    }
  }
}
