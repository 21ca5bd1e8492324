import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endpointOf, endpointsOf, linkTo } from './endpoint.ts';

const origins = (href: string) => endpointsOf(href).map(({ httpOrigin }) => httpOrigin);

describe('endpointsOf', () => {
  it('takes the services of the query, each once, else the one that served the page', () => {
    assert.deepEqual(origins('http://a:1/monitor/'), ['http://a:1']);
    assert.deepEqual(
      origins('http://a:1/monitor/?service=http://b:2&service=https://c&service=http://b:2/x'),
      ['http://b:2', 'https://c'],
    );
    assert.equal(endpointsOf('https://a/monitor/')[0]?.monitorUrl, 'wss://a/v1/monitor');
  });
  it('falls back to the default address for pages that no service served', () => {
    assert.deepEqual(origins('warpdrive://monitor/index.html'), ['http://127.0.0.1:8080']);
    assert.deepEqual(origins('file:///index.html?service=ftp://a'), ['http://127.0.0.1:8080']);
  });
});

describe('endpointOf', () => {
  it('reads what a person types and refuses what is no service', () => {
    assert.equal(endpointOf(' 10.0.0.5:8080 ')?.httpOrigin, 'http://10.0.0.5:8080');
    assert.equal(endpointOf('https://zip.example/monitor/')?.label, 'zip.example');
    for (const text of ['', 'ftp://a', 'http://', 'http://u:p@a', 'a b'])
      assert.equal(endpointOf(text), undefined, text);
  });
});

describe('linkTo', () => {
  it('keeps the rest of the address', () => {
    const endpoints = endpointsOf('http://a:1/?service=http://b:2');
    assert.equal(
      linkTo('http://a:1/monitor/?view=queues&service=http://x', endpoints),
      'http://a:1/monitor/?view=queues&service=http%3A%2F%2Fb%3A2',
    );
  });
});
