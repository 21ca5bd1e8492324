import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { BenchControl } from '../../shared/src/bench.ts';
import type { JobRecord } from '../../shared/src/job.ts';
import { MONITOR_PROTOCOL, type StackView } from '../../shared/src/telemetry.ts';
import type { Codec } from './codec/codec.ts';
import type { Config } from './config/schema.ts';
import { type AppDeps, createApp } from './http/app.ts';
import { forwardTo, PEER_FIELD, rememberPeers } from './http/forward.ts';
import { HandedOverConnections } from './http/handed-over.ts';
import { createHttpServer } from './http/server.ts';
import { Access } from './ops/access.ts';
import { Lifecycle } from './ops/lifecycle.ts';
import { VERSION } from './ops/package.ts';
import { shutDown } from './ops/shutdown.ts';
import { StreamSlots } from './ops/stream-slots.ts';
import type { Clock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import { Counters } from './telemetry/counters.ts';
import { JobRecords } from './telemetry/job-records.ts';
import { Metrics } from './telemetry/prometheus.ts';
import { Sampler } from './telemetry/sampler.ts';
import type { StatusSource } from './telemetry/status.ts';
import { ForwardedSockets } from './ws/forward.ts';
import { MonitorFeed } from './ws/monitor.ts';
import { StreamRoute } from './ws/stream.ts';
import { attachUpgrades, type SocketRoute, upgradeRefusal } from './ws/upgrade.ts';

/** The stack that a service serves; what `createHost` gives, of which tests may pass a double. */
export interface ServedHost {
  readonly codec: Codec;
  readonly view: StackView;
  close(): Promise<void>;
}

export interface ServiceParts {
  config: Config;
  host: ServedHost;
  adminToken: string;
  clock: Clock;
  log: Log;
  /** Comparison runs at /v1/bench, ended with the service; absent: there is no such route. */
  bench?: BenchControl & { close(): Promise<void> };
  /** Where it listens and what it serves as one of several processes; absent: alone, at the configured address. */
  role?: ServiceRole;
}

/** One process of several that are one service. Connections come over `accept`, and at a private Unix socket. */
export type ServiceRole =
  /** Serves everything; `beforeAnswer` brings the figures of the others up to date. */
  | {
      kind: 'primary';
      path: string;
      counters: Counters;
      jobs: JobRecords;
      findJob: (id: string) => Promise<JobRecord | undefined>;
      beforeAnswer: () => Promise<void>;
    }
  /** Serves the streaming routes; everything else is answered by the primary. */
  | { kind: 'worker'; path: string; counters: Counters; jobs: JobRecords; primaryPath: string };

export interface RunningService {
  /** `http://127.0.0.1:8080`, with the real port; empty in a process of several. */
  readonly url: string;
  /** Serves a connection that another process accepted. */
  accept(socket: Socket): void;
  /** Also in the other processes of the service; absent if there are none. */
  setLogLevel?(level: Config['logLevel']): void;
  /** Graceful; closes the host too. */
  stop(): Promise<void>;
}

const CLOSE_RESTART = 1012;

/** Puts HTTP and WebSocket in front of a host and listens. Rejects with the listen error. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { config, host, clock, log, bench } = parts;
  const { codec, view } = host;
  const lifecycle = new Lifecycle();
  const { role } = parts;
  const counters = role?.counters ?? new Counters(view);
  const access = new Access({
    host: config.host,
    adminToken: parts.adminToken,
    token: config.token,
    allowOrigins: config.allowOrigin,
    maxTokenGuesses: config.maxTokenGuesses,
    clock,
  });
  const slots = new StreamSlots(config);
  const jobs = role?.jobs ?? new JobRecords(clock);
  const status: StatusSource = {
    view,
    counters,
    clock,
    version: VERSION,
    startedAtMs: clock.wallMs(),
    phase: lifecycle,
  };
  const app = appOf(role, { status, access, jobs, limits: config, clock, log, ...(bench ? { bench } : {}) });
  const products = {
    codec,
    counters,
    jobs,
    slots,
    access,
    lifecycle,
    limits: config,
    idleMs: config.idleTimeout,
    maxTimeMs: config.maxTime,
    clock,
    log,
  };
  const server = createHttpServer(products, app);
  const handedOver = new HandedOverConnections(server);
  if (role?.kind === 'primary') rememberPeers(server);
  const refuse = upgradeRefusal(log, () => jobs.newId());
  const monitor =
    role?.kind === 'worker'
      ? new ForwardedSockets(MONITOR_PROTOCOL, role.primaryPath, PEER_FIELD, refuse)
      : new MonitorFeed(status, new Sampler(view, counters, clock), access, refuse, bench);
  const streams = new StreamRoute({ codec, counters, jobs, slots, clock, log, refuse, limits: config });
  const routes = new Map<string, SocketRoute>([
    ['/v1/monitor', monitor],
    ['/v1/stream', streams],
  ]);
  attachUpgrades(server, { refuse, access, lifecycle, limits: config, routes });
  await listen(server, role ?? config);
  lifecycle.started();
  return {
    url: role ? '' : urlOf(config.host, server.address()),
    accept: (socket) => handedOver.take(socket),
    stop: () =>
      shutDown({
        lifecycle,
        server,
        closeSockets: () => {
          for (const route of routes.values()) route.close(CLOSE_RESTART, 'WD_E_DRAINING');
        },
        cutSockets: () => {
          for (const route of routes.values()) route.terminate();
        },
        handedOverClosed: () => handedOver.closed(),
        closeHost: async () => {
          await bench?.close();
          await host.close();
        },
        delayMs: config.drainDelay,
        timeoutMs: config.shutdownTimeout,
        clock,
        log,
      }),
  };
}

function appOf(
  role: ServiceRole | undefined,
  deps: Omit<AppDeps, 'metrics' | 'jobs'> & { jobs: JobRecords },
): RequestListener {
  if (role?.kind === 'worker') return forwardTo(role.primaryPath, deps);
  const metrics = new Metrics(deps.status);
  if (!role) return createApp({ ...deps, metrics });
  const findJob = async (id: string) => deps.jobs.find(id) ?? (await role.findJob(id));
  const app = createApp({ ...deps, metrics, jobs: { newId: () => deps.jobs.newId(), find: findJob } });
  return (req, res) => void role.beforeAnswer().then(() => app(req, res));
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const address = 'path' in where ? { path: where.path } : { host: where.host, port: where.port };
    server.listen({ ...address, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export function urlOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
