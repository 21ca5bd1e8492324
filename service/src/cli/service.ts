import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StackView } from '../../../shared/src/telemetry.ts';
import type { Codec } from '../codec/codec.ts';
import type { Config } from '../config/schema.ts';
import { createHttpServer } from '../http/server.ts';
import { Access } from '../ops/access.ts';
import { Lifecycle } from '../ops/lifecycle.ts';
import { VERSION } from '../ops/package.ts';
import { shutDown } from '../ops/shutdown.ts';
import { StreamSlots } from '../ops/stream-slots.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { Counters } from '../telemetry/counters.ts';
import { JobRecords } from '../telemetry/job-records.ts';
import { Metrics } from '../telemetry/prometheus.ts';
import { Sampler } from '../telemetry/sampler.ts';
import type { StatusSource } from '../telemetry/status.ts';
import { MonitorFeed } from '../ws/monitor.ts';
import { StreamRoute } from '../ws/stream.ts';
import { attachUpgrades, type SocketRoute } from '../ws/upgrade.ts';

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
}

export interface RunningService {
  /** `http://127.0.0.1:8080`, with the real port. */
  readonly url: string;
  /** Graceful; closes the host too. */
  stop(): Promise<void>;
}

const CLOSE_RESTART = 1012;

/** Puts HTTP and WebSocket in front of a host and listens. Rejects with the listen error. */
export async function startService(parts: ServiceParts): Promise<RunningService> {
  const { config, host, clock, log } = parts;
  const { codec, view } = host;
  const lifecycle = new Lifecycle();
  const counters = new Counters(view);
  const access = new Access({
    host: config.host,
    adminToken: parts.adminToken,
    token: config.token,
    allowOrigins: config.allowOrigin,
    maxTokenGuesses: config.maxTokenGuesses,
    clock,
  });
  const slots = new StreamSlots(config);
  const jobs = new JobRecords(clock);
  const status: StatusSource = {
    view,
    counters,
    clock,
    version: VERSION,
    startedAtMs: clock.wallMs(),
    phase: lifecycle,
  };
  const server = createHttpServer({
    codec,
    counters,
    jobs,
    slots,
    access,
    lifecycle,
    status,
    metrics: new Metrics(status),
    limits: config,
    idleMs: config.idleTimeout,
    maxTimeMs: config.maxTime,
    clock,
    log,
  });
  const monitor = new MonitorFeed(status, new Sampler(view, counters, clock), access);
  const streams = new StreamRoute({ codec, counters, clock, log, limits: config });
  const routes = new Map<string, SocketRoute>([
    ['/v1/monitor', monitor],
    ['/v1/stream', streams],
  ]);
  attachUpgrades(server, { access, lifecycle, routes });
  await listen(server, config);
  lifecycle.started();
  return {
    url: urlOf(config.host, server.address()),
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
        closeHost: () => host.close(),
        delayMs: config.drainDelay,
        timeoutMs: config.shutdownTimeout,
        clock,
        log,
      }),
  };
}

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
