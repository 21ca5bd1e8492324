import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { iova } from '../../shared/src/units.ts';
import { STATUS } from '../src/hw-abi/zip-sqe.ts';
import { jsonLines, noise } from './support/corpus.ts';
import { ZipClient } from './support/zip-client.ts';

const TEXT = jsonLines(20_000);
const HEADER_BYTES = 10;
const member = (): Buffer => Buffer.from(gzipSync(TEXT).subarray(HEADER_BYTES));
const flipped = (): Buffer => {
  const data = member();
  data[data.length - 8]! ^= 1;
  return data;
};

type Name = keyof typeof STATUS;
interface Way {
  how: string;
  /** @returns dw3[7:0] of the job that shows the code */
  show(client: ZipClient): number;
}

/** Codes that sound hardware has no way to: DIF is not modelled; a core that dies is worker-core.test.ts's. */
const injected = (name: 'sourceDif' | 'destinationDif' | 'coreFailure'): Way => ({
  how: 'by injection',
  show: (client) => {
    void client.host.view.admin?.injectFault({ kind: 'completion-error', status: STATUS[name], count: 1 });
    return client.run('compress', TEXT).status;
  },
});

/** Each code of hw-abi's table and the jobs that produce it, through a real queue. */
const WAYS: Record<Name, Way[]> = {
  ok: [
    { how: 'compress text', show: (client) => client.run('compress', TEXT).status },
    {
      how: 'decompress a stream that is not complete',
      show: (client) =>
        client.run('decompress', member().subarray(0, 500), { stream: client.newStream() }).status,
    },
  ],
  negativeCompression: [
    { how: 'compress noise', show: (client) => client.run('compress', noise(5000)).status },
    { how: 'compress nothing', show: (client) => client.run('compress', Buffer.alloc(0)).status },
  ],
  outputExhausted: [
    {
      how: 'compress into too little room, stateless',
      show: (client) => client.run('compress', noise(5000), { destinationBytes: 4000 }).status,
    },
    {
      how: 'decompress into too little room, stateless',
      show: (client) => client.run('decompress', member(), { destinationBytes: 4000 }).status,
    },
    {
      how: 'a stateful job with less than the 200 bytes that the engine needs',
      show: (client) =>
        client.run('compress', TEXT, { destinationBytes: 199, stream: client.newStream() }).status,
    },
  ],
  sourceDif: [injected('sourceDif')],
  destinationDif: [injected('destinationDif')],
  coreFailure: [injected('coreFailure')],
  checksum: [
    { how: 'decompress with a wrong CRC-32', show: (client) => client.run('decompress', flipped()).status },
    {
      how: 'decompress zlib with a wrong Adler-32',
      show: (client) =>
        client.run('decompress', Buffer.concat([deflateRawSync(TEXT), Buffer.from('00000001', 'hex')]), {
          format: 'zlib',
        }).status,
    },
  ],
  decompressionEnd: [
    { how: 'decompress a whole member', show: (client) => client.run('decompress', member()).status },
    {
      how: 'decompress raw DEFLATE',
      show: (client) => client.run('decompress', deflateRawSync(TEXT), { format: 'deflate' }).status,
    },
  ],
  badRequest: [
    {
      how: 'input of more than 8 MiB, by the raw word',
      show: (client) => client.raw({ inputDataLength: (8 << 20) + 1 }),
    },
    { how: 'a request type that the hardware has not', show: (client) => client.raw({ requestType: 0x43 }) },
    { how: 'a window code of 5', show: (client) => client.raw({ window: 5 }) },
    { how: 'a buffer type of 2', show: (client) => client.raw({ bufferType: 2 }) },
    { how: 'another generation’s SQE type', show: (client) => client.raw({ sqeType: 0 }) },
    { how: 'no room for output', show: (client) => client.raw({ destAvailOut: 0 }) },
    { how: 'a level of 10', show: (client) => client.raw({ level: 10 }) },
    { how: 'a DIF to generate', show: (client) => client.raw({ difGenerate: 1 }) },
    { how: 'a DIF to verify', show: (client) => client.raw({ difVerify: 1 }) },
    {
      how: 'a compress stream whose context was never written',
      show: (client) =>
        client.run('compress', TEXT, { stream: { ...client.newStream(), isNew: false } }).status,
    },
  ],
  corruptData: [
    {
      how: 'decompress a block of type 3',
      show: (client) => client.run('decompress', Buffer.from([0x07, 0, 0, 0, 0, 0, 0, 0, 0])).status,
    },
    {
      how: 'decompress a distance beyond the window of the SQE',
      show: (client) => {
        const far = Buffer.concat([TEXT.subarray(0, 300), noise(6000), TEXT.subarray(0, 300)]);
        const data = gzipSync(far, { level: 9 }).subarray(HEADER_BYTES);
        assert.equal(client.run('decompress', data).status, STATUS.decompressionEnd);
        return client.run('decompress', data, { windowBytes: 4096 }).status;
      },
    },
  ],
  busError: [
    { how: 'a source that is not mapped', show: (client) => client.raw({ sourceHigh: 0x7abc }) },
    { how: 'a destination that is not mapped', show: (client) => client.raw({ destinationHigh: 0x7abc }) },
    {
      how: 'a stream context that is not mapped',
      show: (client) => {
        const stream = { ...client.newStream(), context: iova(0x7abc_0000_0000) };
        return client.run('compress', TEXT, { stream }).status;
      },
    },
  ],
};

describe('status codes of dw3[7:0]', () => {
  let client: ZipClient;
  before(async () => {
    client = await ZipClient.open();
  });
  after(() => client.close());

  it('are all produced here', () => assert.deepEqual(Object.keys(WAYS).sort(), Object.keys(STATUS).sort()));

  for (const [name, ways] of Object.entries(WAYS) as [Name, Way[]][])
    for (const { how, show } of ways)
      it(`0x${STATUS[name].toString(16).padStart(2, '0')} ${name}: ${how}`, () => {
        assert.equal(show(client), STATUS[name]);
        assert.equal(client.run('compress', TEXT).status, STATUS.ok, 'the queue goes on');
      });

  it('0x0e leaves a stream as it was: the same job with more room goes through', () => {
    const stream = client.newStream();
    const first = client.run('compress', TEXT.subarray(0, 9000), { stream, isFinal: false });
    const refused = client.run('compress', TEXT.subarray(9000), { stream, destinationBytes: 100 });
    assert.deepEqual([refused.outcome, refused.consumed, refused.produced], ['output-exhausted', 0, 0]);
    const again = client.run('compress', TEXT.subarray(9000), { stream });
    const back = client.run('decompress', Buffer.concat([first.output, again.output]));
    assert.equal(back.outcome, 'end');
    assert.ok(back.output.equals(TEXT));
  });
});
