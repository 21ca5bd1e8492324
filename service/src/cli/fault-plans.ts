import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import {
  FAULT_KINDS,
  type FaultPlanSnapshot,
  type FaultTrigger,
  RAS_SEVERITIES,
  type RasSeverity,
} from '../../../shared/src/fault-injection.ts';
import { parseDuration } from '../config/units.ts';
import { EXIT_HELP } from './exit.ts';
import { common } from './mdev.ts';
import { type CallFlags, callService } from './service-call.ts';
import { tableText } from './text.ts';

const PATH = '/v1/faults/inject';
/** A RAS error that is handled before the answer. */
const HARDWARE_ERROR = 'hardware-error';

interface InjectFlags extends CallFlags, FaultTrigger {
  bit?: number;
  delay?: number;
  status?: number;
  severity?: RasSeverity;
  error?: string;
}

type Injected = FaultPlanSnapshot | { kind: typeof HARDWARE_ERROR; isolated: boolean };

/** `warpdrive faults inject|injected|clear`, below the list of faults. The service checks which field goes with which kind. */
export function addFaultPlans(faults: Command): void {
  addInject(faults);
  common(faults.command('injected'))
    .summary('list the faults that were injected')
    .description('List the plans of injected faults and what came of each.')
    .action(async (_own: CallFlags, command: Command) => {
      const flags = flagsOf<CallFlags>(command);
      const body = await callService<{ plans: FaultPlanSnapshot[] }>(flags, PATH);
      process.stdout.write(flags.json ? json(body) : plansText(body.plans));
    });
  common(faults.command('clear'))
    .summary('end injected faults')
    .description('End one plan or all, and let go what they hold. Needs the admin token.')
    .argument('[id]', 'number of the plan; all if absent', number)
    .action(async (id: number | undefined, _own: CallFlags, command: Command) => {
      const flags = flagsOf<CallFlags>(command);
      const path = id === undefined ? PATH : `${PATH}/${id}`;
      const body = await callService<{ cleared: number }>(flags, path, { method: 'DELETE', asAdmin: true });
      process.stdout.write(flags.json ? json(body) : `${body.cleared} cleared\n`);
    });
}

function addInject(faults: Command): void {
  common(faults.command('inject'))
    .summary('let the emulated device fail')
    .description(
      'Let the emulated device fail: docs/http.md says what each kind does and on which occasions. Needs the admin token.',
    )
    .addArgument(new Argument('<kind>', 'what fails').choices([...FAULT_KINDS, HARDWARE_ERROR]))
    .option('--device <NAME>', 'function, such as hisi_zip-0; every one if absent')
    .option('--queue <N>', 'hardware queue number; every queue if absent', number)
    .option('--after <N>', 'occasions that pass unharmed first (0)', number)
    .option('--count <N>', 'strikes before the plan is done (1)', number)
    .option('--probability <P>', 'of a strike at each occasion, above 0 and up to 1 (1)', number)
    .option('--seed <N>', 'of the random numbers (1)', number)
    .option('--bit <N>', 'sqe-bit-flip: the bit, 0 to 1023; random if absent', number)
    .option('--delay <TIME>', 'late-doorbell, slow-dma: how late, such as 50ms', duration)
    .option('--status <N>', 'completion-error: status of the SQE, such as 0x42', number)
    .addOption(
      new Option('--severity <SEVERITY>', 'ras: correctable, non-fatal or fatal').choices(RAS_SEVERITIES),
    )
    .option('--error <NAME>', "ras: the kernel's name of the error; one of the severity if absent")
    .addHelpText(
      'after',
      `\nExamples:\n  $ warpdrive faults inject core-crash\n  $ warpdrive faults inject slow-dma --delay 50ms --count 100 --probability 0.1\n` +
        `  $ warpdrive faults inject ras --severity nfe\n  $ warpdrive faults injected\n  $ warpdrive faults clear\n${EXIT_HELP}`,
    )
    .action(async (kind: string, _own: InjectFlags, command: Command) => {
      const { url, adminToken, json: asJson, delay, ...fields } = flagsOf<InjectFlags>(command);
      const call = { url, ...(adminToken === undefined ? {} : { adminToken }) };
      const body = { kind, ...fields, ...(delay === undefined ? {} : { delayMs: delay }) };
      const made = await callService<Injected>(call, PATH, { method: 'POST', asAdmin: true, body });
      process.stdout.write(asJson ? json(made) : injectedText(made));
    });
}

/** `faults` has `--url` and its like too, and takes them wherever they stand. */
const flagsOf = <Flags extends CallFlags>(command: Command): Flags => command.optsWithGlobals<Flags>();

const json = (body: object): string => `${JSON.stringify(body, null, 2)}\n`;

const injectedText = (made: Injected): string =>
  'id' in made
    ? `plan ${made.id} on ${made.device}: ${made.plan.kind}\n`
    : `${made.kind}: the controller was reset, the device is ${made.isolated ? '' : 'not '}isolated\n`;

function plansText(plans: readonly FaultPlanSnapshot[]): string {
  if (plans.length === 0) return 'No injected faults.\n';
  return tableText(
    ['ID', 'DEVICE', 'KIND', 'STATE', 'SEEN', 'FIRED', 'LAST'],
    plans.map(({ id, device, plan, isActive, seen, fired, lastFiredAtMs }) => [
      id,
      device,
      plan.kind,
      isActive ? 'active' : 'done',
      seen,
      fired,
      lastFiredAtMs === undefined ? '–' : new Date(lastFiredAtMs).toISOString(),
    ]),
  );
}

/** Decimal or 0x…; the service knows the range. */
function number(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a time such as 50ms.');
  return ms;
}
