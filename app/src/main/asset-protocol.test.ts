import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAssetHandler } from './asset-protocol.ts';

function handlerUnderTest() {
  const read: string[] = [];
  const handle = createAssetHandler({
    readAsset: async (name) => {
      read.push(name);
      if (name === 'icon.svg') throw new Error('ENOENT');
      return new TextEncoder().encode(name);
    },
  });
  return { read, get: (url: string, method = 'GET') => handle(new Request(url, { method })) };
}

describe('createAssetHandler', () => {
  it('serves the page with its type and a policy that starts from nothing', async () => {
    const response = await handlerUnderTest().get(
      'warpdrive://monitor/index.html?service=x&service=http://127.0.0.1:8080&service=http://far.example&service=https://far.example/x',
    );
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(await response.text(), 'index.html');
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.match(
      policy,
      /connect-src ws:\/\/127\.0\.0\.1:8080 http:\/\/127\.0\.0\.1:8080 wss:\/\/far\.example https:\/\/far\.example;/,
    );
    assert.doesNotMatch(policy, /unsafe|\*/);
  });

  it('refuses every way out of its list, plain or encoded, without touching a file', async () => {
    const { get, read } = handlerUnderTest();
    const paths = [
      '',
      'main.js.map',
      '../main/main.js',
      '%2e%2e/main/main.js',
      '..%2fmain%2fmain.js',
      '%252e%252e/main.js',
      'x/../../index.html%00',
      '/index.html',
      '%5cindex.html',
      '%zz',
      'index.html/',
    ];
    for (const path of paths) assert.equal((await get(`warpdrive://monitor/${path}`)).status, 404, path);
    assert.deepEqual(read, []);
  });

  it('answers no other host, no other scheme and no credentials', async () => {
    const { get, read } = handlerUnderTest();
    for (const url of ['warpdrive://other/index.html', 'http://monitor/index.html']) {
      assert.equal((await get(url)).status, 404, url);
    }
    assert.deepEqual(read, []);
  });

  it('answers GET only, and 404 for a file that is not built', async () => {
    const { get } = handlerUnderTest();
    assert.equal((await get('warpdrive://monitor/index.html', 'POST')).status, 405);
    assert.equal((await get('warpdrive://monitor/icon.svg')).status, 404);
  });
});
