import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { MONITOR_PROTOCOL, type MonitorMessage, STREAM_PROTOCOL } from '../../shared/src/telemetry.ts';
import { jsonText, send, sendWhole, slices } from './http-client.ts';
import { type Served, serve } from './serve-process.ts';
import { PROXIES, type ProxyKind, type RunningProxy } from './support/proxies.ts';

const small = jsonText(2000);
const large = jsonText(600_000);
const CLIENTS = 6;

let proxy: RunningProxy | undefined;
afterEach(async () => {
  await proxy?.stop();
  proxy = undefined;
});

/** Two instances behind a proxy that has seen both answer. */
async function pair(
  kind: ProxyKind,
): Promise<{ url: string; proxy: RunningProxy; instances: [Served, Served] }> {
  const args = ['--drain-delay', '2s', '--attach-socket', 'none', '--log-level', 'warn'];
  const instances = await Promise.all([serve(...args), serve(...args)]);
  proxy = await kind.start(instances.map(({ url }) => url));
  const { url } = proxy;
  while ((await sendWhole(`${url}/v1/compress`, small)).status !== 200) await delay(50);
  return { url, proxy, instances };
}

const requestsOf = async ({ url }: Served): Promise<number> => {
  const status = (await (await fetch(`${url}/v1/status`)).json()) as { totals: { requests: number } };
  return status.totals.requests;
};

function open(url: string, path: string, protocol: string): WebSocket {
  return new WebSocket(url.replace('http', 'ws') + path, protocol);
}

/** Requests through the proxy, one after the other, bodies of known length and chunked ones in turns. */
async function load(url: string, isOver: () => boolean, failures: string[]): Promise<number> {
  let done = 0;
  for (; !isOver(); done++) {
    const body = done % 4 === 3 ? large : small;
    try {
      const answer = await (done % 2 === 0
        ? sendWhole(`${url}/v1/compress`, body)
        : send(`${url}/v1/compress`, { chunks: slices(body, 100_000) }));
      if (answer.status !== 200 || !answer.complete || !gunzipSync(answer.body).equals(body))
        failures.push(
          `status ${answer.status}, complete ${answer.complete}: ${answer.body.toString('latin1', 0, 200)}`,
        );
    } catch (error) {
      failures.push(String(error));
    }
  }
  return done;
}

for (const kind of PROXIES)
  describe(`${kind.name} with its sample configuration`, { skip: kind.missing ?? false }, () => {
    it('passes a stream on before the upload ends', async () => {
      const { url } = await pair(kind);

      const req = request(`${url}/v1/compress`, { method: 'POST', agent: false });
      const answered = once(req, 'response') as Promise<[NodeJS.ReadableStream]>;
      req.write(large);
      req.write(large);
      const [res] = await answered;
      const parts: Buffer[] = [];
      res.on('data', (part: Buffer) => parts.push(part));
      while (parts.length === 0) await once(res, 'data');
      req.end(large);
      await once(res, 'end');
      assert.ok(gunzipSync(Buffer.concat(parts)).equals(Buffer.concat([large, large, large])));
    });

    it('passes WebSocket streams and the monitor feed', async () => {
      const { url } = await pair(kind);
      const stream = open(url, '/v1/stream?op=compress', STREAM_PROTOCOL);
      const parts: Buffer[] = [];
      stream.on('message', (data: Buffer, isBinary) => {
        if (isBinary) parts.push(data);
      });
      await once(stream, 'open');
      stream.send(large);
      stream.send('{"type":"finish"}');
      const [code] = (await once(stream, 'close')) as [number];
      assert.equal(code, 1000);
      assert.ok(gunzipSync(Buffer.concat(parts)).equals(large));
      const monitor = open(url, '/v1/monitor', MONITOR_PROTOCOL);
      const [first] = (await once(monitor, 'message')) as [Buffer];
      assert.equal((JSON.parse(first.toString()) as MonitorMessage).type, 'snapshot');
      monitor.terminate();
    });

    it('loses no request while one instance is drained under load', async () => {
      const { url, proxy, instances } = await pair(kind);
      const [leaving, staying] = instances;
      const failures: string[] = [];
      let isOver = false;
      const clients = Array.from({ length: CLIENTS }, () => load(url, () => isOver, failures));
      const before = () => Promise.all(instances.map(requestsOf));
      while ((await before()).some((count) => count < 20)) await delay(20);
      await proxy.takeOut(0);
      leaving.child.kill('SIGTERM');
      assert.equal((await leaving.result).code, 0);
      const atExit = await requestsOf(staying);
      while ((await requestsOf(staying)) < atExit + 20) await delay(20);
      isOver = true;
      const done = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
      assert.deepEqual(failures, []);
      assert.ok(done > 60);
      assert.doesNotMatch(leaving.stderr(), /broken off|cut off/);
    });
  });
