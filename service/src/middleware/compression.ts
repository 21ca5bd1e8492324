import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Transform } from 'node:stream';
import compressible from 'compressible';
import {
  BrotliCompress,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateSync,
  gzipSync,
} from '../zlib/zlib.ts';
import { type ChoiceOptions, type Coding, chooseCoding, describeCoding } from './choose-coding.ts';

export interface CompressionOptions {
  /** 1–9; default 6. Brotli has its own quality, 4. */
  level?: number;
  /** Shorter bodies stay as they are: bytes, or as `'1kb'`; default 1024. Bodies of unknown length are compressed. */
  threshold?: number | string;
  /** Codings to offer, best first; default `['gzip', 'deflate']`. `br` is made by node:zlib. */
  encodings?: readonly Coding[];
  /** Whether this response may be compressed; default `compression.filter`: by media type. */
  filter?: (req: IncomingMessage, res: ServerResponse) => boolean;
}

/** A response that went through `compression()`. */
export interface CompressibleResponse extends ServerResponse {
  /** Sends on what was written so far, compressed or not. Event streams do so by themselves after every write. */
  flush(): void;
}

type Next = (error?: unknown) => void;
type Callback = (error?: Error | null) => void;
type Chunk = string | Uint8Array;

/** Bodies up to this length that come in one piece are compressed at once and get a Content-Length. */
const ONE_PIECE_BYTES = 64 * 1024;
const BROTLI_QUALITY = 4;
const DEFAULT_THRESHOLD_BYTES = 1024;
const UNITS: Record<string, number> = { '': 1, b: 1, kb: 1024, kib: 1024, mb: 1024 ** 2, mib: 1024 ** 2 };

/**
 * Express and connect middleware: compresses responses with the engine in this process.
 * @throws RangeError, TypeError for options that are not valid
 */
export function compression(options: CompressionOptions = {}) {
  const { level = 6, filter = compression.filter, encodings = ['gzip', 'deflate'] } = options;
  createGzip({ level }).destroy(); // refuses a level out of range now, and not at the first response
  const choice: ChoiceOptions = { codings: encodings, thresholdBytes: bytesOf(options.threshold), filter };
  return (req: IncomingMessage, res: ServerResponse, next: Next): void => {
    new ResponseCompressor(req, res, choice, level).install();
    next();
  };
}

/** Media types that mime-db says shrink, text and +json, +xml, +text. */
compression.filter = (_req: IncomingMessage, res: ServerResponse): boolean =>
  compressible(String(res.getHeader('Content-Type') ?? '')) === true;

/** Stands between a handler and its response. Nothing is made for responses that stay as they are. */
class ResponseCompressor {
  private readonly write: ServerResponse['write'];
  private readonly end: ServerResponse['end'];
  private readonly writeHead: ServerResponse['writeHead'];
  private stream: (Transform & { flush(kind?: number): void }) | undefined;
  private isDecided = false;
  private isEnded = false;
  /** The whole compressed body, if the handler gave it at once. */
  private onePiece: Uint8Array | undefined;

  constructor(
    private readonly req: IncomingMessage,
    private readonly res: ServerResponse,
    private readonly choice: ChoiceOptions,
    private readonly level: number,
  ) {
    this.write = res.write.bind(res);
    this.end = res.end.bind(res);
    this.writeHead = res.writeHead.bind(res);
  }

  install(): void {
    const { res } = this;
    const take = (chunk: Chunk, encoding?: BufferEncoding | Callback, callback?: Callback): boolean =>
      typeof encoding === 'function'
        ? this.onWrite(chunk, undefined, encoding)
        : this.onWrite(chunk, encoding, callback);
    const finish = (
      chunk?: Chunk | Callback | null,
      encoding?: BufferEncoding | Callback,
      callback?: Callback,
    ): ServerResponse => {
      if (typeof chunk === 'function') this.onEnd(undefined, undefined, chunk);
      else if (typeof encoding === 'function') this.onEnd(chunk ?? undefined, undefined, encoding);
      else this.onEnd(chunk ?? undefined, encoding, callback);
      return res;
    };
    Object.assign(res, { write: take, end: finish, writeHead: this.onHead, flush: this.onFlush });
    Object.defineProperty(res, 'writableEnded', { get: () => this.isEnded, configurable: true });
  }

  /** Explicit, or implicit before the first byte: the last moment at which header fields can change. */
  private readonly onHead = (
    status: number,
    reason?: string | OutgoingHttpHeaders | OutgoingHttpHeader[],
    headers?: OutgoingHttpHeaders | OutgoingHttpHeader[],
  ): ServerResponse => {
    const { res } = this;
    res.statusCode = status;
    setHeaders(res, typeof reason === 'string' ? headers : reason);
    this.decide(undefined);
    return typeof reason === 'string' ? this.writeHead(status, reason) : this.writeHead(status);
  };

