import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { adler32 } from '../platform/adler32.ts';
import { trailerOf } from './container.ts';
import type { CompressedPiece, PieceOptions } from './piece.ts';

const deflate = promisify(deflateRaw);

/**
 * Makes one piece with node:zlib, exactly as the device would: same ending, same trailer, so that it fits between
 * pieces that the device made.
 */
export async function compressInSoftware(
  input: Uint8Array,
  { format, level, windowBytes = 32768, isWhole, header = new Uint8Array(0) }: PieceOptions,
  reason: string,
): Promise<CompressedPiece> {
  const finishFlush = isWhole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
  const windowBits = Math.floor(Math.log2(windowBytes));
  const data = (await deflate(input, { level, windowBits, finishFlush })) as Buffer;
  const checksum = format === 'zlib' ? adler32(input) : crc32(input);
  const trailer = isWhole ? trailerOf(format, checksum, input.length) : new Uint8Array(0);
  return { bytes: Buffer.concat([header, data, trailer]), checksum, core: 'zlib', fallbackReason: reason };
}

/** An unmapped address is one of them, because the buffers of the codec's jobs are the service's own. */
const MAY_SUCCEED_ELSEWHERE = [
  'WD_E_DEVICE',
  'WD_E_DEVICE_RESET',
  'WD_E_NO_QUEUE',
  'WD_E_TIMEOUT',
  'WD_E_EPERM',
  'WD_E_IOVA_UNMAPPED',
];

/** Errors after which the same bytes may succeed elsewhere. */
export const mayFallBack = (error: unknown): error is WarpDriveError =>
  error instanceof WarpDriveError && MAY_SUCCEED_ELSEWHERE.includes(error.code);
