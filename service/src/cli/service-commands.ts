import type { Command } from 'commander';
import type { Problem } from '../../../shared/src/problem.ts';
import type { FaultSnapshot, QueueSnapshot, StatusSnapshot } from '../../../shared/src/telemetry.ts';
import { CommandError, EXIT, EXIT_HELP } from './exit.ts';
import { bytesText, tableText } from './text.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';

interface ReadFlags {
  url: string;
  json?: boolean;
}

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
  );
}

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
  reader(
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
}

function reader<Body>(
  program: Command,
  name: string,
  summary: string,
  path: string,
  show: (body: Body) => string,
): void {
  program
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .option('--url <URL>', 'address of the service', DEFAULT_URL)
    .option('--json', 'print the JSON of the service')
    .addHelpText(
      'after',
      `\nExamples:\n  $ warpdrive ${name}\n  $ warpdrive ${name} --json | jq .\n${EXIT_HELP}`,
    )
    .action(async ({ url, json }: ReadFlags) => {
      const body: Body = await readService(url, path);
      process.stdout.write(json ? `${JSON.stringify(body, null, 2)}\n` : show(body));
    });
}

async function readService<Body>(base: string, path: string): Promise<Body> {
  if (!URL.canParse(path, base)) throw new CommandError(EXIT.usage, `--url ${base} is not a URL.`);
  let response: Response;
  try {
    response = await fetch(new URL(path, base));
  } catch (cause) {
    throw new CommandError(
      EXIT.unavailable,
      `No service answers at ${base}. Start one with "warpdrive serve", or give its address with --url.`,
      { cause },
    );
  }
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
  if (!isJson)
    throw new CommandError(EXIT.unavailable, `What answers at ${base} is not a warpdrive service.`);
  if (response.ok) return response.json();
  const problem: Problem = await response.json();
  throw new CommandError(EXIT.unavailable, `${base} answered ${problem.status}: ${problem.detail}`);
}
