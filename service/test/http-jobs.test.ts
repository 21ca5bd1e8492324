import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { JobRecord } from '../../shared/src/job.ts';
import { createHost } from '../src/host.ts';
import type { Log } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, rawConnection, send, sendWhole, slices } from './http-client.ts';
import { crc32Of } from './http-oracle.ts';
import { eventually, serviceOn } from './http-service.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const small = jsonText(5000);
const large = jsonText(1_500_000);
let service: RunningService;
const logged: Record<string, unknown>[] = [];
const keep = (details: object, message: string) => void logged.push({ ...details, message });
const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };

before(async () => {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, log);
  service = await serviceOn(host, {}, log);
});
after(() => service.stop());

async function jobOf(id: unknown): Promise<JobRecord> {
  const answer = await send(`${service.url}/v1/jobs/${String(id)}`, { method: 'GET' });
  assert.equal(answer.status, 200);
  return JSON.parse(answer.body.toString()) as JobRecord;
}

describe('the record of a job', () => {
  it('has the figures that the answer had, streamed or whole', async () => {
    for (const body of [small, large])
      for (const level of [1, 6]) {
        const answer = await sendWhole(`${service.url}/v1/compress?level=${level}`, body);
        const record = await jobOf(answer.headers['wd-job']);
        const figures = body === small ? answer.headers : answer.trailers;
        assert.deepEqual(
          [record.op, record.format, record.level, record.state, record.status],
          ['compress', 'gzip', level, 'done', 200],
        );
        assert.deepEqual([record.bytesIn, record.bytesOut], [body.length, answer.body.length]);
        assert.deepEqual([record.crc32, figures['wd-crc32']], [crc32Of(body), crc32Of(body)]);
        assert.equal(record.core, figures['wd-core']);
        assert.equal(answer.headers['wd-core'], record.core, 'named before the end as it turned out');
        assert.equal(answer.headers['wd-level'], String(level));
      }
  });

  it('is announced as trailers', async () => {
    const { headers } = await sendWhole(`${service.url}/v1/compress`, large);
    assert.equal(
      headers['trailer'],
      'Wd-Input-Bytes, Wd-Output-Bytes, Wd-Crc32, Wd-Core, Wd-Retries, Wd-Fallback-Reason',
    );
  });

  it('says why a request failed, and that a client left', async () => {
    const corrupt = await sendWhole(`${service.url}/v1/decompress?format=gzip`, small);
    const failed = await jobOf(corrupt.headers['wd-job']);
    assert.deepEqual([failed.state, failed.status], ['failed', 422]);
    assert.equal(failed.problem?.code, 'WD_E_INPUT_CORRUPT');

    const product = gzipSync(large);
    const broken = await send(`${service.url}/v1/decompress`, {
      chunks: slices(product.subarray(0, -1000), 20_000),
    });
    assert.equal(broken.complete, false);
    const cut = await jobOf(broken.headers['wd-job']);
    assert.deepEqual([cut.state, cut.problem?.code], ['failed', 'WD_E_INPUT_TRUNCATED']);

    const head = `POST /v1/decompress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${product.length}\r\n\r\n`;
    const socket = await rawConnection(service.url, head);
    socket.write(product.subarray(0, -1000));
    const [first] = (await once(socket, 'data')) as [Buffer];
    const id = /^wd-job: (.*)\r$/im.exec(first.toString('latin1'))?.[1];
    const running = await jobOf(id);
    assert.deepEqual([running.state, running.status], ['running', undefined]);
    assert.ok(running.bytesIn > 0);
    socket.destroy();
    await eventually(
      () => logged.some(({ message, job }) => message === 'client left' && job === id),
      'it left',
    );
    assert.deepEqual([(await jobOf(id)).state, (await jobOf(id)).status], ['aborted', 499]);
  });

  it('is 404 for ids that are unknown', async () => {
    const answer = await send(`${service.url}/v1/jobs/nope`, { method: 'GET' });
    assert.equal(answer.status, 404);
  });
});

describe('request ids and traces', () => {
  it('lead from the answer to the record and the log', async () => {
    const answer = await sendWhole(`${service.url}/v1/compress`, small, {
      'X-Request-Id': 'order-66',
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
    });
    const record = await jobOf(answer.headers['wd-job']);
    assert.deepEqual([record.requestId, record.traceId], ['order-66', TRACE]);
    const line = logged.find(({ reqId }) => reqId === 'order-66');
    assert.deepEqual([line?.['traceId'], line?.['spanId']], [TRACE, '00f067aa0ba902b7']);
  });

  it('leave a malformed traceparent out', async () => {
    const zero = `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`;
    for (const traceparent of ['x', zero, `ff-${TRACE}-00f067aa0ba902b7-01`]) {
      const answer = await sendWhole(`${service.url}/v1/compress`, small, { traceparent });
      assert.equal((await jobOf(answer.headers['wd-job'])).traceId, undefined);
    }
  });
});

describe('flush=sync', () => {
  it('gives each chunk out before the next is sent, in one member', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => `{"line":${i},"text":"a log line that is tailed"}\n`);
    const socket = await rawConnection(
      service.url,
      'POST /v1/compress?flush=sync HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    );
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
    });
    let sent = '';
    for (const line of lines) {
      socket.write(`${line.length.toString(16)}\r\n${line}\r\n`);
      sent += line;
      await eventually(() => textOf(received) === sent, `${line} comes out`);
    }
    socket.write('0\r\n\r\n');
    await once(socket, 'close');
    assert.equal(gunzipSync(unchunk(received)).toString(), lines.join(''));
  });

  it('keeps up with chunks that come faster than jobs end', async () => {
    const answer = await send(`${service.url}/v1/compress?flush=sync&level=1`, {
      chunks: slices(large, 3000),
    });
    assert.ok(answer.complete && gunzipSync(answer.body).equals(large));
  });
});

/** The chunked body after the head, as far as it goes. */
function unchunk(answer: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = answer.indexOf('\r\n\r\n') + 4;
  for (;;) {
    const end = answer.indexOf('\r\n', at);
    const size = end < 0 ? Number.NaN : Number.parseInt(answer.subarray(at, end).toString(), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(answer.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

function textOf(answer: Buffer): string {
  const body = unchunk(answer);
  // 2 is Z_SYNC_FLUSH: an unfinished member is no error
  return body.length === 0 ? '' : gunzipSync(body, { finishFlush: 2 }).toString();
}
