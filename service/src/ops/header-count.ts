import type { IncomingMessage } from 'node:http';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/** The refusal of a request with too many header fields; Node would drop the rest without a word. */
export function headerRefusal({ rawHeaders }: IncomingMessage, limit: number): WarpDriveError | undefined {
  const count = rawHeaders.length / 2;
  if (count <= limit) return undefined;
  return new WarpDriveError('WD_E_HEADERS', `more than ${limit} header fields`, {
    limitFields: limit,
    measured: 'header fields',
  });
}
