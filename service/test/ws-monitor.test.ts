import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import {
  type FaultSnapshot,
  MONITOR_PROTOCOL,
  type MonitorMessage,
  SAMPLE_INTERVAL_MS,
} from '../../shared/src/telemetry.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, sendWhole } from './http-client.ts';
import { type Double, hostDouble } from './http-double.ts';
import { ADMIN_TOKEN, eventually, serviceOn } from './http-service.ts';

const fault: FaultSnapshot = {
  seq: 1,
  atMs: 0,
  device: 'hisi_zip-0',
  streamId: 0x7500,
  pasid: 5,
  iova: '0xdead0000',
  access: 'write',
  event: 'F_TRANSLATION',
  reason: 'not mapped',
  outcome: 'aborted',
  domainKind: 'sva',
  advice: 'map the buffer first',
  kernelLine: 'arm-smmu-v3: event 0x10 received',
};

let double: Double;
let service: RunningService;
before(async () => {
  double = hostDouble();
  service = await serviceOn(double);
});
after(() => service.stop());

interface Feed {
  ws: WebSocket;
  messages: MonitorMessage[];
  next<T extends MonitorMessage['type']>(type: T): Promise<MonitorMessage & { type: T }>;
}

function openFeed(base = service.url, headers: Record<string, string> = {}): Feed {
  const ws = new WebSocket(`${base.replace('http', 'ws')}/v1/monitor`, MONITOR_PROTOCOL, { headers });
  const messages: MonitorMessage[] = [];
  ws.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as MonitorMessage));
  return {
    ws,
    messages,
    async next<T extends MonitorMessage['type']>(type: T) {
      const seen = messages.length;
      const isIt = (message: MonitorMessage): message is MonitorMessage & { type: T } =>
        message.type === type;
      await eventually(() => messages.slice(seen).some(isIt), `a ${type} message`);
      return messages.slice(seen).find(isIt)!;
    },
  };
}

async function refusal(
  path: string,
  protocol: string[],
  headers: Record<string, string> = {},
): Promise<number> {
  const ws = new WebSocket(service.url.replace('http', 'ws') + path, protocol, { headers });
  ws.on('error', () => {});
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, { statusCode: number }];
  ws.terminate();
  return response.statusCode;
}

