import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORMATS } from '../../shared/src/format.ts';
import { jsonText, send, sendWhole, slices } from './http-client.ts';
import { encoders } from './http-oracle.ts';
import { eventually } from './http-service.ts';
import { serviceOnStack } from './http-setups.ts';

const MIB = 1024 * 1024;
const small = jsonText(5000);
const large = jsonText(3 * MIB + 17);

const { service, compressUrl, inFlight } = await serviceOnStack();

describe('POST /v1/decompress', () => {
  for (const format of FORMATS)
    it(`undoes ${format}, named and detected, in every chunking`, async () => {
      for (const body of [Buffer.alloc(0), Buffer.from('x'), small, large])
        for (const chunkBytes of [1, 1000, MIB]) {
          const product = encoders[format](body);
          if (product.length / chunkBytes > 20_000) continue;
          for (const name of [format, 'auto']) {
            const url = `${service.url}/v1/decompress?format=${name}`;
            const answer = await send(url, { chunks: slices(product, chunkBytes) });
            assert.equal(answer.status, 200, answer.body.subarray(0, 500).toString());
            assert.ok(answer.complete && answer.body.equals(body), `${body.length} bytes by ${chunkBytes}`);
            assert.equal(answer.headers['content-type'], 'application/octet-stream');
          }
        }
    });

  it('gives back what /v1/compress made', async () => {
    for (const format of FORMATS) {
      const product = await sendWhole(compressUrl(format, 6), large);
      const answer = await sendWhole(`${service.url}/v1/decompress?format=${format}`, product.body);
      assert.ok(answer.body.equals(large), format);
    }
  });

  it('decodes all members of a gzip file', async () => {
    const members = Buffer.concat([
      encoders.gzip(small),
      encoders.gzip(large),
      encoders.gzip(Buffer.alloc(0)),
    ]);
    const answer = await sendWhole(`${service.url}/v1/decompress`, members);
    assert.ok(answer.body.equals(Buffer.concat([small, large])));
  });

  it('answers 422 to corrupt and truncated small files', async () => {
    const product = encoders.gzip(small);
    for (const [flip, code] of [
      [0, 'WD_E_INPUT_CORRUPT'],
      [product.length - 6, 'WD_E_INPUT_CORRUPT'],
      [product.length - 2, 'WD_E_INPUT_CORRUPT'],
    ] as const) {
      const corrupt = Buffer.from(product);
      corrupt[flip]! ^= 0x55;
      const answer = await sendWhole(`${service.url}/v1/decompress?format=gzip`, corrupt);
      assert.equal(answer.status, 422, `byte ${flip}`);
      assert.equal((JSON.parse(answer.body.toString()) as { code: string }).code, code);
    }
    const short = await sendWhole(`${service.url}/v1/decompress?format=gzip`, product.subarray(0, -3));
    assert.equal(short.status, 422);
    assert.equal((JSON.parse(short.body.toString()) as { code: string }).code, 'WD_E_INPUT_TRUNCATED');
  });

  it('never finishes a response whose input turns out to be corrupt', async () => {
    const product = Buffer.from(encoders.gzip(large));
    product[product.length - 6]! ^= 0x55;
    const answer = await send(`${service.url}/v1/decompress`, { chunks: slices(product, 10_000) });
    assert.equal(answer.status === 422 || !answer.complete, true);
    await eventually(() => inFlight() === 0, 'all jobs ended');
  });
});
