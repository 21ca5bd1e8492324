import type { IncomingMessage, ServerResponse } from 'node:http';
import Negotiator from 'negotiator';

/** Content codings that `compression()` can make. */
export const CODINGS = ['gzip', 'deflate', 'br'] as const;
export type Coding = (typeof CODINGS)[number];

export interface ChoiceOptions {
  codings: readonly Coding[];
  thresholdBytes: number;
  filter(req: IncomingMessage, res: ServerResponse): boolean;
}

/** negotiator 1 breaks ties of weight by this order; its types are of 0.6. */
interface PreferringNegotiator {
  encodings(available: string[], options: { preferred: string[] }): string[];
}

const NO_TRANSFORM = /(?:^|,)\s*no-transform\s*(?:,|$)/i;
/** Responses whose body must stay as it is, or that have none (RFC 9110 sections 15.3.5, 15.3.7, 15.4.5). */
const UNTOUCHED_STATUS = new Set([204, 205, 206, 304]);

/**
 * Which coding this response gets, once its status and header fields are known; adds `Vary` where another request might get
 * another answer.
 * @param bodyBytes length of the body if it is known
 */
export function chooseCoding(
  req: IncomingMessage,
  res: ServerResponse,
  bodyBytes: number | undefined,
  options: ChoiceOptions,
): Coding | undefined {
  if (res.statusCode < 200 || UNTOUCHED_STATUS.has(res.statusCode) || res.hasHeader('Content-Range'))
    return undefined;
  if (NO_TRANSFORM.test(String(res.getHeader('Cache-Control') ?? ''))) return undefined;
  if (String(res.getHeader('Content-Encoding') ?? 'identity') !== 'identity') return undefined;
  if (!options.filter(req, res)) return undefined;
  addVary(res);
  const length = bodyBytes ?? Number(res.getHeader('Content-Length') ?? Number.NaN);
  if (length < options.thresholdBytes || req.method === 'HEAD') return undefined;
  if (req.headers['accept-encoding'] === undefined) return undefined;
  const negotiator: PreferringNegotiator = new Negotiator(req);
  const { codings } = options;
  const accepted = negotiator.encodings([...codings, 'identity'], { preferred: [...codings] });
  return CODINGS.find((coding) => coding === accepted[0]);
}

function addVary(res: ServerResponse): void {
  const fields = [res.getHeader('Vary') ?? []].flat().join(', ');
  const names = fields.split(',').map((name) => name.trim().toLowerCase());
  if (names.includes('*') || names.includes('accept-encoding')) return;
  res.setHeader('Vary', fields === '' ? 'Accept-Encoding' : `${fields}, Accept-Encoding`);
}

/** Header fields of a body that is no longer what the handler described. */
export function describeCoding(res: ServerResponse, coding: Coding): void {
  res.setHeader('Content-Encoding', coding);
  res.removeHeader('Content-Length');
  res.removeHeader('Accept-Ranges');
  const etag = res.getHeader('ETag');
  if (typeof etag === 'string' && !etag.startsWith('W/')) res.setHeader('ETag', `W/${etag}`);
}
