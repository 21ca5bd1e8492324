import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { DecompressOptions } from './codec.ts';

/** The ratio limit counts once this much came out, so that short runs of zeros are not refused. */
const RATIO_FREE_BYTES = 1024 * 1024;

/**
 * Before more output is given out.
 * @param bytesOut with the output in question @param bytesIn input that it was made of
 * @throws WD_E_LIMIT_OUTPUT, WD_E_LIMIT_RATIO
 */
export function checkOutputLimits(bytesOut: number, bytesIn: number, options: DecompressOptions): void {
  const { maxOutputBytes = 0, maxRatio = 0 } = options;
  if (maxOutputBytes > 0 && bytesOut > maxOutputBytes)
    throw new WarpDriveError('WD_E_LIMIT_OUTPUT', `more than ${maxOutputBytes} bytes of output`, {
      limitBytes: maxOutputBytes,
      measured: 'output',
    });
  if (maxRatio > 0 && bytesOut > RATIO_FREE_BYTES && bytesOut > bytesIn * maxRatio)
    throw new WarpDriveError('WD_E_LIMIT_RATIO', `output is more than ${maxRatio} times the input`, {
      limitRatio: maxRatio,
      measured: 'ratio',
    });
}
