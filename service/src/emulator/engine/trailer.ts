import type { ChecksumKind } from '../deflate/core.ts';

/** Bytes after the DEFLATE data: gzip CRC-32 + ISIZE (RFC 1952 2.3.1), zlib Adler-32 (RFC 1950 2.2). */
export const TRAILER_BYTES: Record<ChecksumKind, number> = { none: 0, crc32: 8, adler32: 4 };

/** Shifts of a word's bytes in their order. */
const BIG_ENDIAN = [24, 16, 8, 0] as const;
const LITTLE_ENDIAN = [0, 8, 16, 24] as const;

/** Byte by byte: a DataView for each trailer costs more than the four bytes. */
function writeWord(memory: Uint8Array, offset: number, word: number, shifts: readonly number[]): void {
  let at = offset;
  for (const shift of shifts) memory[at++] = word >>> shift;
}

/** Writes the trailer at `offset`. @param isize uncompressed length modulo 2^32 */
export function writeTrailer(
  memory: Uint8Array,
  offset: number,
  kind: ChecksumKind,
  checksum: number,
  isize: number,
): void {
  if (kind === 'adler32') writeWord(memory, offset, checksum, BIG_ENDIAN);
  if (kind !== 'crc32') return;
  writeWord(memory, offset, checksum, LITTLE_ENDIAN);
  writeWord(memory, offset + 4, isize, LITTLE_ENDIAN);
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
