import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { problem, rawAnswer, rawConnection, send, sendWhole, slices } from './http-client.ts';
import { ADMIN_TOKEN } from './http-service.ts';
import { serviceOnDouble } from './http-setups.ts';

const { service, lines, body, large } = await serviceOnDouble();

describe('refusals before the body', () => {
  it('names a bad parameter, its value and what is allowed', async () => {
    const answer = await sendWhole(`${service.url}/v1/compress?level=0`, body);
    assert.equal(answer.status, 400);
    const { code, parameter, value, allowed, type, instance } = problem(answer);
    assert.deepEqual([code, parameter, value], ['WD_E_PARAMETER', 'level', '0']);
    assert.deepEqual(allowed, ['1', '2', '3', '4', '5', '6', '7', '8', '9']);
    assert.equal(type, 'urn:warpdrive:problem:parameter');
    assert.equal(instance, answer.headers['x-request-id']);
  });

  it('answers 404 with a problem to unknown routes', async () => {
    for (const path of ['/nope', '/v1/', '/v1/compress/', '/monitor/../package.json', '/monitor/nope.js']) {
      const answer = await send(service.url + path, { method: 'GET' });
      assert.equal(answer.status, 404, path);
      assert.equal(problem(answer)['code'], 'WD_E_NOT_FOUND');
    }
  });

  it('answers 405 with Allow to other methods', async () => {
    const answer = await send(`${service.url}/v1/compress`, { method: 'GET' });
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST, PUT, OPTIONS']);
    const read = await send(`${service.url}/v1/queues`, { method: 'DELETE' });
    assert.deepEqual([read.status, read.headers.allow], [405, 'GET, HEAD, OPTIONS']);
  });

  it('answers 415 with the supported codings to a coded body', async () => {
    const answer = await sendWhole(`${service.url}/v1/compress`, body, { 'Content-Encoding': 'br' });
    assert.deepEqual([answer.status, answer.headers['accept-encoding']], [415, 'identity']);
    assert.equal(problem(answer)['code'], 'WD_E_CODING');
    const identity = await sendWhole(`${service.url}/v1/compress`, body, { 'Content-Encoding': 'identity' });
    assert.equal(identity.status, 200);
  });

  it('answers 403 to a foreign Origin and an unknown Host, on every kind of route', async () => {
    for (const path of ['/v1/compress', '/v1/status', '/metrics', '/monitor/'])
      for (const field of [{ Origin: 'http://evil.example' }, { Host: 'evil.example' }]) {
        const answer = await send(service.url + path, { headers: field });
        assert.equal(answer.status, 403, path);
        assert.equal(problem(answer)['code'], 'WD_E_FORBIDDEN');
      }
  });

  it('reaches a client that is still sending, then closes', async () => {
    const answer = await send(`${service.url}/v1/compress?level=99`, { chunks: slices(large, 65_536) });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.connection, 'close');
    assert.equal(answer.complete, true);
  });

  it('answers Expect: 100-continue after the checks', async () => {
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;
    assert.match(await rawAnswer(service.url, head('/v1/compress?level=x')), /^HTTP\/1\.1 400 /);
    const socket = await rawConnection(service.url, head('/v1/compress'));
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write('abcd');
    const [second] = (await once(socket, 'data')) as [Buffer];
    assert.match(second.toString('latin1'), /^HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  it('answers Expect: 100-continue on an administrator’s route after the token was checked', async () => {
    const head = (token: string) =>
      `POST /v1/mdevs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n` +
      'Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n';
    assert.match(await rawAnswer(service.url, head('wrong')), /^HTTP\/1\.1 403 /);
    const socket = await rawConnection(service.url, head(ADMIN_TOKEN));
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write('{}');
    const [second] = (await once(socket, 'data')) as [Buffer];
    assert.match(second.toString('latin1'), /^HTTP\/1\.1 404 [\s\S]*WD_E_ENODEV/);
    socket.destroy();
  });

  it('are logged at debug, each with its id, also those whose parameters cannot be read', async () => {
    const idOf = (details: object) => ('reqId' in details ? details.reqId : undefined);
    const ids: unknown[] = [];
    for (const path of ['/v1/compress?level=0', '/v1/decompress?format=rar', '/nope', '/v1/status?x=1'])
      ids.push((await sendWhole(service.url + path, body)).headers['x-request-id']);
    assert.deepEqual(
      lines.filter(({ level }) => level === 'debug').map(({ details, message }) => [message, idOf(details)]),
      ids.map((id) => ['request refused', id]),
    );
  });

  it('answers 417 to other expectations and 400 to what is not HTTP', async () => {
    const odd = 'POST /v1/compress HTTP/1.1\r\nHost: localhost\r\nExpect: gold\r\nConnection: close\r\n\r\n';
    assert.match(await rawAnswer(service.url, odd), /^HTTP\/1\.1 417 [\s\S]*WD_E_EXPECTATION/);
    assert.match(await rawAnswer(service.url, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*WD_E_REQUEST/);
    const nameless = 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n';
    assert.match(await rawAnswer(service.url, nameless), /^HTTP\/1\.1 400 [\s\S]*WD_E_REQUEST/);
    assert.match(await rawAnswer(service.url, nameless.replace('1.1', '1.0')), /^HTTP\/1\.1 200 /);
    const huge = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
    assert.match(await rawAnswer(service.url, huge), /^HTTP\/1\.1 431 [\s\S]*WD_E_HEADERS/);
  });

  it('breaks an answer off when what follows of the request is not HTTP, and puts nothing behind its bytes', async () => {
    const head =
      'POST /v1/compress?flush=sync HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
    const socket = await rawConnection(service.url, `${head}5\r\nhello\r\n`);
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    await once(socket, 'data');
    socket.write('no chunk\r\n');
    await once(socket, 'close');
    const answer = Buffer.concat(parts).toString('latin1');
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(answer, /HTTP\/1\.1 400/);
    assert.doesNotMatch(answer, /\r\n0\r\n/, 'it does not look whole');
  });

  it('answers a failed WebSocket handshake with a problem document', async () => {
    for (const [route, protocol] of [
      ['/v1/stream?op=compress', 'warpdrive.stream.v1'],
      ['/v1/monitor', 'warpdrive.monitor.v1'],
    ]) {
      const head =
        `GET ${route} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: short\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`;
      const answer = await rawAnswer(service.url, head);
      assert.match(answer, /^HTTP\/1\.1 426 [\s\S]*Sec-WebSocket-Version: 13\r\n[\s\S]*WD_E_UPGRADE/);
    }
  });

  it('answers 413 to an announced length over the limit, before a byte is sent', async () => {
    const head = 'POST /v1/compress HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000001\r\n\r\n';
    assert.match(
      await rawAnswer(service.url, head),
      /^HTTP\/1\.1 413 [\s\S]*"limitBytes":4000000,"measured":"input"/,
    );
  });
});

describe('request ids', () => {
  it('echo a sane one and replace others', async () => {
    const url = `${service.url}/v1/compress`;
    const given = await sendWhole(url, body, { 'X-Request-Id': 'order-66/abc' });
    assert.equal(given.headers['x-request-id'], 'order-66/abc');
    const odd = await sendWhole(url, body, { 'X-Request-Id': 'a b<script>' });
    assert.match(String(odd.headers['x-request-id']), /^[\w-]+$/);
    assert.deepEqual(gunzipSync(odd.body), body);
  });
});