describe('/v1/monitor', () => {
  it('sends a snapshot first, then samples that count what happens', async () => {
    const feed = openFeed();
    const first = await feed.next('snapshot');
    assert.equal(feed.messages[0], first);
    assert.equal(first.status.service, 'warpdrive');
    assert.equal(first.devices[0]?.name, 'hisi_zip-0');
    const before = (await feed.next('sample')).sample.totals;
    const body = jsonText(4321);
    await sendWhole(`${service.url}/v1/compress`, body);
    const { sample, dropped } = await feed.next('sample');
    assert.equal(sample.totals.requests, before.requests + 1);
    assert.equal(sample.totals.bytesIn, before.bytesIn + body.length);
    assert.equal(dropped, 0);
    assert.ok(sample.rssBytes > 1e6 && sample.eventLoopDelayMs >= 0);
    feed.ws.close();
  });

  it('shows a PASID to administrators only', async () => {
    const anyone = openFeed();
    const admin = openFeed(service.url, { Authorization: `Bearer ${ADMIN_TOKEN}` });
    await Promise.all([anyone.next('snapshot'), admin.next('snapshot')]);
    const [seen, seenByAdmin] = [anyone.next('fault'), admin.next('fault')];
    double.fault(fault);
    assert.equal((await seen).fault.pasid, undefined);
    assert.equal((await seen).fault.iova, '0xdead0000');
    assert.equal((await seenByAdmin).fault.pasid, 5);
    anyone.ws.close();
    admin.ws.close();
  });

  it('refuses foreign origins and hosts, unknown paths and unknown subprotocols', async () => {
    const protocol = [MONITOR_PROTOCOL];
    assert.equal(await refusal('/v1/monitor', protocol, { Origin: 'http://evil.example' }), 403);
    assert.equal(await refusal('/v1/monitor', protocol, { Host: 'evil.example' }), 403);
    assert.equal(await refusal('/v1/nope', protocol), 404);
    assert.equal(await refusal('/v1/monitor', []), 400);
    assert.equal(await refusal('/v1/monitor', ['warpdrive.monitor.v9']), 400);
  });

  it('closes with 4400 when a client talks and with 1009 when it talks too much', async () => {
    for (const [text, expected] of [
      ['hello', 4400],
      ['x'.repeat(5000), 1009],
    ] as const) {
      const { ws, next } = openFeed();
      await next('snapshot');
      ws.send(text);
      const [code] = (await once(ws, 'close')) as [number];
      assert.equal(code, expected);
    }
  });

  it('takes the admin token as a message, because browsers cannot set Authorization', async () => {
    const feed = openFeed();
    await feed.next('snapshot');
    feed.ws.send(JSON.stringify({ type: 'auth', token: 'wrong' }));
    assert.equal((await feed.next('auth')).isAdmin, false);
    feed.ws.send(JSON.stringify({ type: 'auth', token: ADMIN_TOKEN }));
    assert.equal((await feed.next('auth')).isAdmin, true);
    const seen = feed.next('fault');
    double.fault(fault);
    assert.equal((await seen).fault.pasid, 5);
    feed.ws.close();
    const guesser = openFeed();
    await guesser.next('snapshot');
    for (let i = 0; i < 5; i++) guesser.ws.send(JSON.stringify({ type: 'auth', token: `guess${i}` }));
    const [code] = (await once(guesser.ws, 'close')) as [number];
    assert.equal(code, 4401);
  });

  it('leaves out faults that come faster than 500 a quarter second, counts them, and answers who asks for them', async () => {
    const flooded = hostDouble();
    const faults = Array.from({ length: 1300 }, (_, i) => ({ ...fault, seq: i + 1 }));
    const view = {
      ...flooded.view,
      faults: (since = 0) => faults.filter(({ seq }) => seq > since && since > 0),
    };
    const flooding = await serviceOn({ ...flooded, view });
    const { ws, messages, next } = openFeed(flooding.url);
    await next('sample');
    for (const one of faults) flooded.fault(one);
    const { faultsDropped = 0 } = await next('sample');
    const received = messages.filter(({ type }) => type === 'fault').length;
    assert.ok(received >= 500 && received < 1300, String(received));
    assert.equal(faultsDropped, 1300 - received);
    ws.send(JSON.stringify({ type: 'faults', sinceSeq: received }));
    const answer = await next('faults');
    assert.equal(answer.faults.length, 1300 - received);
    assert.equal(answer.faults[0]?.seq, received + 1);
    assert.equal(answer.faults[0]?.pasid, undefined);
    ws.close();
    await flooding.stop();
  });

  it('drops samples for a client that does not read, and says how many', async () => {
    const wide = hostDouble();
    const reason = 'long '.repeat(4_000_000); // larger than the socket buffers of both sides
    const device = { ...wide.view.devices()[0]!, bdf: reason };
    const slow = await serviceOn({ ...wide, view: { ...wide.view, devices: () => [device] } });
    const { ws, messages, next } = openFeed(slow.url);
    await next('sample');
    ws.pause();
    await new Promise((resume) => setTimeout(resume, 4 * SAMPLE_INTERVAL_MS));
    ws.resume();
    const dropped = () => messages.flatMap((message) => (message.type === 'sample' ? [message.dropped] : []));
    await eventually(() => Math.max(...dropped()) >= 2, 'a sample that counts the dropped ones');
    ws.terminate();
    await slow.stop();
  });

  it('tells clients to come back when the service restarts', async () => {
    const restarting = await serviceOn(hostDouble());
    const { ws, next } = openFeed(restarting.url);
    await next('snapshot');
    const closed = once(ws, 'close') as Promise<[number, Buffer]>;
    await restarting.stop();
    const [code, reason] = await closed;
    assert.deepEqual([code, reason.toString()], [1012, 'WD_E_DRAINING']);
  });
});
