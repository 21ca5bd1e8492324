import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { FORMATS, MEDIA_TYPES } from '../../shared/src/format.ts';
import { jsonText, rawAnswer, send, sendWhole, slices } from './http-client.ts';
import { crc32Of, decoders } from './http-oracle.ts';
import { eventually } from './http-service.ts';
import { serviceOnStack } from './http-setups.ts';

const LEVELS = [1, 6, 9];
const MIB = 1024 * 1024;
const small = jsonText(5000);
const large = jsonText(3 * MIB + 17);

const { host, service, compressUrl, inFlight } = await serviceOnStack();

describe('POST /v1/compress', () => {
  const bodies: [string, Buffer, number][] = [
    ['nothing', Buffer.alloc(0), 1],
    ['one byte', Buffer.from('x'), 1],
    ['5000 bytes in 1-byte chunks', small, 1],
    ['3 MiB in 1000-byte chunks', large, 1000],
    ['3 MiB in 1 MiB chunks', large, MIB],
  ];
  for (const format of FORMATS)
    for (const level of LEVELS)
      it(`makes ${format} at level ${level} of every size and chunking`, async () => {
        for (const [name, body, chunkBytes] of bodies) {
          const answer = await send(compressUrl(format, level), { chunks: slices(body, chunkBytes) });
          assert.equal(answer.status, 200, name);
          assert.equal(answer.complete, true, name);
          assert.ok(decoders[format](answer.body).equals(body), name);
          assert.equal(answer.headers['content-type'], MEDIA_TYPES[format]);
          assert.equal(answer.headers['content-encoding'], undefined);
          assert.equal(answer.headers['cache-control'], 'no-store, no-transform');
          assert.equal(answer.headers['wd-level'], String(level));
        }
      });

  it('answers a small body with its length, a large one in chunks, both with the same figures', async () => {
    for (const [body, isWhole] of [
      [small, true],
      [large, false],
    ] as const) {
      const answer = await sendWhole(compressUrl('gzip', 1), body);
      assert.equal(answer.headers['content-length'] !== undefined, isWhole);
      const figures = isWhole ? answer.headers : answer.trailers;
      assert.equal(figures['wd-input-bytes'], String(body.length));
      assert.equal(figures['wd-output-bytes'], String(answer.body.length));
      assert.equal(figures['wd-crc32'], crc32Of(body));
      assert.equal(figures['wd-core'], host.view.core);
    }
  });

  it('takes PUT, which curl -T sends', async () => {
    const answer = await send(compressUrl('gzip', 1), { method: 'PUT', chunks: [small] });
    assert.ok(decoders.gzip(answer.body).equals(small));
  });

  it('answers many requests on one connection', async () => {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    const head = 'POST /v1/compress HTTP/1.1\r\nHost: localhost\r\n';
    socket.write(`${head}Content-Length: 5\r\n\r\nhello`.repeat(20));
    socket.write(`${head}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    await once(socket, 'close');
    assert.equal(text.split('HTTP/1.1 200 OK').length - 1, 21);
  });

  it('answers a small body with the same fields on a connection that stays and on one that closes', async () => {
    const fieldsOf = async (connection: string) => {
      const { headers } = await sendWhole(compressUrl('gzip', 1), small, {
        Connection: connection,
        'X-Request-Id': 'fields',
      });
      for (const field of ['wd-job', 'connection', 'keep-alive']) delete headers[field];
      assert.ok(Math.abs(Date.now() - Date.parse(headers['date'] ?? '')) < 60_000);
      delete headers['date'];
      return headers;
    };
    const [kept, closed] = [await fieldsOf('keep-alive'), await fieldsOf('close')];
    assert.deepEqual(kept, closed);
    const agent = new Agent({ keepAlive: true });
    const { headers } = await send(compressUrl('gzip', 1), { agent, chunks: [small] });
    agent.destroy();
    assert.equal(headers['connection'], 'keep-alive');
    assert.equal(headers['keep-alive'], 'timeout=65');
  });

  it('answers pipelined requests in their order, small and large, up to one that is refused', async () => {
    const post = (body: string, fields: string, level = 1) =>
      `POST /v1/compress?level=${level} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
    const text5000 = small.toString('latin1');
    const text65536 = large.toString('latin1', 0, 65_536);
    const requests = [
      ...[post(text5000, ''), post(text65536, ''), post(text5000, '', 2)],
      ...[post('', ''), post(text5000, '', 3), post(text5000, '', 11)],
    ];
    const text = await rawAnswer(service.url, requests.join(''));
    const heads = text.match(/HTTP\/1\.1 \d+|Wd-Input-Bytes: \d+/g);
    assert.deepEqual(heads, [
      ...['HTTP/1.1 200', `Wd-Input-Bytes: ${small.length}`],
      ...['HTTP/1.1 200', 'Wd-Input-Bytes: 65536'],
      ...['HTTP/1.1 200', `Wd-Input-Bytes: ${small.length}`],
      ...['HTTP/1.1 200', 'Wd-Input-Bytes: 0'],
      ...['HTTP/1.1 200', `Wd-Input-Bytes: ${small.length}`],
      'HTTP/1.1 400',
    ]);
  });

  it('keeps 200 streams at once apart', async () => {
    const bodies = Array.from({ length: 200 }, (_, i) =>
      Buffer.concat([Buffer.from(`stream ${i}\n`), large.subarray(i, MIB + i)]),
    );
    const answers = await Promise.all(
      bodies.map((body, i) => send(compressUrl(FORMATS[i % 3]!, 1), { chunks: slices(body, 100_000) })),
    );
    answers.forEach((answer, i) => {
      assert.ok(decoders[FORMATS[i % 3]!](answer.body).equals(bodies[i]!), `stream ${i}`);
    });
    await eventually(() => inFlight() === 0, 'all jobs ended');
  });
});
