import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { StackView } from '../../../shared/src/telemetry.ts';
import { virtualFunctions } from '../host.ts';
import { runFolder } from '../platform/run-folder.ts';
import { type RunningService, type ServiceParts, startService, urlOf } from '../service.ts';
import { Counters } from '../telemetry/counters.ts';
import { addIncrements, GaugeSum } from '../telemetry/increments.ts';
import { JobRecords } from '../telemetry/job-records.ts';
import { mergedAdmin } from './merged-admin.ts';
import { MergedView } from './merged-view.ts';
import type { WorkerStart } from './messages.ts';
import { WorkerPool } from './worker-pool.ts';

/** Workers get the shutdown timeout to drain; those that are still there this long after it are ended. */
const DRAIN_GRACE_MS = 2000;
const BACKLOG = 1024;
/** Header fields that a worker adds to a request which it passes on: the client's address, Connection. */
const FIELDS_OF_WORKERS = 2;

/**
 * The service as several processes: this one holds the port, the physical function, administration and all counters;
 * workers serve the streaming routes, each on a virtual function of its own. Rejects with the listen error, or with
 * WD_E_NO_QUEUE when no worker starts.
 */
export async function startWithWorkers(
  parts: Omit<ServiceParts, 'role'> & { isTerminal: boolean },
): Promise<RunningService> {
  const { config, host, clock, log } = parts;
  let hand: (socket: Socket) => void = () => {};
  const waiting: Socket[] = [];
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    hand(socket);
  });
  hand = (socket) => waiting.push(socket);
  await listen(listener, config);

  mkdirSync(runFolder(), { recursive: true, mode: 0o700 });
  removeOrphans(runFolder());
  const folder = mkdtempSync(join(runFolder(), `service-${process.pid}-`));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);

  const gauges = new Map<number, GaugeSum>();
  let accept: (socket: Socket) => void = (socket) => socket.destroy();
  const pool: WorkerPool = new WorkerPool(
    startsOf(parts, folder),
    {
      onReport(vf, report) {
        view.reported(vf, report);
        addIncrements(counters, report.increments);
        const sum = gauges.get(vf) ?? new GaugeSum();
        gauges.set(vf, sum);
        sum.add(report.increments);
      },
      onFault: (vf, fault) => view.addFault(vf, fault),
      onGone(vf) {
        view.gone(vf);
        addIncrements(counters, gauges.get(vf)?.takeBack() ?? {});
      },
    },
    (socket) => accept(socket.resume()),
    clock,
    log,
  );
  const pfAdmin = host.view.admin;
  const view: MergedView = new MergedView({
    pf: host.view,
    admin: pfAdmin && mergedAdmin(pfAdmin, (): StackView => view, pool),
    workers: () => pool.snapshots(),
    watch: (isOn) => pool.watch(isOn),
  });
  const counters = new Counters(view);
  const role = {
    kind: 'primary',
    path: primaryPath(folder),
    counters,
    jobs: new JobRecords(clock),
    findJob: (id: string) => pool.findJob(id),
    beforeAnswer: () => pool.refresh(),
  } as const;
  const service = await startService({
    ...parts,
    config: { ...config, maxHeaders: config.maxHeaders + FIELDS_OF_WORKERS },
    host: { codec: host.codec, view, close: () => host.close() },
    role,
  });
  accept = (socket) => service.accept(socket);
  await pool.start();
  if (pool.readyCount === 0) {
    await pool.drain();
    await service.stop();
    removeFolder();
    throw new WarpDriveError('WD_E_NO_QUEUE', 'no worker process starts; its own message is above');
  }
  hand = (socket) => pool.hand(socket);
  for (const socket of waiting.splice(0)) pool.hand(socket);
  return {
    url: urlOf(config.host, listener.address()),
    accept,
    setLogLevel: (level) => pool.setLogLevel(level),
    async stop() {
      const { drainDelay, shutdownTimeout } = config;
      clock.after(drainDelay, () => listener.close());
      const cancel = clock.after(drainDelay + shutdownTimeout + DRAIN_GRACE_MS, () => pool.kill());
      await Promise.all([pool.drain(), service.stop()]);
      cancel();
      removeFolder();
    },
  };
}

/** Folders of services that were killed. */
function removeOrphans(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^service-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // another user's
  }
}

const primaryPath = (folder: string): string => join(folder, 'primary.sock');

function startsOf(
  { config, host, adminToken, isTerminal }: Parameters<typeof startWithWorkers>[0],
  folder: string,
) {
  const { core, coreReason } = host.view;
  const cores = Math.floor(config.cores / config.workers);
  // of limits that count for the whole service each worker keeps its part
  const part = (limit: number) => Math.ceil(limit / config.workers);
  const limits = {
    maxStreams: part(config.maxStreams),
    maxStreamsPerClient: part(config.maxStreamsPerClient),
    maxTokenGuesses: part(config.maxTokenGuesses),
  };
  return virtualFunctions(config.workers).map(
    (vf): WorkerStart => ({
      config: { ...config, ...limits },
      vf,
      chosenCore: { name: core, reason: coreReason },
      cores,
      adminToken,
      path: join(folder, `worker-${vf.number}.sock`),
      primaryPath: primaryPath(folder),
      isTerminal,
    }),
  );
}

function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
