import { type IncomingHttpHeaders, validateHeaderValue } from 'node:http';
import { type Format, MEDIA_TYPES } from '../../../shared/src/format.ts';
import type { CompressOptions, DecompressOptions } from '../codec/codec.ts';
import { type HttpCompressQuery, parseHttpCompress, parseParameters } from '../config/stream-parameters.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { JobSubject } from '../telemetry/job-account.ts';
import { linesOf, pairsOf } from './field-list.ts';
import { codedBody, codingFor, formatOfCoding, plainBody, productFor } from './negotiate.ts';
import { STATUS_LINE } from './one-write.ts';

/** Limits of one request; 0 is no limit. */
export interface Limits {
  maxInput: number;
  maxOutput: number;
  maxRatio: number;
}

/** What a request of a streaming route asks for. Shared by all requests that ask for the same, hence immutable. */
export type StreamRequest = Readonly<
  {
    subject: JobSubject;
    /** Header fields of the answer that depend on nothing else, as the flat list that `writeHead` takes. */
    fields: readonly string[];
    /** Status line of a 200, and the same as lines of its head. */
    head: string;
  } & (
    | { op: 'compress'; flushes: boolean; options: Readonly<CompressOptions> }
    | { op: 'decompress'; options: Readonly<DecompressOptions> }
    /** Nothing is to be done to the bytes. */
    | { op: 'identity'; maxInputBytes: number }
  )
>;

/** What a URL alone asks for: the same for all requests, or to be settled by the header fields in `dependsOn`. */
interface KnownUrl {
  dependsOn: readonly (keyof IncomingHttpHeaders & string)[];
  /** Of a request without any of these header fields. */
  plain: StreamRequest | undefined;
  settle(headers: IncomingHttpHeaders): StreamRequest;
}

const REMEMBERED = 256;
const MAX_REMEMBERED_KEY = 2048;
const OPERATION_OF: ReadonlyMap<string, 'compress' | 'decompress'> = new Map([
  ['/v1/compress', 'compress'],
  ['/v1/decompress', 'decompress'],
]);
/** No cache, proxy or browser changes, stores or guesses the bytes; a product has no parts to ask for. */
const COMMON_FIELDS = [
  'Cache-Control',
  'no-store, no-transform',
  'X-Content-Type-Options',
  'nosniff',
  'Accept-Ranges',
  'none',
  'Cross-Origin-Resource-Policy',
  'same-origin',
];
/** Where the client chose the type: nothing in it runs, should a browser show it. */
const SANDBOX = ['Content-Security-Policy', "default-src 'none'; sandbox"];
const FILE_SUFFIX = { gzip: '.gz', zlib: '.zz', deflate: '.deflate' } as const satisfies Record<
  Format,
  string
>;

/** Turns requests into what they ask for. Each is parsed once and remembered: parsing costs as much as a small job. */
export class StreamRequests {
  private readonly urls = new Map<string, KnownUrl>();
  private readonly settled = new Map<string, StreamRequest>();
  /** To compare a text with the last one costs less than to look it up. */
  private lastUrl: string | undefined;
  private lastKnown: KnownUrl | undefined;

  constructor(
    private readonly counters: Counters,
    private readonly limits: Limits,
  ) {}

  /**
   * Undefined if the URL belongs to another route.
   * @throws WD_E_PARAMETER, WD_E_NOT_ACCEPTABLE, WD_E_CODING, WD_E_MEDIA_TYPE
   */
  of(url: string, headers: IncomingHttpHeaders): StreamRequest | undefined {
    const known = url === this.lastUrl ? this.lastKnown : (this.urls.get(url) ?? this.learn(url));
    if (known === undefined) return undefined;
    this.lastUrl = url;
    this.lastKnown = known;
    let key = '';
    for (const name of known.dependsOn) {
      const value = headers[name];
      if (value !== undefined && value !== '*/*') key += `\n${name}:${String(value)}`;
    }
    if (key === '' && known.plain !== undefined) return known.plain;
    key = url + key;
    const settled = this.settled.get(key);
    if (settled !== undefined) return settled;
    const request = known.settle(headers);
    if (key.length <= MAX_REMEMBERED_KEY) remember(this.settled, key, request);
    return request;
  }

  private learn(url: string): KnownUrl | undefined {
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const op = OPERATION_OF.get(path);
    if (op === undefined) return undefined;
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    const known = op === 'compress' ? this.compression(query) : this.decompression(query);
    if (url.length <= MAX_REMEMBERED_KEY) remember(this.urls, url, known);
    return known;
  }

