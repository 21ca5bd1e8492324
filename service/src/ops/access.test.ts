import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Access, APP_ORIGIN, isLoopback } from './access.ts';

const accessOf = (host = '127.0.0.1', allowOrigins: string[] = []) =>
  new Access({ host, adminToken: 'a-long-token', allowOrigins });

describe('isLoopback', () => {
  it('knows the names of this machine', () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])
      assert.equal(isLoopback(host), true, host);
    for (const host of ['0.0.0.0', '::', '127.0.0.1.evil.example', 'localhost.evil.example', '192.168.0.1'])
      assert.equal(isLoopback(host), false, host);
  });
});

describe('Access.refusal', () => {
  it('answers loopback names on any port and clients without Origin', () => {
    for (const host of ['127.0.0.1:8080', 'localhost:1', '[::1]:8080', 'localhost', undefined])
      assert.equal(accessOf().refusal(host, undefined), undefined, host);
  });
  it('refuses a foreign Host, which is what DNS rebinding sends', () => {
    for (const host of ['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', '@', ''])
      assert.equal(accessOf().refusal(host, undefined)?.code, 'WD_E_FORBIDDEN', host);
  });
  it('takes any Host when it listens beyond loopback', () => {
    assert.equal(accessOf('0.0.0.0').refusal('service.example', undefined), undefined);
  });
  it('takes its own pages, the app and allowed origins', () => {
    const access = accessOf('127.0.0.1', ['https://tools.example']);
    const own = ['http://127.0.0.1:8080', 'http://localhost:8080', APP_ORIGIN, 'https://tools.example'];
    for (const origin of own) assert.equal(access.refusal('127.0.0.1:8080', origin), undefined, origin);
  });
  it('refuses pages of other origins, other local ports and sandboxed frames', () => {
    const foreign = [
      'http://evil.example',
      'http://localhost:3000',
      'null',
      'file://',
      'https://evil.example:8080',
    ];
    for (const origin of foreign)
      assert.equal(accessOf().refusal('127.0.0.1:8080', origin)?.code, 'WD_E_FORBIDDEN', origin);
  });
});

describe('Access.isAdmin', () => {
  it('takes the bearer token only', () => {
    assert.equal(accessOf().isAdmin('Bearer a-long-token'), true);
    for (const field of [undefined, '', 'Bearer', 'Bearer a-long-toke', 'Basic a-long-token', 'a-long-token'])
      assert.equal(accessOf().isAdmin(field), false, field);
  });
});
