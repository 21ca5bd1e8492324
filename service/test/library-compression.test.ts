import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { brotliDecompressSync, createGunzip, gunzipSync, inflateSync } from 'node:zlib';
import express from 'express';
import { type CompressibleResponse, compression } from '../src/library/index.ts';
import { CompressTransform } from '../src/zlib/compress-transform.ts';
import { eventually } from './http-service.ts';
import { jsonLines, noise } from './support/corpus.ts';

type Handler = (req: IncomingMessage, res: CompressibleResponse) => void;
type Middleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

const theirs = createRequire(import.meta.url)('compression') as (options?: object) => Middleware;
const BODY = jsonLines(20_000);
const LARGE = jsonLines(3_000_000);

const servers = new Set<Server>();
async function serve(middleware: Middleware, handler: Handler): Promise<number> {
  const server = createServer((req, res) =>
    middleware(req, res, () => handler(req, res as CompressibleResponse)),
  );
  servers.add(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

async function get(port: number, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const req = request({
    port,
    host: '127.0.0.1',
    method,
    headers: { 'accept-encoding': 'gzip', ...headers },
    agent: false,
  });
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of res) parts.push(part as Buffer);
  return { status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts) };
}

async function exchange(
  middleware: Middleware,
  handler: Handler,
  headers?: Record<string, string>,
  method?: string,
): Promise<Answer> {
  const port = await serve(middleware, handler);
  try {
    return await get(port, headers, method);
  } finally {
    for (const server of servers) server.close();
    servers.clear();
  }
}

const json: Handler = (_req, res) => {
  res.setHeader('Content-Type', 'application/json');
  res.end(BODY);
};
const withHeaders =
  (headers: Record<string, string>, body: string | Buffer = BODY): Handler =>
  (_req, res) => {
    for (const [name, value] of Object.entries({ 'Content-Type': 'text/plain', ...headers }))
      res.setHeader(name, value);
    res.end(body);
  };

const makers: [string, (options?: object) => Middleware][] = [
  ['expressjs/compression', theirs],
  ['warpdrive', (options) => compression(options) as Middleware],
];

