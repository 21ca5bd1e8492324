import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { BEARER_PROTOCOL_PREFIX } from '../../shared/src/stream-protocol.ts';
import { MONITOR_PROTOCOL, STREAM_PROTOCOL } from '../../shared/src/telemetry.ts';
import type { RunningService } from '../src/service.ts';
import { launch, run } from './cli-process.ts';
import { jsonText, send, sendWhole } from './http-client.ts';
import { hostDouble } from './http-double.ts';
import { ADMIN_TOKEN, serviceOn } from './http-service.ts';

const DATA_TOKEN = 'data-token-of-the-tests';
const WRONG_TOKEN = 'a-wrong-token';
const body = jsonText(2000);
const DATA_ROUTES: [string, string][] = [
  ['POST', '/v1/compress'],
  ['PUT', '/v1/decompress'],
  ['GET', '/v1/status'],
  ['GET', '/v1/devices'],
  ['GET', '/v1/mdevs'],
  ['GET', '/v1/queues'],
  ['GET', '/v1/faults'],
  ['GET', '/v1/jobs/x'],
  ['GET', '/v1/nothing'],
  ['GET', '/metrics'],
];
const OPEN_ROUTES = ['/healthz', '/readyz', '/version', '/monitor/'];

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const opened = async (url: string, path: string, protocols: string[], options: ClientOptions = {}) => {
  const ws = new WebSocket(url.replace('http', 'ws') + path, protocols, options);
  ws.on('error', () => {});
  const status = await Promise.race([
    once(ws, 'open').then(() => 101),
    once(ws, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
  ]);
  const { protocol } = ws;
  ws.terminate();
  return { status, protocol };
};

for (const [name, options] of [
  ['with --token', { token: DATA_TOKEN }],
  ['bound beyond loopback', { token: DATA_TOKEN, host: '0.0.0.0' }],
] as const)
  describe(`data routes ${name}`, () => {
    let service: RunningService;
    let url: string;
    before(async () => {
      service = await serviceOn(hostDouble(), { ...options, maxTokenGuesses: 1000 });
      url = service.url.replace('0.0.0.0', '127.0.0.1');
    });
    after(() => service.stop());

    it('are 401 without a token or with a wrong one, and open to the data and the admin token', async () => {
      for (const [method, path] of DATA_ROUTES)
        for (const [headers, isOpen] of [
          [{}, false],
          [bearer(WRONG_TOKEN), false],
          [{ Authorization: `Basic ${DATA_TOKEN}` }, false],
          [bearer(DATA_TOKEN), true],
          [bearer(ADMIN_TOKEN), true],
        ] as const) {
          const answer = await send(url + path, { method, headers });
          assert.equal(answer.status !== 401, isOpen, `${method} ${path} ${JSON.stringify(headers)}`);
          if (!isOpen) assert.equal(answer.headers['www-authenticate'], 'Bearer');
        }
    });

    it('leave probes and the page open', async () => {
      for (const path of OPEN_ROUTES)
        assert.equal((await send(url + path, { method: 'GET' })).status, 200, path);
    });

    it('are WebSockets too; a browser offers its token as a subprotocol', async () => {
      const asProtocol = (token: string) => BEARER_PROTOCOL_PREFIX + Buffer.from(token).toString('base64url');
      for (const [path, protocol] of [
        ['/v1/stream?op=compress', STREAM_PROTOCOL],
        ['/v1/monitor', MONITOR_PROTOCOL],
      ] as const) {
        assert.equal((await opened(url, path, [protocol])).status, 401);
        assert.equal((await opened(url, path, [protocol, asProtocol(WRONG_TOKEN)])).status, 401);
        assert.equal((await opened(url, path, [protocol], { headers: bearer(DATA_TOKEN) })).status, 101);
        const browser = await opened(url, path, [asProtocol(DATA_TOKEN), protocol]);
        assert.deepEqual([browser.status, browser.protocol], [101, protocol]);
      }
    });

    it('do not open admin routes', async () => {
      for (const path of ['/v1/mdevs', '/v1/queues/x/reset', '/v1/faults/inject']) {
        const answer = await send(url + path, {
          headers: { ...bearer(DATA_TOKEN), 'Content-Type': 'application/json' },
        });
        assert.equal(answer.status, 403, path);
      }
    });
  });

describe('guessing tokens', () => {
  it('ends with 429 and Retry-After, for the right token too, while tokenless requests go on', async () => {
    const service = await serviceOn(hostDouble(), { maxTokenGuesses: 3 });
    try {
      for (let i = 0; i < 3; i++) {
        const answer = await send(`${service.url}/v1/queues/x/reset`, { headers: bearer(WRONG_TOKEN + i) });
        assert.equal(answer.status, 403);
      }
      const locked = await send(`${service.url}/v1/queues/x/reset`, { headers: bearer(ADMIN_TOKEN) });
      assert.equal(locked.status, 429);
      assert.ok(Number(locked.headers['retry-after']) > 50);
      const ws = await opened(service.url, '/v1/monitor', [MONITOR_PROTOCOL], {
        headers: bearer(ADMIN_TOKEN),
      });
      assert.equal(ws.status, 429);
      assert.equal((await sendWhole(`${service.url}/v1/compress`, body)).status, 200);
    } finally {
      await service.stop();
    }
  });
});

describe('secrets', () => {
  it('appear in no line that the service prints or logs, however they are sent', async () => {
    const port = await freePort();
    const { child, result } = launch([
      ...['serve', '--port', String(port), '--cores', '1', '--log-level', 'debug'],
      ...['--admin-token', ADMIN_TOKEN, '--token', DATA_TOKEN],
    ]);
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok)
      await new Promise((next) => setTimeout(next, 50));
    for (const token of [ADMIN_TOKEN, DATA_TOKEN, WRONG_TOKEN]) {
      const encoded = BEARER_PROTOCOL_PREFIX + Buffer.from(token).toString('base64url');
      await sendWhole(`${url}/v1/compress`, body, bearer(token));
      await sendWhole(`${url}/v1/compress?level=0`, body, bearer(token));
      await send(`${url}/v1/mdevs`, { headers: bearer(token) });
      await opened(url, '/v1/stream?op=nothing', [STREAM_PROTOCOL, encoded]);
      const unknown = await send(`${url}/v1/stream?op=compress`, {
        method: 'GET',
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          'Sec-WebSocket-Protocol': `unknown.v1, ${encoded}`,
        },
      });
      assert.ok(!unknown.body.toString().includes(encoded));
    }
    child.kill('SIGTERM');
    const { stdout, stderr } = await result;
    const printed = stdout.toString() + stderr;
    assert.match(printed, /"job":/, 'debug lines are there');
    for (const token of [ADMIN_TOKEN, DATA_TOKEN, WRONG_TOKEN])
      for (const text of [token, Buffer.from(token).toString('base64url')])
        assert.ok(!printed.includes(text), 'a token was printed');
    const config = await run([
      'serve',
      '--print-config',
      '--admin-token',
      ADMIN_TOKEN,
      '--token',
      DATA_TOKEN,
    ]);
    assert.doesNotMatch(config.stdout.toString(), new RegExp(`${ADMIN_TOKEN}|${DATA_TOKEN}`));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
