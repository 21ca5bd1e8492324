/**
 * Raw bytes at the HTTP port: mutated request lines, fields, queries and chunked coding. Every answer is well-formed
 * HTTP with a documented status, failures are problem documents, and a whole gzip answer decodes.
 * Input: bytes of a write (byte 0, 0 = all at once), the bytes of the connection.
 */
import { gunzipSync } from 'node:zlib';
import { ADMIN_TOKEN } from '../http-service.ts';
import { answersIn, exchange, expectProblem, openService } from './oracles.ts';
import { expect, type FuzzTarget, shown } from './target.ts';

/** docs/http.md; 304 is of the monitor's files. */
const STATUSES = new Set([
  ...[
    101, 200, 201, 202, 204, 302, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 417, 422, 426, 429,
    431, 503, 507,
  ],
]);
/** Silence after which the service waits for more. */
const QUIET_MS = 60;

const HOST = 'Host: 127.0.0.1\r\n';
const head = (line: string, ...fields: string[]): string =>
  `${line} HTTP/1.1\r\n${HOST}${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
const AUTH = `Authorization: Bearer ${ADMIN_TOKEN}`;
const seed = (chunk: number, text: string): Uint8Array =>
  Buffer.concat([Buffer.of(chunk), Buffer.from(text, 'latin1')]);

const isHead = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('HEAD');

export const http: FuzzTarget = {
  name: 'http',
  width: 32,
  maxBytes: 8192,
  dictionary: [
    ...[
      'GET ',
      'POST ',
      'PUT ',
      'DELETE ',
      'OPTIONS ',
      'PATCH ',
      'HTTP/1.1',
      'HTTP/1.0',
      'HTTP/9.9',
      '\r\n',
      '\n',
      '\r',
      ' ',
    ],
    ...[
      '/v1/compress',
      '/v1/decompress',
      '/v1/status',
      '/v1/mdevs',
      '/v1/jobs/',
      '/v1/sysfs/',
      '/v1/queues/',
      '/metrics',
    ],
    ...[
      '?',
      '&',
      '=',
      'level=',
      'format=',
      'gzip',
      'zlib',
      'deflate',
      'auto',
      'flush=sync',
      'as=coding',
      'name=',
      '%',
      '%00',
      '%ff',
    ],
    ...[
      'Host: ',
      'Origin: null\r\n',
      'Content-Length: ',
      'Content-Length: 5\r\n',
      'Transfer-Encoding: chunked\r\n',
    ],
    ...[
      'Accept: ',
      '*/*',
      'q=0',
      'application/zlib',
      'Accept-Encoding: ',
      'identity;q=0',
      'Content-Encoding: gzip\r\n',
    ],
    ...[
      'Content-Type: ',
      'application/json',
      'Expect: 100-continue\r\n',
      'Connection: close\r\n',
      'TE: trailers\r\n',
    ],
    ...[
      'Upgrade: websocket\r\n',
      'Connection: Upgrade\r\n',
      'Sec-WebSocket-Version: 13\r\n',
      'Range: bytes=0-1\r\n',
    ],
    ...[
      '0\r\n\r\n',
      'ffffffff\r\n',
      '5\r\nhello\r\n',
      ';ext=1',
      'X: y\r\n',
      '\u0000',
      '..',
      '//',
      '{"type":',
      '__proto__',
    ],
    ...[
      'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n',
      'X-Request-Id: ',
      '%2e%2e%2f',
    ],
  ],
  seeds: () => [
    seed(0, `${head('POST /v1/compress?level=6&format=gzip', 'Content-Length: 5')}hello`),
    seed(
      0,
      `${head('POST /v1/compress?flush=sync', 'Transfer-Encoding: chunked')}5\r\nhello\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n`,
    ),
    seed(
      7,
      `${head('PUT /v1/compress?as=coding&name=a.txt', 'Accept-Encoding: gzip;q=0.5, deflate', 'Content-Length: 3')}abc`,
    ),
    seed(0, `${head('POST /v1/decompress?format=deflate', 'Content-Length: 5')}\x01\x00\x00\xff\xff`),
    seed(0, `${head('POST /v1/compress', 'Expect: 100-continue', 'Content-Length: 2')}ab`),
    seed(3, head('GET /v1/status') + head('GET /healthz')),
    seed(0, head('GET /v1/sysfs/class/uacce/hisi_zip-0')),
    seed(
      0,
      head('OPTIONS /v1/compress', 'Origin: http://127.0.0.1:1', 'Access-Control-Request-Method: POST'),
    ),
    seed(0, head('HEAD /monitor/')),
    seed(
      0,
      head(
        'GET /v1/stream?op=compress',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Protocol: warpdrive.stream.v1',
      ),
    ),
    seed(
      0,
      `${head('POST /v1/mdevs', AUTH, 'Content-Type: application/json', 'Content-Length: 25')}{"type":"hisi_zip-zip",1:2`,
    ),
    seed(
      0,
      `${head('PATCH /v1/iommu', AUTH, 'Content-Type: application/json', 'Content-Length: 21')}{"faultModel":"stall"}`,
    ),
    seed(0, head('POST /v1/queues/hisi_zip-0%2F1/reset', AUTH, 'Content-Length: 0')),
  ],
  async open() {
    const service = await openService();
    return {
      async run(input) {
        const { bytes, isClosed } = await exchange(service.port, input.subarray(1), input[0] ?? 0, QUIET_MS);
        const answers = answersIn(bytes, isHead(input));
        for (const answer of answers) {
          const { status, fields, body, isWhole } = answer;
          expect(STATUSES.has(status), () => `status ${status}: ${shown(body)}`);
          expectProblem(answer);
          if (
            isWhole &&
            status === 200 &&
            fields.get('content-type') === 'application/gzip' &&
            body.length > 0
          )
            gunzipSync(body);
        }
        return (
          answers
            .map(({ status }) => status)
            .slice(0, 2)
            .join(' then ') || (isClosed ? 'closed' : 'waits')
        );
      },
      async settle() {
        const { bytes } = await exchange(
          service.port,
          Buffer.from(head('GET /readyz', 'Connection: close')),
          0,
          5000,
        );
        const [answer] = answersIn(bytes);
        expect(answer?.status === 200, () => `not ready afterwards: ${shown(bytes)}`);
      },
      close: () => service.close(),
    };
  },
};
