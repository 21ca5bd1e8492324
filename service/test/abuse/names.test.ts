/** Names that clients choose: hosts, origins, paths, UUIDs, request ids. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';
import { createHost } from '../../src/host.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { RunningService } from '../../src/service.ts';
import { rawAnswer, send } from '../http-client.ts';
import { ADMIN_TOKEN, serviceOn } from '../http-service.ts';
import { serve } from '../serve-process.ts';

let service: RunningService;
let port: string;
before(async () => {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 0, queues: 2 }, silentLog);
  service = await serviceOn(host);
  ({ port } = new URL(service.url));
});
after(() => service.stop());

const ROUTES = ['/v1/status', '/v1/mdevs', '/metrics', '/monitor/', '/healthz', '/v1/compress'];

async function upgradeStatus(headers: Record<string, string>): Promise<number> {
  const ws = new WebSocket(`${service.url.replace('http', 'ws')}/v1/stream?op=compress`, STREAM_PROTOCOL, {
    headers,
  });
  try {
    return await new Promise<number>((resolve) => {
      ws.on('open', () => resolve(101));
      ws.on('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode));
      ws.on('error', () => {});
    });
  } finally {
    ws.terminate();
  }
}

describe('DNS rebinding', () => {
  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '0.0.0.0',
    '10.0.0.1',
    '[::]',
    '[::ffff:10.0.0.1]',
    '127.0.0.256',
  ])
    it(`with Host ${host} is 403 on every route and for upgrades`, async () => {
      for (const path of ROUTES) {
        const { status } = await send(service.url + path, {
          method: 'GET',
          headers: { Host: `${host}:${port}` },
        });
        assert.ok(status === 403 || status === 400, `${path}: ${status}`);
      }
      assert.equal(await upgradeStatus({ Host: `${host}:${port}` }), 403);
    });
});

describe('a page of another origin', () => {
  it('is refused without CORS fields, on every route, for preflights and for upgrades', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost:1',
      `https://localhost:${port}.evil.example`,
      `http://localhost.evil.example:${port}`,
      `file://localhost:${port}`,
      'warpdrive://evil',
    ]) {
      for (const path of ROUTES)
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          const { status, headers } = await send(service.url + path, { method, headers: { Origin: origin } });
          assert.equal(status, 403, `${method} ${path} from ${origin}`);
          assert.equal(headers['access-control-allow-origin'], undefined);
        }
      assert.equal(await upgradeStatus({ Origin: origin }), 403, origin);
    }
  });
});

const TRAVERSALS = [
  '../package.json',
  '../../../../../../etc/passwd',
  '..%2fpackage.json',
  '%2e%2e/package.json',
  '%2e%2e%2f%2e%2e%2fpackage.json',
  '..%5cpackage.json',
  '....//package.json',
  '%252e%252e%252fpackage.json',
  '/etc/passwd',
  '%2fetc%2fpasswd',
  'index.html%00.js',
  '.%00./package.json',
  'main.js/../../main/main.js',
];

describe('path traversal', () => {
  for (const prefix of ['/monitor/', '/v1/sysfs/'])
    it(`below ${prefix} reaches no file of the host`, async () => {
      for (const path of TRAVERSALS) {
        const answer = await rawAnswer(
          service.url,
          `GET ${prefix}${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        );
        assert.match(answer, /^HTTP\/1\.1 4\d\d /, path);
        assert.doesNotMatch(answer, /root:|"dependencies"|require\(|import /, path);
      }
    });
});

describe('the UUID of an mdev', () => {
  it('is one of 36 characters or 400, wherever it stands', async () => {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' };
    for (const uuid of [
      '../../etc',
      '',
      'x'.repeat(36),
      `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}\n`,
      `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(11)}/`,
      '__proto__',
    ]) {
      const body = Buffer.from(JSON.stringify({ type: 'hisi_zip-zip', uuid }));
      const made = await send(`${service.url}/v1/mdevs`, { headers, chunks: [body] });
      assert.equal(made.status, 400, JSON.stringify(uuid));
      const path = `/v1/mdevs/${encodeURIComponent(uuid)}`;
      const gone = await send(service.url + path, { method: 'DELETE', headers });
      assert.ok([404, 405, 409].includes(gone.status), `${path}: ${gone.status}`);
    }
    const { body } = await send(`${service.url}/v1/mdevs`, { method: 'GET' });
    assert.doesNotMatch(body.toString(), /etc|proto|xxxx/);
  });
});

describe('log injection', () => {
  it('is not possible: whatever a client sends, a line of the log is one JSON object without control characters', async () => {
    const served = await serve('--log-level', 'debug');
    const nasty = '%0a%7b%22level%22%3a%22fatal%22%7d%1b%5b2J';
    for (const path of [
      `/v1/${nasty}`,
      `/v1/compress?level=${nasty}`,
      `/v1/jobs/${nasty}`,
      `/v1/compress?name=${nasty}`,
    ])
      await send(served.url + path, {
        headers: {
          'X-Request-Id': 'a\x9b2J{"level":"fatal"}',
          traceparent: `00-\x80\x9b-${'1'.repeat(16)}-01`,
          Referer: '\x9b2J',
        },
        chunks: [Buffer.from('x')],
      });
    await rawAnswer(served.url, '\x1b[2J{"level":"fatal"}\r\n\r\n');
    served.child.kill('SIGTERM');
    const { stderr } = await served.result;
    const lines = stderr.split('\n').filter((line) => line !== '');
    assert.ok(lines.length > 0);
    for (const line of lines) {
      const entry = JSON.parse(line) as { level: string };
      assert.notEqual(entry.level, 'fatal');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
    }
  });
});
