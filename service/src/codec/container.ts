import { crc32 } from 'node:zlib';
import type { Format } from '../../../shared/src/format.ts';
import { combineAdler32, combineCrc32 } from './checksum-combine.ts';

const DEFLATE_METHOD = 8;
const OS_UNKNOWN = 255;
const XFL_DENSEST = 2;
const XFL_FASTEST = 4;
/** FLEVEL of RFC 1950 by level 1–9. */
const ZLIB_FLEVEL = [0, 0, 1, 1, 1, 1, 2, 3, 3, 3];
const LARGEST_WINDOW_BYTES = 32768;

/**
 * The bytes before the DEFLATE data. No time, so that equal input gives equal output.
 * @param name of the file, Latin-1 without NUL; goes into a gzip header as FNAME
 * @param windowBytes how far back matches reach; a zlib header tells it, rounded up to a power of two
 */
export function headerOf(
  format: Format,
  level: number,
  name?: string,
  windowBytes: number = LARGEST_WINDOW_BYTES,
): Uint8Array {
  switch (format) {
    case 'gzip': {
      const xfl = level === 9 ? XFL_DENSEST : level === 1 ? XFL_FASTEST : 0;
      const flags = name === undefined ? 0 : GZIP_FLAGS.name;
      const fixed = Uint8Array.of(0x1f, 0x8b, DEFLATE_METHOD, flags, 0, 0, 0, 0, xfl, OS_UNKNOWN);
      return name === undefined ? fixed : Buffer.concat([fixed, Buffer.from(`${name}\0`, 'latin1')]);
    }
    case 'zlib': {
      const flags = (ZLIB_FLEVEL[level] ?? 2) << 6;
      const cmf = DEFLATE_METHOD + ((Math.ceil(Math.log2(windowBytes)) - 8) << 4);
      return Uint8Array.of(cmf, flags + (31 - ((cmf * 256 + flags) % 31)));
    }
    case 'deflate':
      return new Uint8Array(0);
  }
}

/** An empty last block (fixed codes, end-of-block), for members whose data jobs all ended with a sync flush. */
const FINAL_BLOCK = [0x03, 0x00];

/** The bytes after the DEFLATE data: CRC-32 and length, Adler-32, or none. @param bytes uncompressed length */
export function trailerOf(format: Format, checksum: number, bytes: number): Uint8Array {
  switch (format) {
    case 'gzip': {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, checksum, true);
      view.setUint32(4, bytes % 0x1_0000_0000, true);
      return new Uint8Array(view.buffer);
    }
    case 'zlib': {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint32(0, checksum);
      return new Uint8Array(view.buffer);
    }
    case 'deflate':
      return new Uint8Array(0);
  }
}

/** Final block and trailer of a member that was joined from jobs. @param bytes uncompressed length */
export function endOf(format: Format, checksum: number, bytes: number): Uint8Array {
  return Uint8Array.from([...FINAL_BLOCK, ...trailerOf(format, checksum, bytes)]);
}

export const initialChecksum = (format: Format): number => (format === 'zlib' ? 1 : 0);

/** The member's checksum after another piece. Raw DEFLATE keeps a CRC-32 too, for the answer's metadata. */
export const combineChecksum = (format: Format, sum: number, next: number, nextBytes: number): number =>
  format === 'zlib' ? combineAdler32(sum, next, nextBytes) : combineCrc32(sum, next, nextBytes);

export type HeaderResult =
  | { kind: 'header'; bytes: number }
  | { kind: 'incomplete' }
  | { kind: 'corrupt'; reason: string };

const GZIP_FLAGS = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
/** A name or comment without end is no header (RFC 1952 sets no limit; this is ours). */
export const MAX_GZIP_HEADER_BYTES = 128 * 1024;

const corrupt = (reason: string): HeaderResult => ({ kind: 'corrupt', reason });

/** Parses a gzip member header with any optional fields (RFC 1952 2.3). `bytes` is all input so far. */
export function parseGzipHeader(bytes: Uint8Array): HeaderResult {
  const result = parseGzipFields(bytes);
  return result.kind === 'incomplete' && bytes.length > MAX_GZIP_HEADER_BYTES
    ? corrupt(`gzip header is longer than ${MAX_GZIP_HEADER_BYTES} bytes`)
    : result;
}

function parseGzipFields(bytes: Uint8Array): HeaderResult {
  const [id1 = 0x1f, id2 = 0x8b, method = DEFLATE_METHOD, flags = 0] = bytes;
  if (id1 !== 0x1f || id2 !== 0x8b) return corrupt('not a gzip header: magic bytes 1f 8b are missing');
  if (method !== DEFLATE_METHOD) return corrupt(`gzip method ${method} is not 8 (deflate)`);
  if ((flags & GZIP_FLAGS.reserved) !== 0) return corrupt('reserved gzip flags are set');
  if (bytes.length < 10) return { kind: 'incomplete' };
  let at = 10;
  if (flags & GZIP_FLAGS.extra) {
    const low = bytes[at];
    const high = bytes[at + 1];
    if (low === undefined || high === undefined) return { kind: 'incomplete' };
    at += 2 + low + high * 256;
  }
  for (const flag of [GZIP_FLAGS.name, GZIP_FLAGS.comment]) {
    if ((flags & flag) === 0) continue;
    const end = at <= bytes.length ? bytes.indexOf(0, at) : -1;
    if (end === -1) return { kind: 'incomplete' };
    at = end + 1;
  }
  if (flags & GZIP_FLAGS.headerCrc) {
    const low = bytes[at];
    const high = bytes[at + 1];
    if (low === undefined || high === undefined) return { kind: 'incomplete' };
    if ((crc32(bytes.subarray(0, at)) & 0xffff) !== low + high * 256)
      return corrupt('gzip header checksum is wrong');
    at += 2;
  }
  return at > bytes.length ? { kind: 'incomplete' } : { kind: 'header', bytes: at };
}

const ZLIB_FDICT = 0x20;

/** Parses the two bytes of a zlib header (RFC 1950 2.2). */
export function parseZlibHeader(bytes: Uint8Array): HeaderResult {
  const [cmf, flags] = bytes;
  if (cmf === undefined) return { kind: 'incomplete' };
  if ((cmf & 0x0f) !== DEFLATE_METHOD) return corrupt(`zlib method ${cmf & 0x0f} is not 8 (deflate)`);
  if (cmf >> 4 > 7) return corrupt('zlib window is larger than 32 KiB');
  if (flags === undefined) return { kind: 'incomplete' };
  if ((cmf * 256 + flags) % 31 !== 0) return corrupt('zlib header check is wrong');
  if (flags & ZLIB_FDICT) return corrupt('the zlib stream needs a preset dictionary');
  return { kind: 'header', bytes: 2 };
}

/** Which container the first two bytes announce; undefined while there are fewer. */
export function detectFormat(bytes: Uint8Array): Format | undefined {
  if (bytes.length < 2) return undefined;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  return parseZlibHeader(bytes).kind === 'header' ? 'zlib' : 'deflate';
}
