import { QOS_MAX, QOS_MIN } from '../../hw-abi/shaper.ts';
import { kernelError } from '../errno.ts';

/** Longest text of a write (QM_QOS_VAL_MAX_LEN and its BDF in qm.c). */
const MAX_LENGTH = 32;

/**
 * A write to `alg_qos`: "<bdf> <value>".
 * @param bdf of the function whose file it is
 * @returns 1–1000
 * @throws WD_E_ENOSPC too long; WD_E_EINVAL syntax, another device, range
 */
export function parseQos(text: string, bdf: string): number {
  if (text.length >= MAX_LENGTH)
    throw kernelError('ENOSPC', `alg_qos takes less than ${MAX_LENGTH} characters`, { field: 'text' });
  const [device, value, ...rest] = text.trim().split(/\s+/);
  if (device === undefined || value === undefined || rest.length > 0)
    throw kernelError('EINVAL', 'alg_qos takes "<bdf> <value>"', { field: 'text' });
  if (device !== bdf)
    throw kernelError('EINVAL', `${device} is not this function`, { field: 'bdf', allowed: [bdf] });
  const qos = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (!(qos >= QOS_MIN && qos <= QOS_MAX))
    throw kernelError('EINVAL', `alg_qos "${value}" is not from ${QOS_MIN} to ${QOS_MAX}`, {
      field: 'value',
      allowed: [`${QOS_MIN}–${QOS_MAX}`],
    });
  return qos;
}
