import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Codec } from './codec.ts';

function refuse(): never {
  throw new WarpDriveError('WD_E_NO_QUEUE', 'no worker process is there to take this request');
}

/** The codec of a process that has no queues of its own: every request is refused, to be sent again later. */
export const NO_CODEC: Codec = {
  oneShotBytes: 0,
  compressStream: refuse,
  decompressStream: refuse,
  compressOnce: refuse,
  openJobBuffer: refuse,
};
