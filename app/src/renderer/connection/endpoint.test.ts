import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endpointOf } from './endpoint.ts';

describe('endpointOf', () => {
  it('takes the service that served the page', () => {
    assert.deepEqual(endpointOf('http://127.0.0.1:9000/monitor/'), {
      httpOrigin: 'http://127.0.0.1:9000',
      monitorUrl: 'ws://127.0.0.1:9000/v1/monitor',
      label: '127.0.0.1:9000',
    });
  });
  it('prefers the service that the address names, with wss for https', () => {
    const { monitorUrl } = endpointOf('http://127.0.0.1:9000/monitor/?service=https%3A%2F%2Fzip.example');
    assert.equal(monitorUrl, 'wss://zip.example/v1/monitor');
  });
  it('falls back to the default address for the page of the app', () => {
    assert.equal(endpointOf('warpdrive://monitor/index.html').label, '127.0.0.1:8080');
  });
  it('ignores a service address that is not http', () => {
    assert.equal(endpointOf('http://127.0.0.1:9000/?service=javascript:alert(1)').label, '127.0.0.1:9000');
  });
});