for (const [maker, make] of makers)
  describe(`${maker}: what both do`, () => {
    it('compresses a body in one piece and says so', async () => {
      const { headers, body } = await exchange(make(), json);
      assert.equal(headers['content-encoding'], 'gzip');
      assert.equal(headers.vary, 'Accept-Encoding');
      assert.ok(gunzipSync(body).equals(BODY));
    });
    it('compresses what is written in parts', async () => {
      const { body } = await exchange(make(), (_req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/html' });
        res.write('first ');
        res.write(Buffer.from('second '));
        res.write('dGhpcmQ=', 'base64');
        res.end();
      });
      assert.equal(String(gunzipSync(body)), 'first second third');
    });
    it('makes deflate where that is what is accepted', async () => {
      const { headers, body } = await exchange(make(), json, { 'accept-encoding': 'deflate' });
      assert.equal(headers['content-encoding'], 'deflate');
      assert.ok(inflateSync(body).equals(BODY));
    });
    it('leaves alone what nobody asked to compress, but says that it varies', async () => {
      for (const coding of ['identity', 'gzip;q=0', 'zstd', 'gzip;q=0.1, identity']) {
        const { headers, body } = await exchange(make(), json, { 'accept-encoding': coding });
        assert.equal(headers['content-encoding'], undefined, coding);
        assert.equal(headers.vary, 'Accept-Encoding');
        assert.ok(body.equals(BODY));
      }
    });
    it('leaves alone media types that do not shrink', async () => {
      for (const type of ['image/png', 'application/zip', 'video/mp4']) {
        const { headers, body } = await exchange(make(), withHeaders({ 'Content-Type': type }));
        assert.equal(headers['content-encoding'], undefined);
        assert.equal(headers.vary, undefined);
        assert.ok(body.equals(BODY));
      }
    });
    it('leaves alone bodies below the threshold, and compresses from it on', async () => {
      const options = { threshold: '1kb' };
      const below = await exchange(make(options), withHeaders({}, 'x'.repeat(1023)));
      const at = await exchange(make(options), withHeaders({}, 'x'.repeat(1024)));
      assert.equal(below.headers['content-encoding'], undefined);
      assert.equal(at.headers['content-encoding'], 'gzip');
      const declared = await exchange(make(options), (_req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 5 });
        res.write('short');
        res.end();
      });
      assert.equal(declared.headers['content-encoding'], undefined);
      assert.equal(String(declared.body), 'short');
    });
    it('honours no-transform', async () => {
      const { headers } = await exchange(make(), withHeaders({ 'Cache-Control': 'public, no-transform' }));
      assert.equal(headers['content-encoding'], undefined);
    });
    it('does not compress twice', async () => {
      const { headers, body } = await exchange(make(), withHeaders({ 'Content-Encoding': 'x-own' }));
      assert.equal(headers['content-encoding'], 'x-own');
      assert.ok(body.equals(BODY));
      const twice: Middleware = (req, res, next) => make()(req, res, () => make()(req, res, next));
      assert.ok(gunzipSync((await exchange(twice, json)).body).equals(BODY));
    });
    it('keeps other Vary fields', async () => {
      const { headers } = await exchange(make(), withHeaders({ Vary: 'Cookie' }));
      assert.equal(headers.vary, 'Cookie, Accept-Encoding');
    });
    it('removes the length of the handler', async () => {
      const { body } = await exchange(make(), (_req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
        res.end(BODY);
      });
      assert.ok(gunzipSync(body).equals(BODY));
    });
    it('answers HEAD without a body', async () => {
      const { status, body } = await exchange(make(), json, {}, 'HEAD');
      assert.equal(status, 200);
      assert.equal(body.length, 0);
    });
    it('uses the filter that it is given', async () => {
      const options = { filter: (req: IncomingMessage) => req.headers['x-plain'] === undefined };
      assert.equal((await exchange(make(options), json)).headers['content-encoding'], 'gzip');
      assert.equal(
        (await exchange(make(options), json, { 'x-plain': '1' })).headers['content-encoding'],
        undefined,
      );
    });
    it('holds a fast writer back, and lets it go on with drain', async () => {
      let waits = 0;
      const { body } = await exchange(make(), (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        let at = 0;
        const more = (): void => {
          while (at < LARGE.length) {
            const chunk = LARGE.subarray(at, at + 50_000);
            at += chunk.length;
            if (!res.write(chunk)) {
              waits++;
              res.once('drain', more);
              return;
            }
          }
          res.end();
        };
        more();
      });
      assert.ok(waits > 0);
      assert.ok(gunzipSync(body).equals(LARGE));
    });
    it('sends what was written when flush is called', async () => {
      const port = await serve(make(), (_req, res) => {
        res.setHeader('Content-Type', 'text/plain');
        res.write('early');
        res.flush();
        res.on('close', () => res.destroy());
      });
      const req = request({
        port,
        host: '127.0.0.1',
        headers: { 'accept-encoding': 'gzip' },
        agent: false,
      }).end();
      const [res] = (await once(req, 'response')) as [IncomingMessage];
      const [part] = await once(res.pipe(createGunzip()), 'data');
      assert.equal(String(part), 'early');
      req.destroy();
      for (const server of servers) server.close();
      servers.clear();
    });
    it('works in Express, with its ETag and its errors', async () => {
      const app = express();
      app.use(make());
      app.get('/ok', (_req, res) => void res.json({ text: 'x'.repeat(5000) }));
      app.get('/bad', () => {
        throw new Error('before any byte');
      });
      app.use((_error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
        res.status(500).send('failed'.repeat(1000));
      });
      const server = app.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const ok = await fetch(`${url}/ok`, { headers: { 'Accept-Encoding': 'gzip' } });
      assert.equal(((await ok.json()) as { text: string }).text.length, 5000);
      const again = await fetch(`${url}/ok`, {
        headers: { 'If-None-Match': ok.headers.get('etag') ?? '', 'Cache-Control': 'max-age=60' },
      });
      assert.equal(again.status, 304);
      const bad = await fetch(`${url}/bad`);
      assert.equal(bad.status, 500);
      assert.equal(await bad.text(), 'failed'.repeat(1000));
      server.close();
      server.closeAllConnections();
    });
  });

