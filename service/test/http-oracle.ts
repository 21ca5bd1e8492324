import * as zlib from 'node:zlib';
import type { Format } from '../../shared/src/format.ts';

/** node:zlib as the independent coder. */
export const decoders: Record<Format, (bytes: Uint8Array) => Buffer> = {
  gzip: zlib.gunzipSync,
  zlib: zlib.inflateSync,
  deflate: zlib.inflateRawSync,
};
export const encoders: Record<Format, (bytes: Uint8Array) => Buffer> = {
  gzip: zlib.gzipSync,
  zlib: zlib.deflateSync,
  deflate: zlib.deflateRawSync,
};

/** Eight hex digits, read back from the footer of a gzip file, because Node 20 has no crc32 of its own. */
export function crc32Of(bytes: Uint8Array): string {
  const product = zlib.gzipSync(bytes);
  return product
    .readUInt32LE(product.length - 8)
    .toString(16)
    .padStart(8, '0');
}
