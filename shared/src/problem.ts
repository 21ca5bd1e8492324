/**
 * The one catalogue of errors. `status` is the HTTP status, `wsClose` the WebSocket close code; `retryable` says
 * whether the same request may succeed later; `advice` is the user's next action.
 */
interface CatalogueEntry {
  title: string;
  status: number;
  wsClose: number;
  retryable: boolean;
  advice: string;
}

const entry = (
  status: number,
  wsClose: number,
  retryable: boolean,
  title: string,
  advice: string,
): CatalogueEntry => ({
  title,
  status,
  wsClose,
  retryable,
  advice,
});

export const PROBLEMS = {
  WD_E_PARAMETER: entry(400, 4400, false, 'A parameter is not valid', 'Correct the named parameter.'),
  WD_E_UNAUTHORIZED: entry(401, 4401, false, 'A token is required', 'Send Authorization: Bearer TOKEN.'),
  WD_E_FORBIDDEN: entry(
    403,
    1008,
    false,
    'Not allowed',
    'Use an allowed Host and Origin, or the right token.',
  ),
  WD_E_NOT_FOUND: entry(404, 4404, false, 'No such resource', 'See /openapi.json for the routes.'),
  WD_E_METHOD: entry(405, 4405, false, 'Method not allowed', 'Use a method of the Allow field.'),
  WD_E_IDLE: entry(408, 4408, true, 'The client stopped sending or reading', 'Read while you write.'),
  WD_E_LIMIT_INPUT: entry(413, 4413, false, 'Input is over its limit', 'Send less, or raise --max-input.'),
  WD_E_LIMIT_OUTPUT: entry(
    413,
    4413,
    false,
    'Output is over its limit',
    'Raise --max-output if the input is trusted.',
  ),
  WD_E_LIMIT_RATIO: entry(
    413,
    4413,
    false,
    'Expansion is over its limit',
    'Raise --max-ratio if the input is trusted.',
  ),
  WD_E_LIMIT_TIME: entry(
    408,
    4408,
    true,
    'The request is over its time',
    'Send faster, or raise --max-time.',
  ),
  WD_E_LIMIT_CLIENT: entry(
    429,
    4429,
    true,
    'This client has too many streams open',
    'End one first, or raise --max-streams-per-client.',
  ),
  WD_E_LIMIT_STREAMS: entry(
    503,
    1013,
    true,
    'Too many streams are open',
    'Retry later, or raise --max-streams.',
  ),
  WD_E_THROTTLED: entry(
    429,
    1008,
    true,
    'Too many wrong tokens',
    'Wait for Retry-After, then send the right token.',
  ),
  WD_E_CREDIT: entry(429, 4429, false, 'More payload than was granted', 'Wait for a credit message.'),
  WD_E_NOT_ACCEPTABLE: entry(
    406,
    4406,
    false,
    'No acceptable product',
    'Accept one of the supported types or codings, or name a format.',
  ),
  WD_E_MEDIA_TYPE: entry(
    415,
    4415,
    false,
    'Input format not supported',
    'Send one of the supported formats.',
  ),
  WD_E_CODING: entry(
    415,
    4415,
    false,
    'Request coding not supported',
    'Send the body in a supported coding, or without Content-Encoding.',
  ),
  WD_E_EXPECTATION: entry(
    417,
    4417,
    false,
    'Expectation not supported',
    'Send no Expect field, or Expect: 100-continue.',
  ),
  WD_E_UPGRADE: entry(426, 4400, false, 'A WebSocket route', 'Connect with a WebSocket and its subprotocol.'),
  WD_E_HEADERS: entry(
    431,
    4431,
    false,
    'Header fields are too large',
    'Send fewer or shorter header fields.',
  ),
  WD_E_REQUEST: entry(400, 4400, false, 'Not a well-formed HTTP request', 'Check the client.'),
  WD_E_INPUT_CORRUPT: entry(422, 4422, false, 'Compressed data is corrupt', 'Check the file and its format.'),
  WD_E_INPUT_TRUNCATED: entry(422, 4422, false, 'Compressed data ends too early', 'Send the whole file.'),
  WD_E_INTERNAL: entry(500, 1011, false, 'The service has a defect', 'Report it with the request id.'),
  WD_E_DEVICE: entry(502, 1011, true, 'The device failed the request', 'Retry; see /v1/faults.'),
  WD_E_DEVICE_RESET: entry(503, 1012, true, 'The device was reset', 'Retry: the queue is opened again.'),
  WD_E_IOVA_UNMAPPED: entry(
    502,
    1011,
    false,
    'The device met an address that is not mapped',
    'See /v1/faults.',
  ),
  WD_E_NO_QUEUE: entry(503, 1013, true, 'No queue is free', 'Retry later, or start with more --queues.'),
  WD_E_NO_MEMORY: entry(503, 1013, true, 'No DMA memory is free', 'Retry later.'),
  WD_E_DRAINING: entry(503, 1012, true, 'The service is shutting down', 'Retry at another instance.'),
  WD_E_ABORTED: entry(499, 1001, true, 'The request was aborted', 'Nothing to do: the client left.'),
  WD_E_TIMEOUT: entry(504, 1011, true, 'A job passed its deadline', 'Retry; see /v1/faults.'),
  WD_E_EBUSY: entry(409, 4409, true, 'EBUSY: resource in use', 'Close the user first, or wait.'),
  WD_E_EINVAL: entry(400, 4400, false, 'EINVAL: argument refused', 'Correct the named field.'),
  WD_E_EACCES: entry(403, 4403, false, 'EACCES: permission denied', 'Use the admin token.'),
  WD_E_EEXIST: entry(409, 4409, false, 'EEXIST: exists already', 'Choose another name or address.'),
  WD_E_ENODEV: entry(
    404,
    4404,
    false,
    'ENODEV: no such device',
    'List what there is: /v1/devices, /v1/mdevs, /v1/queues.',
  ),
  WD_E_EPERM: entry(403, 4403, false, 'EPERM: operation not permitted', 'Change the state that forbids it.'),
  WD_E_ENOENT: entry(
    404,
    4404,
    false,
    'ENOENT: no such file or directory',
    'List what there is: its folder, or the others of its kind.',
  ),
  WD_E_ESRCH: entry(404, 4404, false, 'ESRCH: no such process', 'Attach again: the process is gone.'),
  WD_E_ENXIO: entry(409, 4409, false, 'ENXIO: the queue is gone', 'Close it and open another.'),
  WD_E_EAGAIN: entry(503, 1013, true, 'EAGAIN: not now', 'Retry in a moment.'),
  WD_E_EFAULT: entry(400, 4400, false, 'EFAULT: bad address', 'Pass the argument that the call needs.'),
  WD_E_ENOTDIR: entry(400, 4400, false, 'ENOTDIR: not a directory', 'Read the file instead.'),
  WD_E_EISDIR: entry(400, 4400, false, 'EISDIR: is a directory', 'List the directory instead.'),
  WD_E_ENOTTY: entry(400, 4400, false, 'ENOTTY: no such ioctl', 'Use an ioctl of this descriptor.'),
  WD_E_ENOSPC: entry(507, 4409, false, 'ENOSPC: no room left', 'Send a shorter text.'),
  WD_E_EUSERS: entry(503, 1013, true, 'EUSERS: too many users', 'Remove an instance first.'),
  WD_E_ELOOP: entry(400, 4400, false, 'ELOOP: too many links', 'Use the path without links.'),
  WD_E_ENAMETOOLONG: entry(400, 4400, false, 'ENAMETOOLONG: path too long', 'Use a shorter path.'),
} as const satisfies Record<string, CatalogueEntry>;

export type ProblemCode = keyof typeof PROBLEMS;
export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);
export type ProblemDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Every failure a caller may see. `details` holds the field, the value and what is allowed; never payload bytes. */
export class WarpDriveError extends Error {
  override readonly name = 'WarpDriveError';
  constructor(
    readonly code: ProblemCode,
    message: string,
    readonly details: ProblemDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
  get retryable(): boolean {
    return PROBLEMS[this.code].retryable;
  }
}

/** RFC 9457 problem document, `application/problem+json`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  advice: string;
  instance?: string;
  [extension: string]: unknown;
}

/** The problem document of an error; anything that is not a WarpDriveError becomes WD_E_INTERNAL without its message. */
export function problemOf(error: unknown, instance?: string): Problem {
  const known =
    error instanceof WarpDriveError
      ? error
      : new WarpDriveError('WD_E_INTERNAL', 'an unexpected error occurred');
  const { title, status, advice } = PROBLEMS[known.code];
  return {
    ...known.details,
    type: `urn:warpdrive:problem:${known.code.slice('WD_E_'.length).toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: known.message,
    code: known.code,
    advice,
    ...(instance === undefined ? {} : { instance }),
  };
}
