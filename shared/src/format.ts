/** Containers. `deflate` is raw RFC 1951, as in the contract of /v1/compress. */
export const FORMATS = ['gzip', 'zlib', 'deflate'] as const;
export type Format = (typeof FORMATS)[number];
export const MIN_LEVEL = 1;
export const MAX_LEVEL = 9;
export const DEFAULT_LEVEL = 1;

export const MEDIA_TYPES = {
  gzip: 'application/gzip',
  zlib: 'application/zlib',
  deflate: 'application/octet-stream',
} as const satisfies Record<Format, string>;
