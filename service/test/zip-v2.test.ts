import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { jsonLines, noise } from './support/corpus.ts';
import { withCode } from './support/errors.ts';
import { through } from './support/hosts.ts';
import { ZipClient } from './support/zip-client.ts';

const TEXT = jsonLines(50_000);

describe('a host of hardware V2', () => {
  let client: ZipClient;
  before(async () => {
    client = await ZipClient.open({ hardware: 'v2' });
  });
  after(() => client.close());

  it('says so in the device list, the UACCE API and the algorithms', () => {
    const [device] = client.host.kernel.devices();
    assert.equal(device?.hardware, 'zip-v2');
    assert.equal(client.host.kernel.uacce.api, 'hisi_qm_v2');
  });
  it('compresses and decompresses through the same driver, by SQEs of type 0 with the tag in dw13', () => {
    const done = client.run('compress', TEXT);
    assert.equal(done.outcome, 'ok');
    assert.equal(done.core, 'wasm');
    const sqe = client.lastSqe('compress');
    assert.equal((sqe[7] ?? 0) >>> 28, 0);
    assert.notEqual(sqe[13], 0);
    assert.ok(
      gunzipSync(Buffer.concat([Buffer.from('1f8b08000000000000ff', 'hex'), done.output])).equals(TEXT),
    );
    for (let job = 0; job < 300; job++)
      assert.equal(client.run('compress', TEXT.subarray(job)).outcome, 'ok');
    const back = client.run('decompress', done.output);
    assert.equal(back.outcome, 'end');
    assert.ok(back.output.equals(TEXT));
  });
  it('keeps streams in both directions, and takes scatter lists', () => {
    const stream = client.newStream();
    const parts = [0, 1, 2, 3, 4].map(
      (i) =>
        client.run('compress', TEXT.subarray(i * 10_000, (i + 1) * 10_000), {
          format: 'zlib',
          stream,
          isFinal: i === 4,
          pieces: 1 + i,
        }).output,
    );
    assert.ok(inflateSync(Buffer.concat([Buffer.from('789c', 'hex'), ...parts])).equals(TEXT));
  });
  it('answers errors with the same codes', () => {
    assert.equal(client.run('compress', noise(5000), { destinationBytes: 4000 }).status, 0x0e);
    assert.equal(client.run('compress', noise(5000)).status, 0x0d);
    assert.equal(client.run('decompress', noise(5000)).outcome === 'end', false);
    const wrong = Buffer.from(gzipSync(TEXT).subarray(10));
    wrong[wrong.length - 8]! ^= 1;
    assert.equal(client.run('decompress', wrong).status, 0x10);
    assert.equal(client.raw({ sourceHigh: 0x7abc }), 0x41);
  });
  it('refuses raw DEFLATE and SQEs of type 3', () => {
    assert.equal(client.run('compress', TEXT, { format: 'deflate' }).status, 0x02);
    assert.equal(client.raw({ sqeType: 3 }), 0x02);
  });
  it('serves every format through the codec; software inflates raw DEFLATE and says why', async () => {
    const { codec } = client.host;
    for (const [format, inflate, deflate] of [
      ['gzip', gunzipSync, gzipSync],
      ['deflate', inflateRawSync, deflateRawSync],
    ] as const) {
      const packed = await through(codec.compressStream({ format, level: 6 }), [TEXT]);
      assert.ok(inflate(packed).equals(TEXT));
      const stream = codec.decompressStream({ format });
      assert.ok((await through(stream, [deflate(TEXT)])).equals(TEXT));
      const reason = format === 'deflate' ? 'the device has no deflate' : undefined;
      assert.equal(stream.result().fallbackReason, reason);
    }
    await assert.rejects(
      through(codec.decompressStream({ format: 'auto' }), [deflateRawSync(TEXT)]),
      withCode('WD_E_EINVAL', /no deflate/),
    );
  });
});
