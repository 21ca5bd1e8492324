import assert from 'node:assert/strict';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { jsonText } from '../http-client.ts';
import { SupervisedService } from './supervised-service.ts';
import { VerifiedTraffic } from './verified-traffic.ts';

const UPLOADS = 12;
const BODY = jsonText(400_000);
const HALF = BODY.length / 2;
const DRAIN_LIMIT_MS = 30_000;
/** Ways in which a request visibly fails whose service has gone: refused, reset, or an answer that is not whole. */
const CLEAN_FAILURE =
  /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|broken off|503 |closed 1006|closed 1012|server response: 503/;

interface Upload {
  request: ClientRequest;
  answer: Promise<Buffer>;
}

/** A request that was accepted: the service has its head and half of its body, and asked for more. */
async function halfUpload(url: string): Promise<Upload> {
  const request = httpRequest(`${url}/v1/compress`, {
    method: 'POST',
    agent: false,
    headers: { Expect: '100-continue', 'Content-Length': BODY.length },
  });
  const answer = new Promise<Buffer>((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('close', () =>
        response.complete && response.statusCode === 200
          ? resolve(Buffer.concat(parts))
          : reject(new Error(`status ${response.statusCode}, ${response.complete}`)),
      );
    });
  });
  answer.catch(() => {});
  await Promise.race([new Promise((resolve) => request.once('continue', resolve)), answer]);
  request.write(BODY.subarray(0, HALF));
  return { request, answer };
}

for (const flags of [[], ['--workers', '2']])
  describe(`a service under load${flags.length > 0 ? `, ${flags.join(' ')}` : ''}`, () => {
    let service: SupervisedService;
    let traffic: VerifiedTraffic;
    before(async () => {
      service = new SupervisedService(['--shutdown-timeout', `${DRAIN_LIMIT_MS}ms`, ...flags]);
      await service.start();
      traffic = new VerifiedTraffic({ url: () => service.url, seed: 11, lanes: 4, maxBytes: 65_536 });
      traffic.start();
    });
    after(async () => {
      await traffic.stop();
      await service.stop();
    });

    it('SIGTERM fails no request that was accepted, and ends within the drain limit', async () => {
      const uploads = await Promise.all(Array.from({ length: UPLOADS }, () => halfUpload(service.url)));
      const restart = service.restart('SIGTERM');
      await sleep(300); // the service is draining
      for (const { request } of uploads) request.end(BODY.subarray(HALF));
      for (const { answer } of uploads) assert.ok(gunzipSync(await answer).equals(BODY));
      await restart;
      const [ended] = service.restarts;
      assert.equal(ended?.code, 0);
      assert.ok((ended?.exitMs ?? DRAIN_LIMIT_MS) < DRAIN_LIMIT_MS, `gone after ${ended?.exitMs} ms`);
    });

    it('SIGKILL costs clean failures only, and the next service serves', async (t) => {
      await service.restart('SIGKILL');
      t.diagnostic(`ready again after ${service.restarts.at(-1)?.readyMs.toFixed(0)} ms`);
      const { right } = traffic.counts;
      for (let i = 0; i < 2000 && traffic.counts.right < right + 10; i++) await sleep(10);
      assert.ok(traffic.counts.right >= right + 10, 'requests succeed again');
      assert.deepEqual(traffic.findings, []);
      for (const failure of traffic.failures.keys()) assert.match(failure, CLEAN_FAILURE);
    });
  });
