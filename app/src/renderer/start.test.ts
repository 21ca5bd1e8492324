import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressOfStart } from './start.ts';

const APP = 'warpdrive://monitor/index.html';
const A = 'http://127.0.0.1:8080';

describe('addressOfStart', () => {
  it('opens the app with the services that it watched last, else with the default one', () => {
    assert.equal(
      addressOfStart(APP, ['https://b', A]),
      `${APP}?service=https%3A%2F%2Fb&service=http%3A%2F%2F127.0.0.1%3A8080`,
    );
    assert.equal(addressOfStart(APP, undefined), `${APP}?service=http%3A%2F%2F127.0.0.1%3A8080`);
    assert.equal(addressOfStart(APP, ['ftp://a', 7]), `${APP}?service=http%3A%2F%2F127.0.0.1%3A8080`);
  });
  it('leaves an address that names services, and the page of a service, as they are', () => {
    assert.equal(addressOfStart(`${APP}?service=https://b`, [A]), undefined);
    assert.equal(addressOfStart(`${A}/monitor/`, undefined), undefined);
    assert.equal(addressOfStart(`${A}/monitor/`, ['https://b', 'https://c']), undefined);
    assert.match(addressOfStart(`${A}/monitor/`, ['https://b', A]) ?? '', /service=https/);
  });
});
