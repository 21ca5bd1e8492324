import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createHost } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import { jsonText, send } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';

const STREAMS = 40;
const PLAIN = jsonText(900_000);
const PACKED = gzipSync(PLAIN);

let alive: NodeJS.Timeout;
before(() => {
  alive = setInterval(() => {}, 1000);
});
after(() => clearInterval(alive));

describe('hardware that is gone in the middle of streams', () => {
  it(`costs none of ${STREAMS} streams a byte, and each is counted with the reason`, async (t) => {
    const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
    const service = await serviceOn(host);
    try {
      let release = (): void => {};
      const gone = new Promise<void>((resolve) => {
        release = resolve;
      });
      const halves = async function* (body: Buffer) {
        yield body.subarray(0, body.length / 2);
        await gone;
        yield body.subarray(body.length / 2);
      };
      let longestMs = 0;
      let sentMs = 0;
      const streams = Array.from({ length: STREAMS }, async (_, number) => {
        const isCompress = number % 2 === 0;
        const path = isCompress ? 'compress' : 'decompress';
        const answer = await send(`${service.url}/v1/${path}`, {
          chunks: halves(isCompress ? PLAIN : PACKED),
        });
        longestMs = Math.max(longestMs, performance.now() - sentMs);
        assert.deepEqual([answer.status, answer.complete], [200, true]);
        assert.ok((isCompress ? gunzipSync(answer.body) : answer.body).equals(PLAIN));
        assert.equal(answer.trailers['wd-fallback-reason'], 'device isolated');
      });
      const totals = async () => (await (await fetch(`${service.url}/v1/status`)).json()).totals;
      await eventually(async () => (await totals()).activeStreams === STREAMS, 'all streams run');
      await host.view.admin?.injectFault({ kind: 'ras', severity: 'fe' });
      await eventually(() => host.view.devices()[0]?.isolated === true, 'the device is isolated');
      sentMs = performance.now();
      release();
      await Promise.all(streams);
      t.diagnostic(`the last of ${STREAMS} streams ended ${longestMs.toFixed(0)} ms after its second half`);
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      assert.match(
        metrics,
        new RegExp(`warpdrive_fallback_total\\{reason="device isolated"\\} ${STREAMS}\n`),
      );
    } finally {
      await service.stop();
    }
  });
});
