import { type Command, InvalidArgumentError } from 'commander';
import type {
  DeviceSnapshot,
  FaultSnapshot,
  QueueSnapshot,
  StatusSnapshot,
} from '../../../shared/src/telemetry.ts';
import { parseDuration } from '../config/units.ts';
import { type Clock, systemClock } from '../platform/clock.ts';
import { CommandError, EXIT, EXIT_HELP } from './exit.ts';
import { addFaultPlans } from './fault-plans.ts';
import { common } from './mdev.ts';
import { type CallFlags, callService } from './service-call.ts';
import { bytesText, tableText } from './text.ts';

interface StatusFlags extends CallFlags {
  wait?: number;
}

const ASK_EVERY_MS = 200;

export function addStatus(program: Command): void {
  reader(
    program,
    'status',
    'show what a running service is and has done',
    '/v1/status',
    (status: StatusSnapshot) => {
      const { totals } = status;
      return tableText(
        ['service', `warpdrive ${status.version}, process ${status.pid}, Node ${status.node}`],
        [
          ['state', status.draining ? 'draining' : status.ready ? 'ready' : 'not ready'],
          ['core', `${status.core} (${status.coreReason})`],
          ['mode', status.mode],
          ['requests', `${totals.requests}, ${totals.failures} failed, ${totals.activeStreams} streaming`],
          ['bytes', `${bytesText(totals.bytesIn)} in, ${bytesText(totals.bytesOut)} out`],
          ['operations', `${totals.operations}, ${totals.fallbacks} in software`],
          ['faults', String(totals.faults)],
        ],
      );
    },
  ).option('--wait <TIME>', 'wait until it is ready, at most so long', timeArgument);
}

export function addDevices(program: Command): void {
  reader(
    program,
    'devices',
    'list the accelerators of a running service and their engine cores',
    '/v1/devices',
    ({ devices }: { devices: DeviceSnapshot[] }) =>
      devices.length === 0 ? 'No devices: software does all the work.\n' : devicesText(devices),
  );
}

const devicesText = (devices: readonly DeviceSnapshot[]): string =>
  `${tableText(
    ['DEVICE', 'FUNCTION', 'KIND', 'HARDWARE', 'ADDRESS', 'FAULT MODEL', 'STATE', 'QUEUES', 'FREE'],
    devices.map((device) => [
      device.name,
      device.vf === undefined ? 'PF' : `VF ${device.vf}`,
      device.kind,
      device.hardware,
      device.bdf,
      device.faultModel,
      device.isolated ? 'isolated' : 'working',
      device.queuesTotal,
      device.queuesFree,
    ]),
  )}\n${tableText(
    ['DEVICE', 'CORE', 'NAME', 'WHERE', 'JOBS', 'BUSY'],
    devices.flatMap(({ name, cores }) =>
      cores.map((core) => [
        name,
        core.id,
        core.name,
        core.where,
        core.jobs,
        `${(core.busyNs / 1e9).toFixed(1)} s`,
      ]),
    ),
  )}`;

export function addQueues(program: Command): void {
  reader(
    program,
    'queues',
    'list the queues of a running service',
    '/v1/queues',
    (body: { queues: QueueSnapshot[] }) =>
      tableText(
        [
          'QUEUE',
          'OWNER',
          'MODE',
          'OPERATION',
          'STATE',
          'IN FLIGHT',
          'DONE',
          'IN',
          'OUT',
          'ERRORS',
          'P50 µs',
          'P99 µs',
        ],
        body.queues.map((queue) => [
          queue.id,
          `${queue.owner.name} (${queue.owner.pid})`,
          queue.mode,
          queue.operation,
          queue.state,
          queue.inFlight,
          queue.operations,
          bytesText(queue.bytesIn),
          bytesText(queue.bytesOut),
          queue.errors,
          queue.latencyUs?.p50.toFixed(0) ?? '–',
          queue.latencyUs?.p99.toFixed(0) ?? '–',
        ]),
      ),
  );
}

export function addFaults(program: Command): void {
  const faults = reader(
    program,
    'faults',
    'list the IOMMU faults of a running service',
    '/v1/faults',
    (body: { faults: FaultSnapshot[] }) =>
      body.faults.length === 0
        ? 'No faults.\n'
        : tableText(
            ['SEQ', 'TIME', 'DEVICE', 'EVENT', 'ACCESS', 'ADDRESS', 'OUTCOME', 'REASON'],
            body.faults.map((fault) => [
              fault.seq,
              new Date(fault.atMs).toISOString(),
              fault.device,
              fault.event,
              fault.access,
              fault.iova,
              fault.outcome,
              fault.reason,
            ]),
          ),
  );
  addFaultPlans(faults);
}

function reader<Body>(
  program: Command,
  name: string,
  summary: string,
  path: string,
  show: (body: Body) => string,
): Command {
  return common(program.command(name))
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .addHelpText(
      'after',
      `\nExamples:\n  $ warpdrive ${name}\n  $ warpdrive ${name} --json | jq .\n${EXIT_HELP}`,
    )
    .action(async (flags: StatusFlags) => {
      if (flags.wait !== undefined) await untilReady(flags, flags.wait, systemClock);
      const body: Body = await callService(flags, path);
      process.stdout.write(flags.json ? `${JSON.stringify(body, null, 2)}\n` : show(body));
    });
}

/** Resolves when /readyz says ready. @throws CommandError 69 when it did not in time */
async function untilReady(flags: CallFlags, waitMs: number, clock: Clock): Promise<void> {
  const endUs = clock.monotonicUs() + waitMs * 1000;
  for (;;) {
    try {
      await callService(flags, '/readyz');
      return;
    } catch (error) {
      if (error instanceof CommandError && error.exitCode === EXIT.usage) throw error;
      if (clock.monotonicUs() > endUs)
        throw new CommandError(EXIT.unavailable, `${flags.url} was not ready within ${waitMs / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }
}

function timeArgument(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a time such as 30s.');
  return ms;
}
