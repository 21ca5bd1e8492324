import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BenchControl } from '../../../shared/src/bench.ts';
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
import { MAX_BUFFERED_BYTES, MonitorSession } from './monitor-session.ts';
import { answerPings } from './pongs.ts';
import { type RefuseUpgrade, refuseBadHandshakes, type SocketRoute } from './upgrade.ts';

const MAX_PAYLOAD_BYTES = 4096;
const MAX_SESSIONS = 64;
const CLOSE_OVERLOADED = 1013;

/** The feed of /v1/monitor: a snapshot, then samples, faults, mdev and bench changes; one timer for all clients. */
export class MonitorFeed implements SocketRoute {
  readonly protocol = MONITOR_PROTOCOL;
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
    autoPong: false,
    handleProtocols: () => MONITOR_PROTOCOL,
  });
  private readonly sessions = new Set<MonitorSession>();
  private readonly heartbeat: Heartbeat;
  private stopTimer: (() => void) | undefined;
  /** As of the last tick, where the view tells no changes. */
  private mdevs = new Map<string, MdevSnapshot>();
  private readonly changedMdevs = new Map<string, MdevSnapshot>();

  /** @param bench absent where the service cannot run comparisons */
  constructor(
    private readonly source: StatusSource,
    private readonly sampler: Sampler,
    private readonly access: Access,
    refuse: RefuseUpgrade,
    private readonly bench?: BenchControl,
  ) {
    refuseBadHandshakes(this.server, refuse);
    this.heartbeat = new Heartbeat(source.clock);
    source.view.onFault((fault) => this.sendFault(fault));
    source.view.onMdevChange?.((mdev) => this.noteMdev(mdev));
    bench?.onChange((run) => this.sendAll({ type: 'bench', run }));
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
    const { counters, view } = this.source;
    const address = req.socket.remoteAddress;
    const session = new MonitorSession(ws, this.access.isAdmin(req.headers.authorization), {
      isAdminToken: (token) => this.isAdminToken(`Bearer ${token}`, address),
      faults: (sinceSeq, isAdmin) => view.faults(sinceSeq, isAdmin),
      onDroppedSample: () => counters.webSockets.droppedSamples++,
    });
    counters.webSocketOpened(ws);
    this.sessions.add(session);
    this.heartbeat.watch(ws);
    answerPings(ws, this.source.clock, MAX_BUFFERED_BYTES);
    ws.on('close', (code) => {
      this.sessions.delete(session);
      counters.webSocketClosed(ws, code);
      if (this.sessions.size === 0) this.stop();
    });
    this.sendSnapshot(session);
    if (this.stopTimer === undefined) this.start();
  }

  /** Guesses by message count as those by header field. */
  private isAdminToken(authorization: string, address: string | undefined): boolean {
    const refused = this.access.tokenRefusal(authorization, address, false);
    return refused === undefined && this.access.isAdmin(authorization);
  }

  private start(): void {
    const { clock, view } = this.source;
    if (!view.onMdevChange) this.mdevs = new Map(view.mdevs().map((mdev) => [mdev.uuid, mdev]));
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
    this.changedMdevs.clear();
    this.sampler.stop();
  }

  private tick(): void {
    this.sendMdevChanges();
    const sample = this.sampler.sample();
    const forAll = JSON.stringify(sample);
    let forAdmins: string | undefined;
    for (const session of this.sessions) {
      if (session.isAdmin && this.source.view.iommu) {
        forAdmins ??= JSON.stringify({ ...sample, iommu: this.source.view.iommu(true) });
        session.sendSample(forAdmins);
      } else session.sendSample(forAll);
    }
  }

  private sendSnapshot(session: MonitorSession): void {
    const { view } = this.source;
    const { isAdmin } = session;
    const faults = view.faults(undefined, isAdmin);
    session.send({
      type: 'snapshot',
      status: statusSnapshot(this.source),
      devices: view.devices(),
      mdevs: view.mdevs(),
      queues: view.queues(),
      faults: isAdmin ? faults : faults.map(publicFault),
      ...(this.bench ? { bench: this.bench.runs() } : {}),
      ...(view.admin ? { mdevTypes: view.admin.mdevTypes() } : {}),
    });
  }

  private sendFault(fault: FaultSnapshot): void {
    if (this.sessions.size === 0) return;
    const forAll = once(() => faultMessage(publicFault(fault)));
    const forAdmins = once(() => faultMessage(fault));
    for (const session of this.sessions) session.sendFault(session.isAdmin ? forAdmins : forAll);
  }

  private sendAll(message: MonitorMessage): void {
    const text = JSON.stringify(message);
    for (const { ws } of this.sessions) ws.send(text);
  }

  private noteMdev(mdev: MdevSnapshot): void {
    if (this.sessions.size > 0) this.changedMdevs.set(mdev.uuid, mdev);
  }

  /** What changed since the last tick, each mdev once. Workers tell no changes, so theirs are found by comparing. */
  private sendMdevChanges(): void {
    const { view } = this.source;
    if (!view.onMdevChange) this.compareMdevs();
    if (this.changedMdevs.size === 0) return;
    const changed = [...this.changedMdevs.values()];
    this.changedMdevs.clear();
    const types = view.admin?.mdevTypes();
    for (const mdev of changed) this.sendAll({ type: 'mdev', mdev, ...(types ? { types } : {}) });
  }

  private compareMdevs(): void {
    const now = new Map(this.source.view.mdevs().map((mdev) => [mdev.uuid, mdev]));
    for (const mdev of now.values()) if (this.mdevs.get(mdev.uuid)?.state !== mdev.state) this.noteMdev(mdev);
    for (const mdev of this.mdevs.values())
      if (!now.has(mdev.uuid) && mdev.state !== 'removed') this.noteMdev({ ...mdev, state: 'removed' });
    this.mdevs = now;
  }
}

const faultMessage = (fault: FaultSnapshot): string =>
  JSON.stringify({ type: 'fault', fault } satisfies MonitorMessage);

/** Makes something when it is asked for, and only the first time. */
function once(make: () => string): () => string {
  let made: string | undefined;
  return () => (made ??= make());
}
