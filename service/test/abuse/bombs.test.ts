/** Decompression bombs: flat, nested, of many members; at each limit and one byte over. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import type { StreamServerMessage } from '../../../shared/src/stream-protocol.ts';
import { STREAM_PROTOCOL } from '../../../shared/src/telemetry.ts';
import { createHost } from '../../src/host.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { RunningService } from '../../src/service.ts';
import { send, sendWhole, slices } from '../http-client.ts';
import { serviceOn } from '../http-service.ts';

const MIB = 1024 * 1024;
const LIMIT = 8 * MIB;
const zeros = (bytes: number) => gzipSync(Buffer.alloc(bytes), { level: 9 });

const open: RunningService[] = [];
async function limited(options: Record<string, unknown>): Promise<string> {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  const service = await serviceOn(host, options);
  open.push(service);
  return service.url;
}
after(() => Promise.all(open.map((service) => service.stop())));

const record = (bytes: Buffer) => JSON.parse(bytes.toString()) as Record<string, unknown>;

/** What became of it, told by the answer or, when it had begun, by its record. */
async function refusalOf(
  url: string,
  body: Uint8Array,
): Promise<{ problem: Record<string, unknown>; bytes: number }> {
  const answer = await send(`${url}/v1/decompress`, { chunks: slices(body, 4096) });
  if (answer.status !== 200) return { problem: record(answer.body), bytes: 0 };
  assert.equal(answer.complete, false, 'the answer was finished');
  const job = await send(`${url}/v1/jobs/${String(answer.headers['wd-job'])}`, { method: 'GET' });
  return { problem: record(job.body)['problem'] as Record<string, unknown>, bytes: answer.body.length };
}

describe('a flat bomb of 1000:1', () => {
  it('passes at --max-output and is refused one byte over, by name and before a byte more comes out', async () => {
    const url = await limited({ maxOutput: LIMIT });
    const fits = await sendWhole(`${url}/v1/decompress`, zeros(LIMIT));
    assert.deepEqual([fits.status, fits.complete, fits.body.length], [200, true, LIMIT]);
    const over = await refusalOf(url, zeros(LIMIT + 1));
    assert.equal(over.problem['code'], 'WD_E_LIMIT_OUTPUT');
    assert.match(String(over.problem['detail']), new RegExp(`\\b${LIMIT}\\b`));
    assert.ok(over.bytes <= LIMIT, `${over.bytes} bytes came`);
    const huge = await refusalOf(url, zeros(100 * MIB));
    assert.ok(huge.bytes <= LIMIT);
  });

  it('is refused by --max-ratio, which the answer names', async () => {
    const url = await limited({ maxRatio: 200 });
    const { problem, bytes } = await refusalOf(url, zeros(100 * MIB));
    assert.equal(problem['code'], 'WD_E_LIMIT_RATIO');
    assert.match(String(problem['detail']), /\b200\b/);
    assert.ok(bytes <= LIMIT, `${bytes} bytes came`);
  });
});

describe('a bomb of many members', () => {
  it('counts as one answer', async () => {
    const url = await limited({ maxOutput: LIMIT });
    const member = zeros(MIB);
    const exact = await sendWhole(`${url}/v1/decompress`, Buffer.concat(Array<Buffer>(8).fill(member)));
    assert.equal(exact.body.length, LIMIT);
    const { problem } = await refusalOf(url, Buffer.concat(Array<Buffer>(9).fill(member)));
    assert.equal(problem['code'], 'WD_E_LIMIT_OUTPUT');
  });
});

describe('a nested bomb', () => {
  it('has one layer undone and no more', async () => {
    const url = await limited({ maxOutput: LIMIT });
    const inner = zeros(100 * MIB);
    const answer = await sendWhole(`${url}/v1/decompress`, gzipSync(inner));
    assert.ok(answer.body.equals(inner));
    const coded = await sendWhole(`${url}/v1/decompress`, gzipSync(inner), {
      'Content-Encoding': 'gzip, gzip',
    });
    assert.equal(coded.status, 415);
  });
});

describe('a bomb over a WebSocket', () => {
  it('ends with 4413 and the limit', async () => {
    const url = await limited({ maxOutput: LIMIT });
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/stream?op=decompress`, STREAM_PROTOCOL);
    let bytes = 0;
    let problem: Record<string, unknown> = {};
    ws.on('message', (data: Buffer, isBinary) => {
      if (isBinary) bytes += data.length;
      else {
        const message = JSON.parse(data.toString()) as StreamServerMessage;
        if (message.type === 'error') problem = message.problem as unknown as Record<string, unknown>;
      }
    });
    await once(ws, 'open');
    ws.send(zeros(100 * MIB));
    assert.equal((await once(ws, 'close'))[0], 4413);
    assert.equal(problem['limitBytes'], LIMIT);
    assert.ok(bytes <= LIMIT);
  });
});
