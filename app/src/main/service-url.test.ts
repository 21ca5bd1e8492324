import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serviceOrigins } from './service-url.ts';

describe('serviceOrigins', () => {
  it('takes the flag, else leaves the choice to the page', () => {
    assert.deepEqual(serviceOrigins(['.', '--service=http://localhost:1/x']), {
      origins: ['http://localhost:1'],
    });
    assert.deepEqual(serviceOrigins(['.']), { origins: [] });
  });
  it('takes several, each once', () => {
    const flags = ['--service=http://localhost:1', '--service=https://b', '--service=http://localhost:1/y'];
    assert.deepEqual(serviceOrigins(flags), { origins: ['http://localhost:1', 'https://b'] });
  });
  it('wants https for a service on another machine', () => {
    assert.deepEqual(serviceOrigins(['--service=https://zip.example']), { origins: ['https://zip.example'] });
    for (const text of ['http://zip.example', 'http://127.0.0.1.example', 'file:///x', 'nonsense']) {
      assert.ok('refused' in serviceOrigins([`--service=${text}`]), text);
    }
  });
});
