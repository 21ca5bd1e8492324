/** Entry of a worker process: its own virtual function of the device, and the streaming routes in front of it. */
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setDefaultHighWaterMark } from 'node:stream';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { StackAdmin, StackView } from '../../../shared/src/telemetry.ts';
import { createHost } from '../host.ts';
import { SOCKET_BUFFER_BYTES } from '../http/server.ts';
import { EXIT_SOFTWARE, exitOnDefect } from '../ops/shutdown.ts';
import { systemClock } from '../platform/clock.ts';
import { createLog, type LeveledLog } from '../platform/log.ts';
import { type RunningService, startService } from '../service.ts';
import { Counters } from '../telemetry/counters.ts';
import { JobRecords } from '../telemetry/job-records.ts';
import type { ToPrimary, ToWorker, WorkerCall, WorkerStart } from './messages.ts';
import { Reporter } from './reporter.ts';

const EXIT_ORPHAN = 1;

// a signal to the whole group is the primary's to act on: it drains its workers in order
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
// without the primary nobody gives work or counts it
process.on('disconnect', () => process.exit(EXIT_ORPHAN));
// connections that come from the primary cannot be given a buffer size of their own
setDefaultHighWaterMark(false, SOCKET_BUFFER_BYTES);

const send = (message: ToPrimary): void => void process.send?.(message);

let worker:
  | { service: RunningService; reporter: Reporter; view: StackView; jobs: JobRecords; log: LeveledLog }
  | undefined;

process.on('message', (message: ToWorker, socket: Socket | undefined) => {
  switch (message.type) {
    case 'start':
      start(message.start).catch((error: unknown) => {
        process.stderr.write(`warpdrive: worker ${message.start.vf.number}: ${String(error)}\n`);
        process.exit(EXIT_SOFTWARE);
      });
      return;
    case 'connection':
      if (worker && socket) worker.service.accept(socket);
      send({ type: 'taken', id: message.id });
      return;
    case 'call':
      void answer(message.id, message.call);
      return;
    case 'watch':
      worker?.reporter.watch(message.isOn);
      return;
    case 'logLevel':
      worker?.log.setLevel(message.level);
      return;
    case 'drain':
      void drain();
  }
});

async function start(parts: WorkerStart): Promise<void> {
  const { config, vf, chosenCore, cores, adminToken, path, primaryPath } = parts;
  process.title = `warpdrive worker ${vf.number}`;
  const bindings = { worker: vf.number };
  const log = createLog({ level: config.logLevel, pretty: parts.isTerminal, bindings });
  exitOnDefect(log, process.exit, () => worker?.service.stop());
  const { faultModel } = parts;
  const { mode, core, queues, fallback } = config;
  const host = await createHost(
    { mode, core, chosenCore, cores, queues, fallback, vf, ...(faultModel ? { faultModel } : {}) },
    log,
  );
  const { view } = host;
  const counters = new Counters(view);
  const clock = systemClock;
  const jobs = new JobRecords(clock);
  const role = { kind: 'worker', path, counters, jobs, primaryPath } as const;
  rmSync(path, { force: true }); // of the process whose place this one takes
  const service = await startService({ config, host, adminToken, clock, log, role });
  const reporter = new Reporter(view, counters, clock, (report) => send({ type: 'report', report }));
  view.onFault((fault) => send({ type: 'fault', fault }));
  worker = { service, reporter, view, jobs, log };
  reporter.start();
  send({ type: 'ready' });
}

/** The last report goes out before the end: what was served while it drained counts. */
async function drain(): Promise<void> {
  if (worker) {
    await worker.service.stop();
    worker.reporter.report();
  }
  process.send?.({ type: 'ended' } satisfies ToPrimary, () => process.exit(0));
}

async function answer(id: number, call: WorkerCall): Promise<void> {
  try {
    if (!worker) throw new WarpDriveError('WD_E_NO_QUEUE', 'the worker process is starting');
    send({ type: 'answer', id, value: await perform(call, worker) });
  } catch (error) {
    const { code, message, details } =
      error instanceof WarpDriveError ? error : new WarpDriveError('WD_E_INTERNAL', String(error));
    send({ type: 'answer', id, error: { code, message, details } });
  }
}

function perform(call: WorkerCall, { reporter, view, jobs }: NonNullable<typeof worker>): unknown {
  if (call.method === 'report') return reporter.report();
  if (call.method === 'job') return jobs.find(call.id);
  const { admin } = view;
  if (!admin) throw new WarpDriveError('WD_E_ENODEV', 'this host has no kernel model', { errno: 'ENODEV' });
  return administer(call, admin);
}

function administer(call: Exclude<WorkerCall, { method: 'report' | 'job' }>, admin: StackAdmin): unknown {
  switch (call.method) {
    case 'resetQueue':
      return admin.resetQueue(call.id);
    case 'removeMdev':
      return admin.removeMdev(call.uuid, true);
    case 'setFaultModel':
      return admin.setFaultModel(call.model);
    case 'holdPageRequests':
      return admin.holdPageRequests(call.isHeld);
    case 'answerPageRequest':
      return admin.answerPageRequest(call.stag, call.response);
    case 'hardwareError':
      return admin.hardwareError();
    case 'reloadDriver':
      return admin.reloadDriver();
    case 'injectFault':
      return admin.injectFault(call.plan);
    case 'faultPlans':
      return admin.faultPlans();
    case 'clearFaults':
      return admin.clearFaults(call.plan);
  }
}
