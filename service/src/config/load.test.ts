import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfig } from './load.ts';
import { printConfig } from './print.ts';

const folder = mkdtempSync(join(tmpdir(), 'warpdrive-config-'));
after(() => rmSync(folder, { recursive: true }));

function configFile(content: unknown): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe('loadConfig', () => {
  it('listens on loopback port 8080 unless told otherwise', () => {
    const { config, origins } = loadConfig({ flags: {}, env: {} });
    assert.equal(config.host, '127.0.0.1');
    assert.equal(config.port, 8080);
    assert.equal(origins.port, 'default');
  });

  it('lets flags win over the environment and the environment over the file', () => {
    const file = configFile({ port: 1, queues: 2, maxInput: '1KiB', idleTimeout: 5 });
    const env = { WARPDRIVE_PORT: '10', WARPDRIVE_QUEUES: '20', WARPDRIVE_RUN_DIR: '/run/x', PATH: '/bin' };
    const { config, origins } = loadConfig({ flags: { port: '100' }, env, file });
    assert.deepEqual(
      [config.port, config.queues, config.maxInput, config.idleTimeout],
      [100, 20, 1024, 5000],
    );
    assert.deepEqual([origins.port, origins.queues, origins.maxInput], ['flag', 'environment', 'file']);
  });

  it('takes the file that WARPDRIVE_CONFIG names', () => {
    const { config } = loadConfig({ flags: {}, env: { WARPDRIVE_CONFIG: configFile({ core: 'zlib' }) } });
    assert.equal(config.core, 'zlib');
  });

  it('says where a file is no TOML or no JSON, and never what stands there', () => {
    for (const [name, text] of [
      ['broken.toml', 'port = 0\nadminToken = "a-secret-token\n'],
      ['broken.json', '{"adminToken": "a-secret-token" oops'],
    ] as const) {
      writeFileSync(join(folder, name), text);
      assert.throws(
        () => loadConfig({ flags: {}, env: {}, file: join(folder, name) }),
        (error: Error) => error.message.includes(name) && !error.message.includes('secret'),
      );
    }
  });

  it('reads TOML, and JSON by its suffix', () => {
    const path = join(folder, 'config.toml');
    writeFileSync(path, 'port = 9\nmaxOutput = "1GiB"\nallowOrigin = ["http://a", "http://b"]\n');
    const { config } = loadConfig({ flags: {}, env: {}, file: path });
    assert.deepEqual([config.port, config.maxOutput], [9, 2 ** 30]);
    assert.deepEqual(config.allowOrigin, ['http://a', 'http://b']);
    writeFileSync(path, 'port = 9\n[limits]\n');
    assert.throws(() => loadConfig({ flags: {}, env: {}, file: path }), /unknown key .* limits/);
  });

  it('refuses an unknown key with a suggestion', () => {
    const file = configFile({ maxInpt: 1 });
    assert.throws(() => loadConfig({ flags: {}, env: {}, file }), /maxInpt; did you mean maxInput\?/);
    assert.throws(
      () => loadConfig({ flags: {}, env: { WARPDRIVE_PROT: '1' } }),
      /WARPDRIVE_PROT; did you mean WARPDRIVE_PORT\?/,
    );
    assert.throws(
      () => loadConfig({ flags: {}, env: { WARPDRIVE_FOO: '1' } }),
      /WARPDRIVE_FOO; known are WARPDRIVE_\w+, /,
    );
  });

  it('names option, reason and value of a bad setting', () => {
    assert.throws(
      () => loadConfig({ flags: { port: 'x' }, env: {} }),
      /--port: expected a whole number, .*"x"/,
    );
    assert.throws(() => loadConfig({ flags: {}, env: { WARPDRIVE_MODE: 'y' } }), /WARPDRIVE_MODE: .*"y"/);
    assert.throws(() => loadConfig({ flags: { workers: '0' }, env: {} }), /--workers: .*"0"/);
  });

  it('takes times that a timer can wait, and none beyond', () => {
    assert.equal(loadConfig({ flags: { maxTime: '596h' }, env: {} }).config.maxTime, 596 * 3_600_000);
    assert.throws(() => loadConfig({ flags: { maxTime: '597h' }, env: {} }), {
      message: '--max-time: expected at most 596h, got "597h"',
    });
  });
  it('keeps a secret out of its own error', () => {
    assert.throws(
      () => loadConfig({ flags: { adminToken: 'short' }, env: {} }),
      (error: Error) => /--admin-token/.test(error.message) && !error.message.includes('short'),
    );
  });
});

describe('printConfig', () => {
  it('shows every value with its origin and masks secrets', () => {
    const text = printConfig(
      loadConfig({ flags: { adminToken: 'very-secret' }, env: { WARPDRIVE_PORT: '0' } }),
    );
    assert.match(text, /^port +0 +WARPDRIVE_PORT$/m);
    assert.match(text, /^adminToken +\*\*\* +--admin-token$/m);
    assert.doesNotMatch(text, /very-secret/);
  });
});
