import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { STREAM_PROTOCOL } from '../../shared/src/telemetry.ts';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, rawAnswer, rawConnection, send, sendWhole, slices } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';

const MIB = 1024 * 1024;
const body = jsonText(3000);
const open: RunningService[] = [];

const newHost = (): Promise<Host> =>
  createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);

async function limited(options: Record<string, unknown>): Promise<RunningService> {
  const service = await serviceOn(await newHost(), options);
  open.push(service);
  return service;
}
after(() => Promise.all(open.map((service) => service.stop())));

const problemIn = (text: string) =>
  JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>;

/** A request that has begun and goes on until its socket is destroyed. */
async function begin(url: string, path = '/v1/decompress', first = '1\r\n\x1f\r\n'): Promise<Socket> {
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return rawConnection(url, head + first);
}

async function active(url: string): Promise<number> {
  const status = (await (await fetch(`${url}/v1/status`)).json()) as { totals: { activeStreams: number } };
  return status.totals.activeStreams;
}

function socketTo(url: string, query: string): WebSocket {
  const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream?${query}`, STREAM_PROTOCOL);
  ws.on('error', () => {});
  return ws;
}

describe('the number of streams', () => {
  it('may reach --max-streams-per-client; one more is 429, over HTTP and as a WebSocket, until one ends', async () => {
    const { url } = await limited({ maxStreamsPerClient: 3 });
    const first = await begin(url);
    const second = socketTo(url, 'op=compress');
    await once(second, 'open');
    const third = await begin(url);
    await eventually(async () => (await active(url)) === 3, 'three streams');
    const over = await sendWhole(`${url}/v1/compress`, body);
    assert.equal(over.status, 429);
    assert.equal(over.headers['retry-after'], '1');
    const { code, limitStreams, measured } = JSON.parse(over.body.toString()) as Record<string, unknown>;
    assert.deepEqual([code, limitStreams, measured], ['WD_E_LIMIT_CLIENT', 3, 'streams of this client']);
    const refused = socketTo(url, 'op=compress');
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    assert.equal(response.statusCode, 429);
    refused.terminate();
    first.destroy();
    await eventually(async () => (await active(url)) === 2, 'one ended');
    assert.equal((await sendWhole(`${url}/v1/compress`, body)).status, 200);
    third.destroy();
    second.terminate();
    await eventually(async () => (await active(url)) === 0, 'all ended');
  });

  it('may reach --max-streams; one more is 503 with Retry-After', async () => {
    const { url } = await limited({ maxStreams: 2 });
    const sockets = [await begin(url), await begin(url, '/v1/compress')];
    await eventually(async () => (await sendWhole(`${url}/v1/compress`, body)).status === 503, 'full');
    const over = await sendWhole(`${url}/v1/compress`, body);
    assert.equal(over.headers['retry-after'], '1');
    assert.equal((JSON.parse(over.body.toString()) as { code: string }).code, 'WD_E_LIMIT_STREAMS');
    for (const socket of sockets) socket.destroy();
    await eventually(async () => (await sendWhole(`${url}/v1/compress`, body)).status === 200, 'free again');
  });
});

describe('the request head', () => {
  let url: string;
  before(async () => {
    ({ url } = await limited({ maxHeaders: 10, maxHeaderBytes: 2048, headerTimeout: '500ms' }));
  });
  const request = (fields: string[]) =>
    rawAnswer(url, `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields.join('')}\r\n`);
  const fieldsOf = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: 1\r\n`);

  it('may have --max-headers fields and not one more, on any route', async () => {
    assert.match(await request(fieldsOf(8)), /^HTTP\/1\.1 200 /);
    const over = await request(fieldsOf(9));
    assert.match(over, /^HTTP\/1\.1 431 /);
    assert.deepEqual([problemIn(over)['limitFields'], problemIn(over)['code']], [10, 'WD_E_HEADERS']);
    const product = await sendWhole(`${url}/v1/compress`, body, {
      ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, '1'])),
    });
    assert.equal(product.status, 431);
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream?op=compress`, STREAM_PROTOCOL, {
      headers: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, '1'])),
    });
    ws.on('error', () => {});
    const [, response] = (await once(ws, 'unexpected-response')) as [unknown, { statusCode: number }];
    assert.equal(response.statusCode, 431);
    ws.terminate();
  });

  it('may have --max-header-bytes and not many more', async () => {
    assert.match(await request([`X: ${'x'.repeat(1800)}\r\n`]), /^HTTP\/1\.1 200 /);
    const over = await request([`X: ${'x'.repeat(2049)}\r\n`]);
    assert.match(over, /^HTTP\/1\.1 431 /);
    assert.equal(problemIn(over)['limitBytes'], 2048);
  });

  it('must be whole within --header-timeout: 408', async () => {
    const slow = await rawAnswer(url, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ');
    assert.match(slow, /^HTTP\/1\.1 408 /);
    assert.equal(problemIn(slow)['idleMs'], 500);
  });
});

describe('--max-time', () => {
  it('ends a request with 408 before its answer began, and breaks it off after', async () => {
    const { url } = await limited({ maxTime: '300ms' });
    const quick = await sendWhole(`${url}/v1/compress`, body);
    assert.equal(quick.status, 200);
    for (const path of ['/v1/compress', '/v1/decompress']) {
      const socket = await begin(url, path);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      await once(socket, 'close');
      assert.match(text, /^HTTP\/1\.1 408 [\s\S]*"limitMs":300,"measured":"time"/, path);
    }
    const late = await send(`${url}/v1/compress?flush=sync`, {
      chunks: (async function* () {
        yield body;
        await new Promise((next) => setTimeout(next, 600));
        yield body;
      })(),
    });
    assert.deepEqual([late.status, late.complete], [200, false]);
    const ws = socketTo(url, 'op=compress');
    assert.equal((await once(ws, 'close'))[0], 4408);
  });
});

describe('sizes at their limit and one byte over', () => {
  it('of input that is announced, chunked, small and streamed', async () => {
    const { url } = await limited({ maxInput: MIB });
    const exact = jsonText(MIB + 1);
    for (const path of ['/v1/compress', '/v1/compress?flush=sync', '/v1/compress?as=coding']) {
      const headers = { 'Accept-Encoding': 'identity' };
      const fits = await send(url + path, { headers, chunks: slices(exact.subarray(0, MIB), 65_536) });
      assert.ok(fits.complete && fits.status === 200, path);
      const over = await send(url + path, { headers, chunks: slices(exact, 65_536) });
      assert.ok(over.status === 413 || !over.complete, path);
      const announced = await sendWhole(url + path, exact, headers);
      const { limitBytes, measured } = JSON.parse(announced.body.toString()) as Record<string, unknown>;
      assert.deepEqual([announced.status, limitBytes, measured], [413, MIB, 'input'], path);
    }
  });

  it('of output and of ratio, which the answer names', async () => {
    const output = await limited({ maxOutput: 100_000 });
    const fits = await sendWhole(`${output.url}/v1/decompress`, gzipSync(jsonText(100_000)));
    assert.equal(fits.body.length, 100_000);
    const over = await sendWhole(`${output.url}/v1/decompress`, gzipSync(jsonText(100_001)));
    assert.equal(over.status, 413);
    assert.deepEqual(pick(over.body), { limitBytes: 100_000, measured: 'output' });

    const zeros = gzipSync(Buffer.alloc(2 * MIB));
    const ratio = (2 * MIB) / zeros.length;
    const wide = await limited({ maxRatio: Math.ceil(ratio) });
    assert.equal((await sendWhole(`${wide.url}/v1/decompress`, zeros)).body.length, 2 * MIB);
    const narrow = await limited({ maxRatio: Math.floor(ratio) - 1 });
    const bomb = await sendWhole(`${narrow.url}/v1/decompress`, zeros);
    assert.ok(bomb.status === 413 || !bomb.complete);
  });

  it('of a WebSocket message', async () => {
    const { url } = await limited({ maxFrame: 4096 });
    const exact = socketTo(url, 'op=compress');
    const parts: Buffer[] = [];
    exact.on('message', (data: Buffer, isBinary) => void (isBinary && parts.push(data)));
    await once(exact, 'open');
    exact.send(jsonText(4096));
    exact.send('{"type":"finish"}');
    assert.equal((await once(exact, 'close'))[0], 1000);
    assert.equal(gunzipSync(Buffer.concat(parts)).length, 4096);
    const over = socketTo(url, 'op=compress');
    await once(over, 'open');
    over.send(jsonText(4097));
    assert.equal((await once(over, 'close'))[0], 1009);
  });
});

describe('--ping-timeout', () => {
  it('cuts a WebSocket off that answers no ping, and keeps an idle one that does', async () => {
    const { url } = await limited({ pingTimeout: '600ms' });
    const idle = socketTo(url, 'op=compress');
    await once(idle, 'open');
    const dead = socketTo(url, 'op=compress');
    await once(dead, 'open');
    dead.pause();
    await eventually(async () => (await active(url)) === 1, 'the dead one is gone');
    assert.equal(idle.readyState, WebSocket.OPEN);
    idle.terminate();
    dead.terminate();
  });
});

function pick(bytes: Buffer): object {
  const { limitBytes, measured } = JSON.parse(bytes.toString()) as Record<string, unknown>;
  return { limitBytes, measured };
}
