import {
  FAULT_KINDS,
  type FaultPlan,
  type FaultTrigger,
  RAS_SEVERITIES,
} from '../../../../shared/src/fault-injection.ts';
import { WarpDriveError } from '../../../../shared/src/problem.ts';
import { QM_ERRORS } from '../../hw-abi/qm-registers.ts';
import { ZIP_ERRORS } from '../../hw-abi/zip-registers.ts';
import { SQE_BYTES } from '../../hw-abi/zip-sqe.ts';

const SQE_BITS = SQE_BYTES * 8;
const MAX_QUEUE = 1023;
const MAX_STATUS = 0xff;
const MAX_DELAY_MS = 60_000;
const MAX_COUNT = 1_000_000;
const MAX_SEED = 0xffff_ffff;

/** @throws WD_E_EINVAL naming the field, its value and what is allowed */
export function checkPlan(plan: FaultPlan, target: { device: string; hasWorkers: boolean }): void {
  if (plan.device !== undefined) oneOf('device', plan.device, [target.device]);
  switch (plan.kind) {
    case 'ras':
      oneOf('severity', plan.severity, RAS_SEVERITIES);
      if (plan.error !== undefined) oneOf('error', plan.error, [...QM_ERRORS, ...ZIP_ERRORS]);
      return;
    case 'core-hang':
    case 'core-crash':
      if (!target.hasWorkers)
        throw refusal('kind', plan.kind, 'needs an engine core in a thread (--cores)', [
          ...FAULT_KINDS.filter((kind) => !kind.startsWith('core-')),
        ]);
      break;
    case 'sqe-bit-flip':
      whole('bit', plan.bit, 0, SQE_BITS - 1);
      break;
    case 'late-doorbell':
    case 'slow-dma':
      whole('delayMs', plan.delayMs, 1, MAX_DELAY_MS);
      break;
    case 'completion-error':
      whole('status', plan.status, 0, MAX_STATUS);
      break;
    case 'lost-interrupt':
    case 'lost-doorbell':
    case 'cqe-error':
    case 'stall':
      break;
    default:
      oneOf('kind', (plan as FaultPlan).kind, FAULT_KINDS);
  }
  checkTrigger(plan);
}

function checkTrigger({ queue, after, count, probability, seed }: FaultTrigger): void {
  whole('queue', queue, 0, MAX_QUEUE);
  whole('after', after, 0, MAX_COUNT);
  whole('count', count, 1, MAX_COUNT);
  whole('seed', seed, 0, MAX_SEED);
  if (probability !== undefined && !(probability > 0 && probability <= 1))
    throw refusal('probability', probability, 'is not above 0 and up to 1', ['above 0, up to 1']);
}

function whole(field: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max))
    throw refusal(field, value, `is not a whole number from ${min} to ${max}`, [`${min}–${max}`]);
}

function oneOf(field: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw refusal(field, value, 'is not known', allowed);
}

const refusal = (
  field: string,
  value: string | number,
  why: string,
  allowed: readonly string[],
): WarpDriveError =>
  new WarpDriveError('WD_E_EINVAL', `${field} ${value} ${why}`, {
    errno: 'EINVAL',
    field,
    value: String(value),
    allowed,
  });
