import { PROBLEMS, WarpDriveError } from '../../../shared/src/problem.ts';

const RETRY_AFTER_S = 1;
const RETRY_STATUSES: readonly number[] = [429, 503];

/** The header fields that an error asks for besides its body, as a flat list of names and values. */
export function refusalFields(error: unknown): string[] {
  if (!(error instanceof WarpDriveError)) return [];
  const { status } = PROBLEMS[error.code];
  const { allow, retryAfterS, supported } = error.details;
  const fields: string[] = [];
  if (RETRY_STATUSES.includes(status)) fields.push('Retry-After', String(retryAfterS ?? RETRY_AFTER_S));
  if (status === 401) fields.push('WWW-Authenticate', 'Bearer');
  if (status === 426) fields.push('Upgrade', 'websocket', 'Sec-WebSocket-Version', '13');
  if (status === 406) fields.push('Vary', 'Accept, Accept-Encoding');
  // RFC 9110 15.5.16: what the next request may be coded in
  if (error.code === 'WD_E_CODING' && Array.isArray(supported))
    fields.push('Accept-Encoding', supported.join(', '));
  if (error.code === 'WD_E_MEDIA_TYPE' && Array.isArray(supported))
    fields.push('Accept', supported.join(', '), 'Accept-Encoding', 'gzip, deflate, identity');
  if (Array.isArray(allow)) fields.push('Allow', allow.join(', '));
  return fields;
}
