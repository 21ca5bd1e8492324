import type * as node from 'node:zlib';
import { jsonLines, noise } from '../support/corpus.ts';

/** The part of node:zlib that both have. */
export type Zlib = Pick<
  typeof node,
  | 'gzip'
  | 'gunzip'
  | 'deflate'
  | 'inflate'
  | 'deflateRaw'
  | 'inflateRaw'
  | 'unzip'
  | 'gzipSync'
  | 'gunzipSync'
  | 'deflateSync'
  | 'inflateSync'
  | 'deflateRawSync'
  | 'inflateRawSync'
  | 'unzipSync'
  | 'createGzip'
  | 'createGunzip'
  | 'createDeflate'
  | 'createInflate'
  | 'createDeflateRaw'
  | 'createInflateRaw'
  | 'createUnzip'
  | 'constants'
  | 'crc32'
  | 'brotliCompressSync'
  | 'brotliDecompressSync'
>;

/** One thing that a user's code relies on. The same assertions run against node:zlib and against the library. */
export interface Behaviour {
  name: string;
  run(zlib: Zlib): void | Promise<void>;
}

export const TEXT = jsonLines(300_000);
export const SMALL = jsonLines(700, 5);
export const DENSE = noise(200_000);

/** The six pairs by the names of their functions. */
export const PAIRS = [
  ['gzip', 'gunzip'],
  ['deflate', 'inflate'],
  ['deflateRaw', 'inflateRaw'],
  ['gzip', 'unzip'],
  ['deflate', 'unzip'],
] as const;

export const creatorOf = (zlib: Zlib, name: (typeof PAIRS)[number][number]) =>
  ({
    gzip: zlib.createGzip,
    gunzip: zlib.createGunzip,
    deflate: zlib.createDeflate,
    inflate: zlib.createInflate,
    deflateRaw: zlib.createDeflateRaw,
    inflateRaw: zlib.createInflateRaw,
    unzip: zlib.createUnzip,
  })[name];

export async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** What an action throws, in the fields that programs look at. */
export function failure(action: () => unknown): {
  name: string;
  message: string;
  code: unknown;
  errno: unknown;
} {
  try {
    action();
  } catch (error) {
    return fieldsOf(error as NodeJS.ErrnoException);
  }
  throw new Error('did not throw');
}

export function fieldsOf({ name, message, code, errno }: NodeJS.ErrnoException) {
  return { name, message, code, errno };
}
