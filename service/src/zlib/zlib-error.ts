import { constants } from 'node:zlib';

const ERRNO = {
  Z_DATA_ERROR: constants.Z_DATA_ERROR,
  Z_BUF_ERROR: constants.Z_BUF_ERROR,
} as const;

/** An error as node:zlib makes it: same message, `code` and `errno`. */
export function zlibError(code: keyof typeof ERRNO, message: string): Error {
  return Object.assign(new Error(message), { errno: ERRNO[code], code });
}

export const truncated = (): Error => zlibError('Z_BUF_ERROR', 'unexpected end of file');

/** zlib's words for the reasons of the WASM core (wasm-core.ts). */
const MESSAGES: Readonly<Record<string, string>> = {
  'invalid block type 3': 'invalid block type',
  'stored block length does not match its complement': 'invalid stored block lengths',
  'too many literal/length or distance codes': 'too many length or distance symbols',
  'invalid code length code': 'invalid code lengths set',
  'code length repeat without a length or past the last code': 'invalid bit length repeat',
  'no end-of-block code': 'invalid code -- missing end-of-block',
  'invalid literal/length code': 'invalid literal/lengths set',
  'invalid distance code': 'invalid distances set',
  'literal/length code stands for no symbol': 'invalid literal/length code',
  'distance code stands for no symbol': 'invalid distance code',
  'distance reaches before the start of the data': 'invalid distance too far back',
};

export const corrupt = (reason: string | undefined): Error =>
  zlibError('Z_DATA_ERROR', MESSAGES[reason ?? ''] ?? 'invalid block type');

/** As node's own: `err.code`, `err.name` RangeError, and the code in its text. */
export function bufferTooLarge(bytes: number): RangeError {
  const error = new RangeError(`Cannot create a Buffer larger than ${bytes} bytes`);
  return Object.assign(error, { code: 'ERR_BUFFER_TOO_LARGE' });
}
