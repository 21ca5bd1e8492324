/**
 * node:zlib's functions over the engine, name by name. `import { createGzip } from 'warpdrive'` replaces
 * `from 'node:zlib'`: same options, same errors, output that any inflater reads. What the engine does not do (level 0,
 * other strategies and windows, preset dictionaries, Brotli, Zstandard) node:zlib does, and `core` then says `zlib`.
 */

import type { InputType, ZlibOptions } from 'node:zlib';
import * as node from 'node:zlib';
import { EngineTransform } from './engine-transform.ts';
import {
  convert,
  convertSync,
  createStream,
  type EngineStream,
  type NodeKind,
  type OneShotCallback,
} from './functions.ts';

/**
 * One buffer at once, off the calling turn of the event loop.
 * @returns a promise if no callback is given
 * @throws (rejects, or calls back with) Z_DATA_ERROR, Z_BUF_ERROR, Z_NEED_DICT, ERR_BUFFER_TOO_LARGE; throws
 *   ERR_OUT_OF_RANGE and ERR_INVALID_ARG_TYPE at once, as node:zlib
 */
export interface Convert {
  (input: InputType, options?: ZlibOptions): Promise<Buffer>;
  (input: InputType, callback: OneShotCallback): void;
  (input: InputType, options: ZlibOptions, callback: OneShotCallback): void;
}

/** One buffer, here and now. @throws as node:zlib */
export type ConvertSync = (input: InputType, options?: ZlibOptions) => Buffer;

/** A stream. @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE as node:zlib */
export type Create = (options?: ZlibOptions) => EngineStream;

/** node:zlib's class, callable with and without `new`; `instanceof` knows the streams of both makers. */
export interface StreamClass {
  new (options?: ZlibOptions): EngineStream;
  (options?: ZlibOptions): EngineStream;
}

const kinds = {
  gzip: {
    direction: 'compress',
    wrapper: 'gzip',
    create: node.createGzip,
    sync: node.gzipSync,
    async: node.gzip,
  },
  deflate: {
    direction: 'compress',
    wrapper: 'zlib',
    create: node.createDeflate,
    sync: node.deflateSync,
    async: node.deflate,
  },
  deflateRaw: {
    direction: 'compress',
    wrapper: 'raw',
    create: node.createDeflateRaw,
    sync: node.deflateRawSync,
    async: node.deflateRaw,
  },
  gunzip: {
    direction: 'decompress',
    wrapper: 'gzip',
    create: node.createGunzip,
    sync: node.gunzipSync,
    async: node.gunzip,
  },
  inflate: {
    direction: 'decompress',
    wrapper: 'zlib',
    create: node.createInflate,
    sync: node.inflateSync,
    async: node.inflate,
  },
  inflateRaw: {
    direction: 'decompress',
    wrapper: 'raw',
    create: node.createInflateRaw,
    sync: node.inflateRawSync,
    async: node.inflateRaw,
  },
  unzip: {
    direction: 'decompress',
    wrapper: undefined,
    create: node.createUnzip,
    sync: node.unzipSync,
    async: node.unzip,
  },
} as const satisfies Record<string, NodeKind>;

const creates =
  (kind: NodeKind): Create =>
  (options) =>
    createStream(kind, options);
const converts = (kind: NodeKind): Convert =>
  ((input: InputType, options?: ZlibOptions | OneShotCallback, callback?: OneShotCallback) =>
    convert(kind, input, options, callback)) as Convert;
const convertsSync =
  (kind: NodeKind): ConvertSync =>
  (input, options) =>
    convertSync(kind, input, options);

function classOf(kind: NodeKind, nodeClass: abstract new (options?: ZlibOptions) => object): StreamClass {
  function ZlibStream(options?: ZlibOptions): EngineStream {
    return createStream(kind, options);
  }
  const isOurs = (value: unknown): boolean => value instanceof EngineTransform && value.kind === kind;
  Object.defineProperty(ZlibStream, Symbol.hasInstance, {
    value: (value: unknown) => isOurs(value) || value instanceof nodeClass,
  });
  return Object.defineProperty(ZlibStream, 'name', { value: nodeClass.name }) as unknown as StreamClass;
}

export const createGzip = creates(kinds.gzip);
export const createDeflate = creates(kinds.deflate);
export const createDeflateRaw = creates(kinds.deflateRaw);
export const createGunzip = creates(kinds.gunzip);
export const createInflate = creates(kinds.inflate);
export const createInflateRaw = creates(kinds.inflateRaw);
export const createUnzip = creates(kinds.unzip);

export const gzip = converts(kinds.gzip);
export const deflate = converts(kinds.deflate);
export const deflateRaw = converts(kinds.deflateRaw);
export const gunzip = converts(kinds.gunzip);
export const inflate = converts(kinds.inflate);
export const inflateRaw = converts(kinds.inflateRaw);
export const unzip = converts(kinds.unzip);

export const gzipSync = convertsSync(kinds.gzip);
export const deflateSync = convertsSync(kinds.deflate);
export const deflateRawSync = convertsSync(kinds.deflateRaw);
export const gunzipSync = convertsSync(kinds.gunzip);
export const inflateSync = convertsSync(kinds.inflate);
export const inflateRawSync = convertsSync(kinds.inflateRaw);
export const unzipSync = convertsSync(kinds.unzip);

export const Gzip = classOf(kinds.gzip, node.Gzip);
export const Deflate = classOf(kinds.deflate, node.Deflate);
export const DeflateRaw = classOf(kinds.deflateRaw, node.DeflateRaw);
export const Gunzip = classOf(kinds.gunzip, node.Gunzip);
export const Inflate = classOf(kinds.inflate, node.Inflate);
export const InflateRaw = classOf(kinds.inflateRaw, node.InflateRaw);
export const Unzip = classOf(kinds.unzip, node.Unzip);

// node:zlib's own, unchanged
export {
  BrotliCompress,
  BrotliDecompress,
  brotliCompress,
  brotliCompressSync,
  brotliDecompress,
  brotliDecompressSync,
  constants,
  crc32,
  createBrotliCompress,
  createBrotliDecompress,
} from 'node:zlib';