describe('warpdrive compression(): what goes further', () => {
  const ours: Middleware = compression() as Middleware;

  it('frees the stream of every client that leaves', { timeout: 60_000 }, async (t) => {
    const dispose = t.mock.method(CompressTransform.prototype, '_destroy');
    let open = 0;
    const port = await serve(ours, (_req, res) => {
      res.setHeader('Content-Type', 'text/plain');
      res.write(noise(100_000).toString('latin1')); // more than the socket takes: the rest waits in the stream
      open++;
    });
    const left = async (): Promise<void> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
      await once(socket, 'data');
      socket.destroy();
    };
    for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 20 }, left));
    assert.equal(open, 1000);
    await eventually(() => dispose.mock.callCount() === 1000, 'all 1000 streams are destroyed');
    for (const server of servers) server.close();
    servers.clear();
  });
  it('sends events as they are written', async () => {
    const port = await serve(ours, (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write('data: 1\n\n');
      setTimeout(() => res.write('data: 2\n\n'), 20);
    });
    const req = request({
      port,
      host: '127.0.0.1',
      headers: { 'accept-encoding': 'gzip' },
      agent: false,
    }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    const events = res.pipe(createGunzip());
    assert.equal(String((await once(events, 'data'))[0]), 'data: 1\n\n');
    assert.equal(String((await once(events, 'data'))[0]), 'data: 2\n\n');
    req.destroy();
    for (const server of servers) server.close();
    servers.clear();
  });
  it('calls back from every write, in order', async () => {
    const order: string[] = [];
    await exchange(ours, (_req, res) => {
      res.setHeader('Content-Type', 'text/plain');
      res.write('first', () => order.push('first'));
      res.write('c2Vjb25k', 'base64', () => order.push('second'));
      res.end();
    });
    assert.deepEqual(order, ['first', 'second']);
  });
  it('gives bodies in one piece a Content-Length', async () => {
    const { headers, body } = await exchange(ours, json);
    assert.equal(Number(headers['content-length']), body.length);
  });
  it('never sends more than the body', async () => {
    const { headers, body } = await exchange(ours, withHeaders({}, noise(5000)));
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(body.length, 5000);
  });
  it('leaves alone 204, 206 and 304', async () => {
    for (const status of [204, 206, 304]) {
      const { headers } = await exchange(ours, (_req, res) => {
        res.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Range': 'bytes 0-19999/20000' });
        res.end(status === 206 ? BODY : undefined);
      });
      assert.equal(headers['content-encoding'], undefined, String(status));
    }
  });
  it('weakens a strong ETag and keeps a weak one', async () => {
    assert.equal((await exchange(ours, withHeaders({ ETag: '"a"' }))).headers.etag, 'W/"a"');
    assert.equal((await exchange(ours, withHeaders({ ETag: 'W/"a"' }))).headers.etag, 'W/"a"');
    assert.equal(
      (await exchange(ours, withHeaders({ ETag: '"a"' }), { 'accept-encoding': 'identity' })).headers.etag,
      '"a"',
    );
  });
  it('follows the weights of the client, and its own order among equals', async () => {
    const both = compression({ encodings: ['br', 'gzip', 'deflate'] }) as Middleware;
    const coding = async (accept: string) =>
      (await exchange(both, json, { 'accept-encoding': accept })).headers['content-encoding'];
    assert.equal(await coding('gzip, deflate, br'), 'br');
    assert.equal(await coding('gzip, br;q=0.5'), 'gzip');
    assert.equal(await coding('deflate;q=0.9, gzip;q=0.8'), 'deflate');
    assert.equal(await coding('*'), 'br');
    const { body } = await exchange(both, json, { 'accept-encoding': 'br' });
    assert.ok(brotliDecompressSync(body).equals(BODY));
  });
  it('calls back from end, says that it has ended, and refuses writes behind it without harm', async () => {
    const seen: string[] = [];
    const { body } = await exchange(ours, (_req, res) => {
      res.setHeader('Content-Type', 'text/plain');
      res.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? ''));
      res.write('a');
      res.end('b', () => seen.push('ended'));
      seen.push(String(res.writableEnded));
      res.write('c');
    });
    assert.equal(String(gunzipSync(body)), 'ab');
    await eventually(() => seen.length === 3, 'the callback of end');
    assert.deepEqual(seen.toSorted(), ['ERR_STREAM_WRITE_AFTER_END', 'ended', 'true']);
  });
  it('keeps several Set-Cookie fields of writeHead', async () => {
    const { headers } = await exchange(ours, (_req, res) => {
      res.writeHead(200, ['Content-Type', 'text/plain', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
      res.end(BODY);
    });
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
  });
  it('names what is wrong with an option', () => {
    assert.throws(() => compression({ threshold: 'much' }), /threshold "much"/);
    assert.throws(() => compression({ level: 11 }), { code: 'ERR_OUT_OF_RANGE' });
  });
});
