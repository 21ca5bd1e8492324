import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WarpDriveError } from '../../shared/src/problem.ts';
import { problem, rawAnswer, rawConnection, send, sendWhole, slices } from './http-client.ts';
import { eventually } from './http-service.ts';
import { serviceOnDouble } from './http-setups.ts';

const { double, service, lines, body, large } = await serviceOnDouble();

describe('failures of the codec', () => {
  it('are problems while nothing was sent, with Retry-After where a retry helps', async () => {
    for (const path of ['/v1/compress', '/v1/decompress']) {
      double.failNext(new WarpDriveError('WD_E_NO_QUEUE', 'all 4 queues are open'));
      const answer = await sendWhole(service.url + path, body);
      assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '1']);
      assert.equal(problem(answer)['detail'], 'all 4 queues are open');
    }
  });

  it('hide the message of a defect and log it', async () => {
    double.failNext(new TypeError('secret internals'));
    const answer = await sendWhole(`${service.url}/v1/compress`, body);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body.toString(), /secret/);
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [['error', 'request failed']],
    );
  });

  it('answer 422 to corrupt and to truncated input', async () => {
    const zipped = gzipSync(body);
    const corrupt = Buffer.from(zipped);
    corrupt[corrupt.length - 5]! ^= 0xff; // CRC-32
    const cases: [Buffer, string][] = [
      [Buffer.from('not compressed at all'), 'WD_E_INPUT_CORRUPT'],
      [corrupt, 'WD_E_INPUT_CORRUPT'],
      [zipped.subarray(0, -9), 'WD_E_INPUT_TRUNCATED'],
    ];
    for (const [input, code] of cases) {
      const answer = await sendWhole(`${service.url}/v1/decompress?format=gzip`, input);
      assert.equal(answer.status, 422);
      assert.equal(problem(answer)['code'], code);
    }
  });

  it('break off a response that has begun and never finish it', async () => {
    const zipped = gzipSync(large);
    const answer = await send(`${service.url}/v1/decompress`, {
      chunks: slices(zipped.subarray(0, -2000), 1000),
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.complete, false);
    assert.equal(double.open(), 0);
  });
});

describe('clients that misbehave', () => {
  it('get 408 when they stop sending', async () => {
    for (const path of ['/v1/compress', '/v1/decompress']) {
      const answer = await rawAnswer(
        service.url,
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n\x1f`,
      );
      assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*"idleMs":300/, path);
    }
    await eventually(() => double.open() === 0, 'all codec streams destroyed');
  });

  it('are cut off when they write without reading', async () => {
    const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const socket = await rawConnection(
      service.url,
      `POST /v1/decompress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${zeros.length}\r\n\r\n`,
    );
    socket.pause();
    socket.write(zeros);
    await eventually(() => lines.some(({ message }) => message === 'response broken off'), 'the stall guard');
    await eventually(() => double.open() === 0, 'the codec stream destroyed');
    socket.destroy();
  });

  it('free the codec stream by leaving, at every point, and are no error', async () => {
    const leave = async (text: string, isBegun: () => boolean) => {
      const socket = await rawConnection(service.url, text);
      await eventually(isBegun, 'the request began');
      socket.destroy();
      await eventually(() => double.open() === 0, 'the codec stream destroyed');
    };
    const head = 'HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\x1f\x8b\r\n';
    await leave(`POST /v1/decompress ${head}`, () => double.open() === 1);
    await leave(`POST /v1/compress ${head}`, () => true);
    await leave('POST /v1/compress HTTP/1.1\r\nHost: a\r\n', () => true);
    assert.deepEqual(
      lines.filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    );
  });
});
