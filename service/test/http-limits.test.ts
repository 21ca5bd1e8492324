import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, send, sendWhole, slices } from './http-client.ts';
import { decoders, encoders } from './http-oracle.ts';
import { eventually, serviceOn } from './http-service.ts';

const MIB = 1024 * 1024;
const small = jsonText(5000);
const large = jsonText(3 * MIB + 17);

const newHost = () => createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);

describe('limits', () => {
  let limited: RunningService;
  before(async () => {
    limited = await serviceOn(await newHost(), { maxInput: '1MiB', maxOutput: '4MiB', maxRatio: 200 });
  });
  after(() => limited.stop());

  const problemOf = (body: Buffer) => JSON.parse(body.toString()) as Record<string, unknown>;

  it('take input of exactly the limit and refuse one byte more, announced or not', async () => {
    const exact = jsonText(MIB + 1);
    for (const chunkBytes of [1000, MIB]) {
      const fits = await send(`${limited.url}/v1/compress`, {
        chunks: slices(exact.subarray(0, MIB), chunkBytes),
      });
      assert.ok(decoders.gzip(fits.body).equals(exact.subarray(0, MIB)));
      const over = await send(`${limited.url}/v1/compress`, { chunks: slices(exact, chunkBytes) });
      assert.ok(over.status === 413 || !over.complete, `status ${over.status}, complete ${over.complete}`);
    }
    const announced = await sendWhole(`${limited.url}/v1/compress`, exact);
    assert.equal(announced.status, 413);
    assert.equal(problemOf(announced.body)['measured'], 'input');
  });

  it('cut a bomb off by its output or its ratio', async () => {
    const fits = await sendWhole(`${limited.url}/v1/decompress`, encoders.gzip(jsonText(4 * MIB)));
    assert.equal(fits.body.length, 4 * MIB);
    const over = await sendWhole(`${limited.url}/v1/decompress`, encoders.gzip(jsonText(4 * MIB + 1)));
    assert.ok(over.status === 413 || !over.complete);
    const bomb = await sendWhole(`${limited.url}/v1/decompress`, encoders.gzip(Buffer.alloc(4 * MIB)));
    assert.ok(bomb.status === 413 || !bomb.complete);
  });
});

describe('a client that leaves', () => {
  const begin = (path: string, first: Uint8Array) => {
    const { hostname, port } = new URL(service.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n`);
    socket.write(first);
    return socket;
  };
  let host: Host;
  let service: RunningService;
  before(async () => {
    host = await newHost();
    service = await serviceOn(host);
  });
  after(() => service.stop());
  const inFlight = () => host.view.queues().reduce((sum, queue) => sum + queue.inFlight, 0);

  it('frees its jobs, uploading or downloading', async () => {
    const zeros = encoders.gzip(Buffer.alloc(32 * MIB));
    for (const [path, first] of [
      ['/v1/compress', large],
      ['/v1/decompress', zeros],
    ] as const)
      for (let i = 0; i < 20; i++) {
        const socket = begin(path, first);
        if (i % 2 === 0) await once(socket, 'data');
        socket.destroy();
      }
    await eventually(() => inFlight() === 0, 'all jobs ended');
    const status = await send(`${service.url}/v1/status`, { method: 'GET' });
    const { totals } = JSON.parse(status.body.toString()) as { totals: { activeStreams: number } };
    assert.equal(totals.activeStreams, 0);
    const answer = await sendWhole(`${service.url}/v1/compress`, large);
    assert.ok(decoders.gzip(answer.body).equals(large));
  });
});

describe('the figures', () => {
  it('add up to what was sent', async () => {
    const counted = await serviceOn(await newHost());
    try {
      let sent = 0;
      let received = 0;
      for (const body of [small, large, Buffer.from('x')]) {
        const answer = await sendWhole(`${counted.url}/v1/compress`, body);
        sent += body.length;
        received += answer.body.length;
      }
      const read = async (path: string): Promise<unknown> =>
        JSON.parse((await send(counted.url + path, { method: 'GET' })).body.toString());
      const { totals } = (await read('/v1/status')) as { totals: Record<string, number> };
      assert.deepEqual([totals['requests'], totals['failures']], [3, 0]);
      assert.deepEqual([totals['bytesIn'], totals['bytesOut']], [sent, received]);
      const { queues } = (await read('/v1/queues')) as { queues: { bytesIn: number; inFlight: number }[] };
      assert.equal(
        queues.reduce((sum, queue) => sum + queue.bytesIn, 0),
        sent,
      );
      const metrics = (await send(`${counted.url}/metrics`, { method: 'GET' })).body.toString();
      assert.match(metrics, new RegExp(`^warpdrive_job_input_bytes_total\\{.*\\} ${sent}$`, 'm'));
      assert.match(
        metrics,
        /^warpdrive_http_requests_total\{route="\/v1\/compress",method="POST",status="200"\} 3$/m,
      );
      assert.match(metrics, /^process_resident_memory_bytes \d+$/m);
    } finally {
      await counted.stop();
    }
  });
});

describe('probes and pages', () => {
  let service: RunningService;
  before(async () => {
    service = await serviceOn(await newHost());
  });
  after(() => service.stop());

  it('say alive, ready, version; and lead to the monitor', async () => {
    for (const path of [
      '/healthz',
      '/readyz',
      '/version',
      '/v1/status',
      '/v1/devices',
      '/v1/mdevs',
      '/v1/faults',
    ]) {
      const answer = await send(service.url + path, { method: 'GET' });
      assert.equal(answer.status, 200, path);
      assert.match(String(answer.headers['content-type']), /^application\/json/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    const root = await send(service.url, { method: 'GET' });
    assert.deepEqual([root.status, root.headers.location], [302, '/monitor/']);
    const page = await send(`${service.url}/monitor/`, { method: 'GET' });
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; script-src 'self';/);
  });
});
