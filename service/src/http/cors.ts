import type { IncomingMessage, ServerResponse } from 'node:http';

const PREFLIGHT_SECONDS = 600;
const REQUEST_FIELDS =
  'Accept, Authorization, Content-Encoding, Content-Type, X-Request-Id, traceparent, tracestate';
const RESPONSE_FIELDS =
  'Retry-After, Wd-Core, Wd-Crc32, Wd-Fallback-Reason, Wd-Format, Wd-Input-Bytes, Wd-Job, Wd-Level, ' +
  'Wd-Output-Bytes, X-Request-Id';

/** What lets a page of this origin read the answer. The origin must have passed `Access.refusal`. */
export function corsFields(origin: string): string[] {
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    RESPONSE_FIELDS,
    'Vary',
    'Origin',
  ];
}

/** Answers OPTIONS, a CORS preflight or a plain question. */
export function answerOptions(
  req: IncomingMessage,
  res: ServerResponse,
  allow: readonly string[],
  id: string,
): void {
  const { origin } = req.headers;
  const fields = ['Allow', allow.join(', '), 'Cache-Control', 'no-store', 'X-Request-Id', id];
  if (origin !== undefined) fields.push(...corsFields(origin));
  if (origin !== undefined && req.headers['access-control-request-method'] !== undefined) {
    fields.push('Access-Control-Allow-Methods', allow.join(', '));
    fields.push('Access-Control-Allow-Headers', REQUEST_FIELDS);
    fields.push('Access-Control-Max-Age', String(PREFLIGHT_SECONDS));
    // Chromium asks before a public page may reach a loopback or private address
    if (req.headers['access-control-request-private-network'] === 'true')
      fields.push('Access-Control-Allow-Private-Network', 'true');
  }
  req.resume();
  res.writeHead(204, fields).end();
}
