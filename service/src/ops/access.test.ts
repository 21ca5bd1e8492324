import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../platform/clock.ts';
import { Access, type AccessOptions, APP_ORIGIN, isLoopback } from './access.ts';
import { clientKey } from './client-key.ts';

const manualClock = () => {
  let nowUs = 0;
  const clock: Clock = { wallMs: () => nowUs / 1000, monotonicUs: () => nowUs, after: () => () => {} };
  return { clock, advanceS: (seconds: number) => (nowUs += seconds * 1e6) };
};
const accessOf = (host = '127.0.0.1', allowOrigins: string[] = [], more: Partial<AccessOptions> = {}) =>
  new Access({
    host,
    adminToken: 'a-long-token',
    allowOrigins,
    maxTokenGuesses: 3,
    clock: manualClock().clock,
    ...more,
  });

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

describe('Access.tokenRefusal', () => {
  const PEER = '192.0.2.1';
  const withToken = () => accessOf('127.0.0.1', [], { token: 'data-token' });
  it('asks no token of data routes on loopback unless one is configured', () => {
    assert.equal(accessOf().tokenRefusal(undefined, PEER, true), undefined);
    assert.equal(withToken().tokenRefusal(undefined, PEER, true)?.code, 'WD_E_UNAUTHORIZED');
    assert.equal(accessOf('0.0.0.0').tokenRefusal(undefined, PEER, true)?.code, 'WD_E_UNAUTHORIZED');
    assert.equal(withToken().tokenRefusal(undefined, PEER, false), undefined);
  });
  it('opens data to the data token and to the admin token', () => {
    for (const token of ['data-token', 'a-long-token'])
      assert.equal(withToken().tokenRefusal(`Bearer ${token}`, PEER, true), undefined);
    assert.equal(withToken().isAdmin('Bearer data-token'), false);
  });
  it('refuses one address after so many wrong tokens, right ones too, and forgives after a minute', () => {
    const { clock, advanceS } = manualClock();
    const access = accessOf('127.0.0.1', [], { token: 'data-token', clock });
    for (let i = 0; i < 3; i++)
      assert.equal(access.tokenRefusal('Bearer wrong', PEER, true)?.code, 'WD_E_UNAUTHORIZED');
    const refused = access.tokenRefusal('Bearer data-token', PEER, true);
    assert.equal(refused?.code, 'WD_E_THROTTLED');
    assert.equal(refused?.details['retryAfterS'], 60);
    assert.equal(access.tokenRefusal('Bearer data-token', '192.0.2.2', true), undefined);
    advanceS(61);
    assert.equal(access.tokenRefusal('Bearer data-token', PEER, true), undefined);
  });
  it('counts guesses where no token is needed too', () => {
    const access = accessOf();
    for (let i = 0; i < 3; i++) assert.equal(access.tokenRefusal('Bearer wrong', PEER, true), undefined);
    assert.equal(access.tokenRefusal('Bearer wrong', PEER, true)?.code, 'WD_E_THROTTLED');
  });
});

describe('clientKey', () => {
  it('takes an IPv6 network and an IPv4 address as one client', () => {
    assert.equal(clientKey('192.0.2.1'), '192.0.2.1');
    assert.equal(clientKey('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(clientKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(clientKey('2001:db8::1'), clientKey('2001:db8::2'));
    assert.notEqual(clientKey('2001:db8:1:2::1'), clientKey('2001:db8:1:3::1'));
  });
});
