import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serviceOrigin } from './service-url.ts';

describe('serviceOrigin', () => {
  it('takes the flag, else the default address', () => {
    assert.deepEqual(serviceOrigin(['.', '--service=http://localhost:1/x']), {
      origin: 'http://localhost:1',
    });
    assert.deepEqual(serviceOrigin(['.']), { origin: 'http://127.0.0.1:8080' });
  });
  it('wants https for a service on another machine', () => {
    assert.deepEqual(serviceOrigin(['--service=https://zip.example']), { origin: 'https://zip.example' });
    for (const text of ['http://zip.example', 'http://127.0.0.1.example', 'file:///x', 'nonsense']) {
      assert.ok('refused' in serviceOrigin([`--service=${text}`]), text);
    }
  });
});