  /** Brotli's flush has another number, which is its default. */
  private readonly onFlush = (): void => {
    if (this.stream instanceof BrotliCompress) this.stream.flush();
    else this.stream?.flush(constants.Z_SYNC_FLUSH);
  };

  private onWrite(chunk: Chunk, encoding?: BufferEncoding, callback?: Callback): boolean {
    if (this.isEnded) return this.refuse(callback);
    this.decide(undefined);
    if (this.stream) return this.stream.write(chunk, encoding ?? 'utf8', callback);
    return this.write(chunk, encoding ?? 'utf8', callback);
  }

  private onEnd(chunk?: Chunk, encoding?: BufferEncoding, callback?: Callback): void {
    if (this.isEnded) {
      if (callback) process.nextTick(callback, codedError('ERR_STREAM_ALREADY_FINISHED', 'end after end'));
      return;
    }
    const isFirst = !this.isDecided && !this.res.headersSent;
    const body = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    if (isFirst) this.decide(body ?? new Uint8Array(0));
    this.isEnded = true;
    if (callback) this.res.once('finish', callback);
    if (this.stream) this.stream.end(body);
    else if (this.onePiece) this.end(this.onePiece);
    else if (body === undefined) this.end();
    else this.end(body);
  }

  /** @param whole the body, if it is all there */
  private decide(whole: Uint8Array | undefined): void {
    const { req, res, choice } = this;
    if (this.isDecided || res.headersSent) return;
    this.isDecided = true;
    const coding = chooseCoding(req, res, whole?.length, choice);
    if (!coding) return;
    if (whole && whole.length <= ONE_PIECE_BYTES && coding !== 'br') this.packOnePiece(whole, coding);
    else this.startStream(coding);
  }

  private packOnePiece(whole: Uint8Array, coding: 'gzip' | 'deflate'): void {
    const packed = (coding === 'gzip' ? gzipSync : deflateSync)(whole, { level: this.level });
    if (packed.length >= whole.length) return;
    describeCoding(this.res, coding);
    this.res.setHeader('Content-Length', packed.length);
    this.onePiece = packed;
  }

  private startStream(coding: Coding): void {
    const { res } = this;
    const isEvents = /^text\/event-stream\b/i.test(String(res.getHeader('Content-Type') ?? ''));
    describeCoding(res, coding);
    const stream = createCoder(coding, this.level, isEvents);
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      if (!this.write(chunk)) stream.pause();
    });
    stream.on('end', () => this.end());
    stream.on('error', (error) => res.destroy(error));
    stream.on('drain', () => res.emit('drain'));
    res.on('drain', () => stream.resume());
    res.once('close', () => stream.destroy()); // the client left, or all was sent
  }

  /** As node answers a write behind the end; the compressed body must not break for it. */
  private refuse(callback?: Callback): boolean {
    const error = codedError('ERR_STREAM_WRITE_AFTER_END', 'write after end');
    process.nextTick(() => {
      this.res.emit('error', error);
      callback?.(error);
    });
    return false;
  }
}

function createCoder(coding: Coding, level: number, isEvents: boolean) {
  const flush = isEvents ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH;
  switch (coding) {
    case 'gzip':
      return createGzip({ level, flush });
    case 'deflate':
      return createDeflate({ level, flush });
    case 'br':
      return createBrotliCompress({
        flush: isEvents ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS,
        params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
      });
  }
}

function setHeaders(
  res: ServerResponse,
  headers: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined,
): void {
  if (Array.isArray(headers)) {
    const flat = headers.flat(); // [name, value, …] or [[name, value], …]
    for (let i = 0; i + 1 < flat.length; i += 2) res.removeHeader(String(flat[i]));
    for (let i = 0; i + 1 < flat.length; i += 2) appendHeader(res, String(flat[i]), flat[i + 1] ?? '');
  } else
    for (const [name, value] of Object.entries(headers ?? {}))
      if (value !== undefined) res.setHeader(name, value);
}

function appendHeader(res: ServerResponse, name: string, value: OutgoingHttpHeader): void {
  res.appendHeader(name, Array.isArray(value) ? value : String(value));
}

const codedError = (code: string, message: string): Error => Object.assign(new Error(message), { code });

function bytesOf(threshold: number | string = DEFAULT_THRESHOLD_BYTES): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(threshold)) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits === undefined || factor === undefined)
    throw new TypeError(`threshold "${threshold}" is not a number of bytes, nor a size such as "1kb"`);
  return Number(digits) * factor;
}
