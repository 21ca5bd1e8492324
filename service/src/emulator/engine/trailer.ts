import type { ChecksumKind } from '../deflate/core.ts';

/** Bytes after the DEFLATE data: gzip CRC-32 + ISIZE (RFC 1952 2.3.1), zlib Adler-32 (RFC 1950 2.2). */
export const TRAILER_BYTES: Record<ChecksumKind, number> = { none: 0, crc32: 8, adler32: 4 };

/** Writes the trailer at `offset`. @param isize uncompressed length modulo 2^32 */
export function writeTrailer(
  memory: Uint8Array,
  offset: number,
  kind: ChecksumKind,
  checksum: number,
  isize: number,
): void {
  if (kind === 'none') return;
  const out = new DataView(memory.buffer, offset, TRAILER_BYTES[kind]);
  out.setUint32(0, checksum, kind === 'crc32');
  if (kind === 'crc32') out.setUint32(4, isize, true);
}

/** Whether the trailer at `offset` carries this checksum. ISIZE is left to software, as the hardware does. */
export function trailerMatches(
  memory: Uint8Array,
  offset: number,
  kind: ChecksumKind,
  checksum: number,
): boolean {
  if (kind === 'none') return true;
  return new DataView(memory.buffer, offset, TRAILER_BYTES[kind]).getUint32(0, kind === 'crc32') === checksum;
}
