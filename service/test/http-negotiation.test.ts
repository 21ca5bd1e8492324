import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { createHost } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, problem, send, sendWhole } from './http-client.ts';
import { serviceOn } from './http-service.ts';

const body = jsonText(5000);
const large = jsonText(700_000);
let service: RunningService;
before(async () => {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host, { allowOrigin: 'https://tools.example' });
});
after(() => service.stop());

const post = (path: string, headers: Record<string, string> = {}, bytes: Buffer = body) =>
  sendWhole(service.url + path, bytes, headers);

describe('Accept', () => {
  it('chooses the product where the URL names none', async () => {
    for (const [accept, type] of [
      ['*/*', 'application/gzip'],
      ['application/zlib', 'application/zlib'],
      ['application/gzip;q=0.2, application/zlib;q=0.9', 'application/zlib'],
      ['application/octet-stream', 'application/octet-stream'],
      ['text/html, application/*;q=0.5', 'application/gzip'],
    ] as const) {
      const answer = await post('/v1/compress', { Accept: accept });
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, type], accept);
      assert.equal(answer.headers.vary, 'Accept');
    }
  });

  it('is overruled by format, and refused with the list of products when nothing fits', async () => {
    const named = await post('/v1/compress?format=zlib', { Accept: 'application/json' });
    assert.deepEqual([named.status, named.headers.vary], [200, undefined]);
    assert.ok(inflateSync(named.body).equals(body));
    const none = await post('/v1/compress', { Accept: 'image/png' });
    assert.equal(none.status, 406);
    assert.deepEqual(problem(none)['supported'], [
      'application/gzip',
      'application/zlib',
      'application/octet-stream',
    ]);
    assert.match(String(none.headers.vary), /Accept/);
  });
});

describe('?as=coding', () => {
  const coded = (acceptEncoding: string | undefined, bytes = body) =>
    post(
      '/v1/compress?as=coding',
      {
        'Content-Type': 'text/csv',
        ...(acceptEncoding === undefined ? {} : { 'Accept-Encoding': acceptEncoding }),
      },
      bytes,
    );

  it('obeys weights, takes gzip among equals, and says what it looked at', async () => {
    for (const [field, coding] of [
      [undefined, 'gzip'],
      ['gzip, deflate, br, zstd', 'gzip'],
      ['gzip;q=0.5, deflate;q=0.9', 'deflate'],
      ['deflate, gzip', 'gzip'],
      ['x-gzip', 'gzip'],
      ['*', 'gzip'],
      ['gzip;q=0, *', 'deflate'],
      ['br', undefined],
      ['', undefined],
      ['identity', undefined],
      ['gzip;q=0', undefined],
    ] as const) {
      const answer = await coded(field);
      assert.deepEqual([answer.status, answer.headers['content-encoding']], [200, coding], String(field));
      assert.equal(answer.headers['content-type'], 'text/csv');
      assert.match(String(answer.headers.vary), /^Accept-Encoding/);
      const decode = { gzip: gunzipSync, deflate: inflateSync, identity: Buffer.from }[coding ?? 'identity'];
      assert.ok(decode(answer.body).equals(body), String(field));
      assert.equal(answer.headers['wd-core'] === 'none', coding === undefined);
    }
  });

  it('streams what it leaves as it is, with the same figures', async () => {
    const answer = await coded('identity', large);
    assert.ok(answer.body.equals(large));
    assert.equal(answer.trailers['wd-output-bytes'], String(large.length));
  });

  it('is 406 with the list when not even identity may be sent', async () => {
    for (const field of ['identity;q=0', '*;q=0', 'br, identity;q=0']) {
      const answer = await coded(field);
      assert.equal(answer.status, 406, field);
      assert.deepEqual(problem(answer)['supported'], ['gzip', 'deflate', 'identity']);
    }
  });

  it('is undone by fetch before the caller sees the bytes', async () => {
    const answer = await fetch(`${service.url}/v1/compress?as=coding`, {
      method: 'POST',
      body: new Uint8Array(body),
    });
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(body));
  });
});

