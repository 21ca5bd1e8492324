import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Host } from '../src/host.ts';
import { createHost } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';

const OPTIONS = { mode: 'sva', core: 'wasm', cores: 1, queues: 4 } as const;
const TEXT = Buffer.from('one line after another, and none of them lost\n'.repeat(40_000));

async function compress(host: Host, body: Buffer) {
  const stream = host.codec.compressStream({ format: 'gzip', level: 1 });
  stream.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { plain: gunzipSync(Buffer.concat(chunks)), result: stream.result() };
}

async function decompress(host: Host, body: Buffer) {
  const stream = host.codec.decompressStream({ format: 'auto' });
  stream.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { plain: Buffer.concat(chunks), result: stream.result() };
}

function adminOf(host: Host) {
  const { admin } = host.view;
  assert.ok(admin);
  return admin;
}

describe('H1 a controller reset', () => {
  it('costs streams that are running no byte: the queues are opened again and the jobs repeated', async () => {
    const host = await createHost(OPTIONS, silentLog);
    const running = Array.from({ length: 4 }, () => compress(host, TEXT));
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await adminOf(host).hardwareError();
    }
    for (const { plain } of await Promise.all(running)) assert.ok(plain.equals(TEXT));
    assert.equal((await compress(host, TEXT)).result.fallbackReason, undefined);
    await host.close();
  });
});

describe('5.11 the isolation strategy', () => {
  it('takes the device out after as many errors as it allows; software takes over and says why', async () => {
    const host = await createHost(OPTIONS, silentLog);
    host.view.sysfs?.write('/sys/class/uacce/hisi_zip-0/isolate_strategy', '2', true);
    assert.equal(await adminOf(host).hardwareError(), false);
    assert.equal(await adminOf(host).hardwareError(), true);
    assert.equal(host.view.devices()[0]?.isolated, true);
    assert.equal(host.view.sysfs?.read('/sys/class/uacce/hisi_zip-0/isolate', false).trim(), '1');
    const { plain, result } = await compress(host, TEXT);
    assert.ok(plain.equals(TEXT));
    assert.equal(result.core, 'zlib');
    assert.equal(result.fallbackReason, 'device isolated');
    const once = await host.codec.compressOnce([TEXT.subarray(0, 2000)], { format: 'gzip', level: 1 });
    assert.deepEqual(gunzipSync(Buffer.concat(once.chunks)), TEXT.subarray(0, 2000));
    assert.equal(once.result.fallbackReason, 'device isolated');
    const back = await decompress(host, gzipSync(TEXT));
    assert.ok(back.plain.equals(TEXT));
    assert.equal(back.result.fallbackReason, 'device isolated');
    await host.close();
  });
  it('is reversed by a reload of the driver', async () => {
    const host = await createHost(OPTIONS, silentLog);
    host.view.sysfs?.write('/sys/class/uacce/hisi_zip-0/isolate_strategy', '1', true);
    assert.equal(await adminOf(host).hardwareError(), true);
    await adminOf(host).reloadDriver();
    assert.equal(host.view.devices()[0]?.isolated, false);
    const { plain, result } = await compress(host, TEXT);
    assert.ok(plain.equals(TEXT));
    assert.equal(result.fallbackReason, undefined);
    await host.close();
  });
  it('fails requests visibly where software is not allowed', async () => {
    const host = await createHost({ ...OPTIONS, fallback: 'never' }, silentLog);
    host.view.sysfs?.write('/sys/class/uacce/hisi_zip-0/isolate_strategy', '1', true);
    await adminOf(host).hardwareError();
    await assert.rejects(compress(host, TEXT), { code: 'WD_E_NO_QUEUE' });
    await host.close();
  });
});
