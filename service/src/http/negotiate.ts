import Negotiator from 'negotiator';
import { FORMATS, type Format, MEDIA_TYPES } from '../../../shared/src/format.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';

/** Content codings that can be made, in the order preferred among equal weights; `deflate` is zlib-wrapped. */
const CODINGS = ['gzip', 'deflate', 'identity'] as const;
export type Coding = (typeof CODINGS)[number];
const FORMAT_OF_CODING = { gzip: 'gzip', deflate: 'zlib' } as const;

/** What the published types of negotiator lack. */
interface EncodingChooser {
  encoding(available: string[], options: { preferred: string[] }): string | undefined;
}

/** Media types of the products, first the preferred. */
const PRODUCT_TYPES: readonly string[] = FORMATS.map((format) => MEDIA_TYPES[format]);
const FORMAT_OF_TYPE: ReadonlyMap<string, Format> = new Map([
  ...FORMATS.map((format) => [MEDIA_TYPES[format], format] as const),
  ['application/x-gzip', 'gzip'],
]);

/** Types that name compressed data of a kind that is not decoded here; any other type says nothing of the format. */
const FOREIGN_TYPES =
  /^application\/(zstd|zip|brotli|(x-)?(bzip2?|xz|lzma|lz4|lzip|compress|7z-compressed|snappy))$/;

/**
 * The product that `Accept` prefers (RFC 9110 12.5.1); gzip where it has no preference.
 * @throws WD_E_NOT_ACCEPTABLE
 */
export function productFor(accept: string | undefined): Format {
  if (accept === undefined || accept === '*/*' || accept === '') return 'gzip';
  const wanted = accept.replaceAll(/application\/x-gzip/gi, 'application/gzip');
  const type = new Negotiator({ headers: { accept: wanted } }).mediaType([...PRODUCT_TYPES]);
  const format = type === undefined ? undefined : FORMAT_OF_TYPE.get(type);
  if (format !== undefined) return format;
  throw new WarpDriveError('WD_E_NOT_ACCEPTABLE', 'Accept allows none of the products', {
    field: 'Accept',
    supported: PRODUCT_TYPES,
  });
}

/**
 * The coding that `Accept-Encoding` prefers (RFC 9110 12.5.3): absent allows all, empty allows identity alone.
 * @throws WD_E_NOT_ACCEPTABLE
 */
export function codingFor(acceptEncoding: string | undefined): Coding {
  if (acceptEncoding === undefined) return 'gzip';
  const wanted = acceptEncoding.replaceAll(/\bx-gzip\b/gi, 'gzip');
  const negotiator: EncodingChooser = new Negotiator({ headers: { 'accept-encoding': wanted } });
  const chosen = negotiator.encoding([...CODINGS], { preferred: [...CODINGS] });
  const coding = CODINGS.find((name) => name === chosen);
  if (coding !== undefined) return coding;
  throw new WarpDriveError('WD_E_NOT_ACCEPTABLE', 'Accept-Encoding allows none of the codings', {
    field: 'Accept-Encoding',
    supported: CODINGS,
  });
}

export const formatOfCoding = (coding: Exclude<Coding, 'identity'>): Format => FORMAT_OF_CODING[coding];

/** What a body that is to be decompressed says of itself. */
export interface CodedBody {
  format: Format | 'auto';
  /** Media type of what comes out. */
  contentType: string;
}

/** Codings of a body that is to be decompressed. */
export const BODY_CODINGS = ['gzip', 'deflate', 'identity'] as const;
const DEFAULT_TYPE = 'application/octet-stream';

/**
 * The format of a body by the URL's `format`, else by its Content-Encoding, else by its Content-Type, else by its
 * first bytes. One layer is undone; two are refused, since it is not clear which was meant.
 * @throws WD_E_CODING, WD_E_MEDIA_TYPE
 */
export function codedBody(
  named: Format | 'auto',
  contentType: string | undefined,
  contentEncoding: string | undefined,
): CodedBody {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const typeFormat = type === DEFAULT_TYPE ? undefined : FORMAT_OF_TYPE.get(type);
  const [coding, ...more] = codingsOf(contentEncoding);
  if (coding === undefined) {
    if (named === 'auto' && FOREIGN_TYPES.test(type))
      throw new WarpDriveError('WD_E_MEDIA_TYPE', `${type} is not decoded here`, {
        field: 'Content-Type',
        value: type,
        supported: PRODUCT_TYPES,
      });
    return { format: named === 'auto' ? (typeFormat ?? 'auto') : named, contentType: DEFAULT_TYPE };
  }
  const formats = formatsOfCoding(coding);
  if (more.length > 0)
    throw badCoding(
      `Content-Encoding ${contentEncoding} is ${1 + more.length} layers, of which one is undone at a time`,
    );
  if (formats === undefined) throw badCoding(`Content-Encoding ${contentEncoding} is not supported`);
  if (typeFormat !== undefined)
    throw badCoding(
      `Content-Encoding ${coding} over Content-Type ${type} is two layers; send the one to undo`,
    );
  if (named !== 'auto' && !formats.includes(named))
    throw badCoding(`Content-Encoding ${coding} over format=${named} is two layers; send the one to undo`);
  const format = named === 'auto' && coding !== 'deflate' ? 'gzip' : named;
  return { format, contentType: contentType ?? DEFAULT_TYPE };
}

/** Names of a list (RFC 9110, 5.6.1 and 8.4): `identity` says nothing and may stand anywhere. */
const codingsOf = (list = ''): string[] =>
  list
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');

/** The formats that a coding may carry: much software sends raw DEFLATE as `deflate`. */
function formatsOfCoding(coding: string): readonly Format[] | undefined {
  if (coding === 'gzip' || coding === 'x-gzip') return ['gzip'];
  return coding === 'deflate' ? ['zlib', 'deflate'] : undefined;
}

function badCoding(message: string): WarpDriveError {
  return new WarpDriveError('WD_E_CODING', message, {
    field: 'Content-Encoding',
    supported: BODY_CODINGS,
  });
}

/** A body that is to be compressed comes as it is. @throws WD_E_CODING */
export function plainBody(contentEncoding: string | undefined): void {
  if (codingsOf(contentEncoding).length === 0) return;
  throw new WarpDriveError('WD_E_CODING', `Content-Encoding ${contentEncoding} is not supported here`, {
    field: 'Content-Encoding',
    supported: ['identity'],
  });
}
