import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { crc32, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { FORMATS, type Format } from '../../shared/src/format.ts';
import { CORE_NAMES } from '../../shared/src/telemetry.ts';
import type { JobBuffer } from '../src/codec/codec.ts';
import type { Host } from '../src/host.ts';
import { adler32 } from '../src/platform/adler32.ts';
import { jsonLines, mixed, noise } from './support/corpus.ts';
import { withCode } from './support/errors.ts';
import { libraryOf, openHost, openHostIfPresent } from './support/hosts.ts';

const INLINE_BYTES = 4 * 1024;
const LARGE_BYTES = 300 * 1024;
const MIB = 1024 * 1024;
const GZIP_1 = { format: 'gzip', level: 1 } as const;

const DECODERS: Record<Format, (data: Uint8Array) => Buffer> = {
  gzip: gunzipSync,
  zlib: inflateSync,
  deflate: inflateRawSync,
};

const heldBytes = (host: Host): number => libraryOf(host).buffers.heldBytes;

function fill(buffer: JobBuffer, body: Uint8Array): number {
  buffer.input.set(body);
  return body.length;
}

for (const core of CORE_NAMES)
  describe(`JobBuffer.compress on core ${core}`, () => {
    let host: Host | undefined;
    before(async () => {
      host = await openHostIfPresent(core, { cores: 1, inlineBytes: INLINE_BYTES });
    });
    after(() => host?.close());

    it('makes a whole member of each format, job after job, polled or in a thread', async (t) => {
      if (!host) return t.skip('no library');
      const buffer = host.codec.openJobBuffer(LARGE_BYTES);
      for (const format of FORMATS)
        for (const level of [1, 6])
          for (const body of [mixed(0), mixed(1), jsonLines(INLINE_BYTES), mixed(9999), noise(LARGE_BYTES)]) {
            const member = await buffer.compress(fill(buffer, body), { format, level });
            assert.ok(DECODERS[format](member.bytes).equals(body), `${format} ${level} ${body.length}`);
            const sum = format === 'zlib' ? adler32(body) : crc32(body);
            assert.deepEqual([member.checksum, member.fallbackReason], [sum, undefined]);
          }
      buffer.close();
      assert.equal(heldBytes(host), 0);
    });
  });

describe('JobBuffer.compress', () => {
  let host: Host;
  before(async () => {
    host = await openHost({ cores: 1, inlineBytes: INLINE_BYTES });
  });
  after(() => host.close());

  it('makes what compressOnce makes, and leaves it and the input in the memory of the accelerator', async () => {
    const body = jsonLines(LARGE_BYTES / 2);
    const buffer = host.codec.openJobBuffer(LARGE_BYTES);
    const { bytes } = await buffer.compress(fill(buffer, body), GZIP_1);
    const { chunks } = await host.codec.compressOnce([body], GZIP_1);
    assert.ok(Buffer.concat(chunks).equals(bytes));
    assert.ok(Buffer.from(buffer.input.subarray(0, body.length)).equals(body));
    assert.equal(bytes.buffer, buffer.input.buffer);
    buffer.close();
  });
  it('returns the member itself of a job that a polled core made, once the memory was touched', async () => {
    const buffer = host.codec.openJobBuffer(INLINE_BYTES);
    const bytes = fill(buffer, jsonLines(INLINE_BYTES));
    await buffer.compress(bytes, GZIP_1);
    const member = buffer.compress(bytes, GZIP_1);
    assert.ok(!(member instanceof Promise));
    assert.equal(gunzipSync(member.bytes).length, INLINE_BYTES);
    buffer.close();
  });
  it('refuses a second job while one runs, more bytes than there are, and any job after close', async () => {
    const buffer = host.codec.openJobBuffer(LARGE_BYTES);
    const running = buffer.compress(fill(buffer, mixed(LARGE_BYTES)), GZIP_1);
    assert.throws(() => buffer.compress(1, GZIP_1), withCode('WD_E_EBUSY'));
    await running;
    for (const bytes of [LARGE_BYTES + 1, -1, 1.5, Number.NaN])
      assert.throws(() => buffer.compress(bytes, GZIP_1), withCode('WD_E_EINVAL'));
    buffer.close();
    assert.throws(() => buffer.compress(1, GZIP_1), withCode('WD_E_ABORTED'));
  });
  it('frees the memory of a buffer that is closed under its job when the job is over', async () => {
    const buffer = host.codec.openJobBuffer(LARGE_BYTES);
    const body = mixed(LARGE_BYTES);
    const running = buffer.compress(fill(buffer, body), GZIP_1);
    buffer.close();
    assert.ok(heldBytes(host) > 0);
    const member = await running;
    assert.equal(member.core, 'wasm');
    assert.equal(heldBytes(host), 0);
    buffer.close();
    assert.equal(heldBytes(host), 0);
  });
  it('repeats a job that a reset took away, from the same memory', async () => {
    const buffer = host.codec.openJobBuffer(LARGE_BYTES);
    const body = mixed(LARGE_BYTES);
    for (let i = 0; i < 3; i++) {
      const running = buffer.compress(fill(buffer, body), GZIP_1);
      await host.view.admin?.hardwareError();
      const { bytes, fallbackReason } = await running;
      assert.equal(fallbackReason, undefined);
      assert.ok(gunzipSync(bytes).equals(body));
    }
    buffer.close();
    assert.equal(heldBytes(host), 0);
  });
  it('lets software make the member where the device is gone, and says why', async () => {
    const lost = await openHost({});
    lost.view.sysfs?.write('/sys/class/uacce/hisi_zip-0/isolate_strategy', '1', true);
    const buffer = lost.codec.openJobBuffer(1000);
    await lost.view.admin?.hardwareError();
    const body = jsonLines(1000);
    const { bytes, core, fallbackReason } = await buffer.compress(fill(buffer, body), GZIP_1);
    assert.ok(gunzipSync(bytes).equals(body));
    assert.deepEqual([core, fallbackReason], ['zlib', 'device isolated']);
    await lost.close();
  });
});

describe('openJobBuffer', () => {
  it('takes 1 byte to 4 MiB, and gives no more than its bound to all clients together', async () => {
    const host = await openHost({});
    const { codec } = host;
    for (const bytes of [0, 4 * MIB + 1, 0.5, Number.NaN])
      assert.throws(() => codec.openJobBuffer(bytes), withCode('WD_E_EINVAL'));
    const open: JobBuffer[] = [];
    assert.throws(() => {
      for (;;) open.push(codec.openJobBuffer(4 * MIB));
    }, withCode('WD_E_NO_MEMORY'));
    assert.equal(open.length, 15);
    open.pop()?.close();
    const again = codec.openJobBuffer(4 * MIB);
    for (const buffer of [again, ...open]) buffer.close();
    assert.equal(heldBytes(host), 0);
    await host.close();
  });
  it('leaves nothing to free when the host closes under its owners', async () => {
    const host = await openHost({ cores: 1, inlineBytes: INLINE_BYTES });
    const buffer = host.codec.openJobBuffer(LARGE_BYTES);
    const running = buffer.compress(fill(buffer, mixed(LARGE_BYTES)), GZIP_1);
    const ended = Promise.resolve(running).then(
      () => 'made',
      () => 'failed',
    );
    await host.close();
    assert.match(await ended, /made|failed/);
    buffer.close();
  });
});
