import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { file, run } from './cli-process.ts';
import { jsonText, sendWhole } from './http-client.ts';
import { serve } from './serve-process.ts';

describe('warpdrive serve --check-config', () => {
  it('exits 0 for a valid file and 78 for anything that serve would refuse', async () => {
    writeFileSync(file('good.toml'), '# comment\nport = 0\nmaxInput = "64KiB"\nidleTimeout = "30s"\n');
    const good = await run(['serve', '--check-config', '--config', 'good.toml']);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout.toString(), /valid/);
    writeFileSync(file('typo.toml'), 'maxInptu = 1\n');
    writeFileSync(file('syntax.toml'), 'port = \n');
    writeFileSync(file('open.toml'), 'host = "0.0.0.0"\n');
    writeFileSync(file('size.toml'), 'maxInput = "64 furlongs"\n');
    for (const [name, why] of [
      ['typo.toml', /did you mean maxInput\?/],
      ['syntax.toml', /syntax\.toml: .*TOML/],
      ['open.toml', /needs a token/],
      ['size.toml', /expected a size such as .*furlongs/],
      ['missing.toml', /ENOENT/],
    ] as const) {
      const refused = await run(['serve', '--check-config', '--config', name]);
      assert.equal(refused.code, 78, name);
      assert.match(refused.stderr, why);
    }
    assert.equal((await run(['serve', '--check-config', '--port', 'x'])).code, 78);
  });
});

describe('warpdrive serve --print-config', () => {
  it('shows where each value comes from and no secret', async () => {
    writeFileSync(file('c.toml'), 'queues = 4\nadminToken = "a-secret-of-the-file"\ndrainDelay = "2s"\n');
    const { code, stdout } = await run(
      ['serve', '--config', 'c.toml', '--port', '0', '--print-config'],
      undefined,
      { WARPDRIVE_LOG_LEVEL: 'warn' },
    );
    assert.equal(code, 0);
    const text = stdout.toString();
    assert.match(text, /^port +0 +--port$/m);
    assert.match(text, /^queues +4 +file$/m);
    assert.match(text, /^logLevel +"warn" +WARPDRIVE_LOG_LEVEL$/m);
    assert.match(text, /^drainDelay +"2s" +file$/m);
    assert.match(text, /^adminToken +\*\*\* +file$/m);
    assert.doesNotMatch(text, /a-secret/);
  });
});

describe('signals to warpdrive serve', () => {
  it('SIGHUP reads the log level again and survives a broken file', async () => {
    writeFileSync(file('level.toml'), 'logLevel = "info"\n');
    const { url, child, stderr } = await serve('--config', 'level.toml');
    await sendWhole(`${url}/v1/decompress`, jsonText(100));
    assert.doesNotMatch(stderr(), /request refused/);
    writeFileSync(file('level.toml'), 'logLevel = "debug"\n');
    child.kill('SIGHUP');
    while (!stderr().includes('log level read again')) await once(child.stderr!, 'data');
    await sendWhole(`${url}/v1/decompress`, jsonText(100));
    while (!stderr().includes('request refused')) await once(child.stderr!, 'data');
    writeFileSync(file('level.toml'), 'logLevel = "loud"\n');
    child.kill('SIGHUP');
    while (!stderr().includes('configuration not read again')) await once(child.stderr!, 'data');
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });

  it('SIGTERM turns /readyz to 503 and serves on for --drain-delay, each answer the last on its connection', async () => {
    const { url, child, result } = await serve('--drain-delay', '1500ms');
    const ready = await fetch(`${url}/readyz`);
    assert.equal(ready.status, 200);
    assert.deepEqual(Object.keys(((await ready.json()) as { checks: object }).checks), [
      'accepting',
      'device',
      'queues',
    ]);
    child.kill('SIGTERM');
    let probe = await fetch(`${url}/readyz`);
    while (probe.status === 200) {
      await delay(5);
      probe = await fetch(`${url}/readyz`);
    }
    const body = (await probe.json()) as { checks: Record<string, { ok: boolean; detail: string }> };
    assert.deepEqual(body.checks['accepting'], { ok: false, detail: 'shutting down' });
    assert.equal(probe.headers.get('retry-after'), '1');
    const answer = await sendWhole(`${url}/v1/compress`, jsonText(1000));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['connection'], 'close');
    assert.equal((await result).code, 0);
    await assert.rejects(fetch(`${url}/healthz`));
  });

  it('a second SIGTERM ends it at once: 1', async () => {
    const { child, result, stderr } = await serve('--drain-delay', '60s');
    child.kill('SIGTERM');
    while (!stderr().includes('leaving')) await once(child.stderr!, 'data');
    child.kill('SIGTERM');
    assert.equal((await result).code, 1);
  });
});