  private compression(parsed: URLSearchParams): KnownUrl {
    const query = parseHttpCompress(parsed);
    const { format } = query;
    if (query.as === 'coding')
      return {
        dependsOn: ['accept-encoding', 'content-type', 'content-encoding'],
        plain: undefined,
        settle: (headers) => this.asCoding(query, headers),
      };
    return {
      dependsOn: format === undefined ? ['accept', 'content-encoding'] : ['content-encoding'],
      plain: this.asProduct(query, format ?? 'gzip'),
      settle: (headers) => {
        plainBody(headers['content-encoding']);
        return this.asProduct(query, format ?? productFor(headers.accept));
      },
    };
  }

  private asProduct(query: HttpCompressQuery, format: Format): StreamRequest {
    const fields = ['Content-Type', MEDIA_TYPES[format], ...COMMON_FIELDS];
    if (query.format === undefined) fields.push('Vary', 'Accept');
    if (query.name !== undefined) fields.push('Content-Disposition', dispositionOf(query.name, format));
    return this.compress(query, format, fields);
  }

  private asCoding(query: HttpCompressQuery, headers: IncomingHttpHeaders): StreamRequest {
    plainBody(headers['content-encoding']);
    const coding = codingFor(headers['accept-encoding']);
    const type = headers['content-type'] ?? 'application/octet-stream';
    const fields = ['Content-Type', type, 'Vary', 'Accept-Encoding', ...COMMON_FIELDS, ...SANDBOX];
    if (coding !== 'identity')
      return this.compress(query, formatOfCoding(coding), [...fields, 'Content-Encoding', coding]);
    return {
      op: 'identity',
      subject: {
        op: 'compress',
        format: 'identity',
        route: this.counters.route('/v1/compress'),
        jobs: this.counters.job('compress', 'identity'),
      },
      ...headOf(fields),
      maxInputBytes: this.limits.maxInput,
    };
  }

  private compress(query: HttpCompressQuery, format: Format, fields: readonly string[]): StreamRequest {
    const { level, name } = query;
    return {
      op: 'compress',
      subject: {
        op: 'compress',
        format,
        level,
        route: this.counters.route('/v1/compress'),
        jobs: this.counters.job('compress', format),
      },
      flushes: query.flush === 'sync',
      ...headOf([...fields, 'Wd-Format', format, 'Wd-Level', String(level)]),
      options: {
        format,
        level,
        owner: 'http',
        maxInputBytes: this.limits.maxInput,
        ...(name === undefined ? {} : { name }),
      },
    };
  }

  private decompression(query: URLSearchParams): KnownUrl {
    const named = parseParameters('decompress', query).format;
    const { maxInput: maxInputBytes, maxOutput: maxOutputBytes, maxRatio } = this.limits;
    const settle = (headers: IncomingHttpHeaders): StreamRequest => {
      const { format, contentType } = codedBody(named, headers['content-type'], headers['content-encoding']);
      const isCoded = headers['content-encoding'] !== undefined;
      return {
        op: 'decompress',
        subject: {
          op: 'decompress',
          format,
          route: this.counters.route('/v1/decompress'),
          jobs: this.counters.job('decompress', format),
        },
        ...headOf(['Content-Type', contentType, ...COMMON_FIELDS, ...(isCoded ? SANDBOX : [])]),
        options: { format, maxInputBytes, maxOutputBytes, maxRatio },
      };
    };
    return {
      dependsOn: ['content-type', 'content-encoding'],
      plain: settle({}),
      settle,
    };
  }
}

/** Fields as a list and as text. @throws a TypeError where a value is none that may stand in a head */
function headOf(fields: readonly string[]): { fields: readonly string[]; head: string } {
  for (const [name, value] of pairsOf(fields)) validateHeaderValue(name, value);
  return { fields, head: STATUS_LINE + linesOf(fields) };
}

/** Forgets all rather than growing without bound. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= REMEMBERED) map.clear();
  map.set(key, value);
}

/** RFC 6266: the name for any reader, and again in UTF-8 where it is not plain ASCII. */
function dispositionOf(name: string, format: Format): string {
  const file = name + FILE_SUFFIX[format];
  const ascii = file.replaceAll(/[^ -~]/g, '_');
  const extended =
    ascii === file ? '' : `; filename*=UTF-8''${encodeURIComponent(file).replaceAll(/['()*]/g, percent)}`;
  return `attachment; filename="${ascii}"${extended}`;
}

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
