import { deflateSync, gzipSync } from 'node:zlib';
import type { ChecksumKind } from '../emulator/deflate/core.ts';

/** What is around the DEFLATE data: gzip (RFC 1952), zlib (RFC 1950) or nothing. */
export type Wrapper = 'gzip' | 'zlib' | 'raw';

export const CHECKSUM_OF = { gzip: 'crc32', zlib: 'adler32', raw: 'none' } as const satisfies Record<
  Wrapper,
  ChecksumKind
>;
export const INITIAL_CHECKSUM = { gzip: 0, zlib: 1, raw: 0 } as const satisfies Record<Wrapper, number>;
export const TRAILER_BYTES = { gzip: 8, zlib: 4, raw: 0 } as const satisfies Record<Wrapper, number>;
const GZIP_HEADER_BYTES = 10;
const ZLIB_HEADER_BYTES = 2;

const headers: Record<Wrapper, Uint8Array[]> = { gzip: [], zlib: [], raw: [] };

/** node:zlib's own header at this level on this platform, so that ours is the same byte for byte. */
export function headerOf(wrapper: Wrapper, level: number): Uint8Array {
  headers[wrapper][level] ??= makeHeader(wrapper, level);
  return headers[wrapper][level];
}

function makeHeader(wrapper: Wrapper, level: number): Uint8Array {
  switch (wrapper) {
    case 'gzip':
      return gzipSync('', { level }).subarray(0, GZIP_HEADER_BYTES);
    case 'zlib':
      return deflateSync('', { level }).subarray(0, ZLIB_HEADER_BYTES);
    case 'raw':
      return new Uint8Array(0);
  }
}

/** @param bytes length of the data; gzip keeps it modulo 2^32 */
export function writeTrailer(
  out: Buffer,
  at: number,
  wrapper: Wrapper,
  checksum: number,
  bytes: number,
): void {
  if (wrapper === 'gzip') {
    out.writeUInt32LE(checksum, at);
    out.writeUInt32LE(bytes % 2 ** 32, at + 4);
  } else if (wrapper === 'zlib') out.writeUInt32BE(checksum, at);
}