describe('the body of a decompression', () => {
  it('is known by its Content-Encoding, and keeps its Content-Type', async () => {
    for (const [coding, bytes] of [
      ['gzip', gzipSync(body)],
      ['x-gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['deflate', deflateRawSync(body)],
      ['identity, gzip', gzipSync(body)],
      [', GZIP ,', gzipSync(body)],
    ] as const) {
      const answer = await post(
        '/v1/decompress',
        { 'Content-Encoding': coding, 'Content-Type': 'text/csv; charset=utf-8' },
        bytes,
      );
      assert.ok(answer.body.equals(body), coding);
      assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8');
    }
  });

  it('is known by its Content-Type', async () => {
    const answer = await post('/v1/decompress', { 'Content-Type': 'application/zlib' }, deflateSync(body));
    assert.ok(answer.body.equals(body));
    const wrong = await post('/v1/decompress', { 'Content-Type': 'application/zlib' }, gzipSync(body));
    assert.equal(wrong.status, 422);
  });

  it('is 415 with the supported list for other codings, other formats and two layers', async () => {
    const cases: Record<string, string>[] = [
      { 'Content-Encoding': 'br' },
      { 'Content-Encoding': 'gzip, gzip' },
      { 'Content-Encoding': 'gzip', 'Content-Type': 'application/gzip' },
      { 'Content-Type': 'application/zstd' },
      { 'Content-Type': 'application/x-bzip2' },
    ];
    for (const headers of cases) {
      const answer = await post('/v1/decompress', headers, gzipSync(body));
      assert.equal(answer.status, 415, JSON.stringify(headers));
      assert.equal(answer.headers['accept-encoding'], 'gzip, deflate, identity');
      assert.ok((problem(answer)['supported'] as string[]).length >= 3);
    }
    const stack = await post('/v1/decompress', { 'Content-Encoding': 'deflate, gzip' }, gzipSync(body));
    assert.match(String(problem(stack)['detail']), /deflate, gzip is 2 layers, of which one is undone/);
    const named = await post('/v1/decompress?format=zlib', { 'Content-Encoding': 'gzip' }, gzipSync(body));
    assert.equal(named.status, 415);
  });
});

describe('the gzip header', () => {
  it('has no name and no time unless a name was given', async () => {
    const plain = await post('/v1/compress');
    assert.deepEqual([...plain.body.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);
    assert.equal(plain.headers['content-disposition'], undefined);
    for (const bytes of [Buffer.alloc(0), body, large]) {
      const named = await post('/v1/compress?name=access.log', {}, bytes);
      assert.equal(named.body[3], 8);
      assert.equal(named.body.subarray(10, 21).toString(), 'access.log\0');
      assert.ok(gunzipSync(named.body).equals(bytes));
      assert.equal(named.headers['content-disposition'], 'attachment; filename="access.log.gz"');
    }
    for (const name of ['', 'a/b', 'a%00b', '%E2%82%AC', `${'x'.repeat(201)}`]) {
      const answer = await post(`/v1/compress?name=${name}`);
      assert.deepEqual([answer.status, problem(answer)['parameter']], [400, 'name'], name);
    }
  });
});

describe('the fields of a product', () => {
  it('forbid stores, guesses, changes and parts, and carry no ETag', async () => {
    for (const bytes of [body, large]) {
      const { headers } = await post('/v1/compress?format=deflate', { Range: 'bytes=0-1' }, bytes);
      assert.equal(headers['cache-control'], 'no-store, no-transform');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.deepEqual([headers['accept-ranges'], headers.etag], ['none', undefined]);
      assert.deepEqual([headers['wd-format'], headers['wd-level']], ['deflate', '1']);
    }
  });

  it('let an allowed origin read them, after a preflight', async () => {
    const origin = 'https://tools.example';
    const asked = await send(`${service.url}/v1/compress?level=3`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
    });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers['access-control-allow-origin'], origin);
    assert.equal(asked.headers['access-control-allow-methods'], 'POST, PUT, OPTIONS');
    assert.match(String(asked.headers['access-control-allow-headers']), /Authorization/);
    assert.equal(asked.headers['access-control-max-age'], '600');
    const answer = await post('/v1/compress', { Origin: origin });
    assert.equal(answer.headers['access-control-allow-origin'], origin);
    assert.match(String(answer.headers['access-control-expose-headers']), /Wd-Job/);
    const refused = await post('/v1/compress?level=0', { Origin: origin });
    assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [400, origin]);
    const status = await send(`${service.url}/v1/status`, { method: 'GET', headers: { Origin: origin } });
    assert.equal(status.headers['access-control-allow-origin'], origin);
    const foreign = await send(`${service.url}/v1/compress`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' },
    });
    assert.deepEqual([foreign.status, foreign.headers['access-control-allow-origin']], [403, undefined]);
  });
});
