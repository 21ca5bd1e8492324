import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import type { JobRecord } from '../../shared/src/job.ts';
import type { StreamServerMessage } from '../../shared/src/stream-protocol.ts';
import { STREAM_PROTOCOL } from '../../shared/src/telemetry.ts';
import { createHost } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';

const MIB = 1024 * 1024;
const WINDOW = 256 * 1024;
const MAX_BUFFERED = 128 * 1024;
const large = jsonText(5 * MIB);

let service: RunningService;
before(async () => {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host, { maxFrame: WINDOW, maxBuffered: MAX_BUFFERED, idleTimeout: '1s' });
});
after(() => service.stop());

/** A client that keeps what it gets, and says how much of it may come. */
class Client {
  readonly ws: WebSocket;
  readonly output: Buffer[] = [];
  readonly control: StreamServerMessage[] = [];
  received = 0;
  /** What the server granted in all. */
  granted = 0;
  readonly closed: Promise<[number, Buffer]>;

  constructor(query: string) {
    this.ws = new WebSocket(`${service.url.replace('http', 'ws')}/v1/stream?${query}`, STREAM_PROTOCOL);
    this.closed = once(this.ws, 'close') as Promise<[number, Buffer]>;
    this.ws.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        this.output.push(data);
        this.received += data.length;
        return;
      }
      const message = JSON.parse(data.toString()) as StreamServerMessage;
      this.control.push(message);
      if (message.type === 'credit') this.granted += message.bytes;
    });
  }

  async opened(): Promise<this> {
    await once(this.ws, 'open');
    return this;
  }

  tell(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  get problem() {
    const last = this.control.at(-1);
    return last?.type === 'error' ? last.problem : undefined;
  }
}

const open = (query: string) => new Client(query).opened();

describe('credit on /v1/stream', () => {
  it('carries a stream in both directions and never exceeds what either side granted', async () => {
    const client = await open('op=compress&level=1');
    client.tell({ type: 'credit', bytes: 1000 });
    let granted = 1000;
    let sent = 0;
    client.ws.on('message', () => {
      assert.ok(client.received <= granted, `${client.received} bytes came, ${granted} were granted`);
      if (granted - client.received < 500) {
        client.tell({ type: 'credit', bytes: 20_000 });
        granted += 20_000;
      }
      while (sent < large.length && client.granted > sent) {
        const bytes = Math.min(50_000, client.granted - sent, large.length - sent);
        client.ws.send(large.subarray(sent, sent + bytes));
        sent += bytes;
        if (sent === large.length) client.tell({ type: 'finish' });
      }
    });
    assert.equal((await client.closed)[0], 1000);
    assert.ok(gunzipSync(Buffer.concat(client.output)).equals(large));
    assert.equal(client.control[0]?.type, 'credit');
    assert.equal(client.control.at(-1)?.type, 'done');
    assert.ok(client.granted <= large.length + WINDOW);
  });

  it('holds output, and with it the input, until more is granted', async () => {
    const client = await open('op=decompress');
    client.tell({ type: 'credit', bytes: 0 });
    const product = gzipSync(large);
    await eventually(() => client.granted === WINDOW, 'the window');
    client.ws.send(product.subarray(0, WINDOW));
    await new Promise((next) => setTimeout(next, 200));
    assert.equal(client.received, 0);
    client.tell({ type: 'credit', bytes: 777 });
    await eventually(() => client.received === 777, 'exactly what was granted');
    client.tell({ type: 'credit', bytes: 2 ** 40 - 1 });
    await eventually(() => client.granted > WINDOW, 'more credit for input');
    let sent = WINDOW;
    const timer = setInterval(() => {
      const bytes = Math.min(client.granted - sent, product.length - sent);
      client.ws.send(product.subarray(sent, sent + bytes));
      sent += bytes;
      if (sent < product.length) return;
      clearInterval(timer);
      client.tell({ type: 'finish' });
    }, 5);
    assert.equal((await client.closed)[0], 1000);
    assert.ok(Buffer.concat(client.output).equals(large));
  });

  it('takes payload up to the credit and closes with 4429 at one byte more', async () => {
    const exact = await open('op=compress');
    exact.tell({ type: 'credit', bytes: MIB });
    exact.ws.send(large.subarray(0, WINDOW));
    exact.tell({ type: 'finish' });
    assert.equal((await exact.closed)[0], 1000);
    const over = await open('op=compress');
    over.tell({ type: 'credit', bytes: MIB });
    over.ws.send(large.subarray(0, WINDOW));
    over.ws.send('{"type":"flush"}');
    for (let i = 0; i < 100; i++) over.ws.send(large.subarray(0, WINDOW));
    const [code, reason] = await over.closed;
    assert.deepEqual([code, reason.toString(), over.problem?.code], [4429, 'WD_E_CREDIT', 'WD_E_CREDIT']);
  });

  it('is refused where it comes late, is none, or is too much: 4400', async () => {
    const late = await open('op=compress');
    late.ws.send(large.subarray(0, 100));
    late.tell({ type: 'credit', bytes: 1 });
    assert.equal((await late.closed)[0], 4400);
    for (const bytes of [-1, 1.5, '1', null, 2 ** 40 + 1]) {
      const client = await open('op=compress');
      client.tell({ type: 'credit', bytes });
      assert.equal((await client.closed)[0], 4400, String(bytes));
    }
    const twice = await open('op=compress');
    twice.tell({ type: 'credit', bytes: 2 ** 40 });
    twice.tell({ type: 'credit', bytes: 1 });
    assert.equal((await twice.closed)[0], 4400);
  });
});

describe('a slow reader of /v1/stream', () => {
  it('costs its buffer and no more, and is cut off when it takes nothing for the idle limit', async () => {
    const zeros = gzipSync(Buffer.alloc(64 * MIB));
    const client = await open('op=decompress');
    client.tell({ type: 'credit', bytes: 1000 });
    client.ws.send(zeros.subarray(0, WINDOW));
    const [code] = await client.closed;
    assert.equal(code, 4408);
    assert.equal(client.received, 1000);
    assert.equal(client.problem?.code, 'WD_E_IDLE');
    const record = (await (
      await fetch(`${service.url}/v1/jobs/${client.problem?.instance}`)
    ).json()) as JobRecord;
    assert.deepEqual([record.state, record.bytesOut], ['failed', 1000]);
  });

  it('without credit is held by the socket alone', async () => {
    const zeros = gzipSync(Buffer.alloc(256 * MIB, 'x'));
    const client = await open('op=decompress');
    client.ws.pause();
    for (let at = 0; at < zeros.length; at += WINDOW) client.ws.send(zeros.subarray(at, at + WINDOW));
    await eventually(async () => (await bytesOut()) > 0, 'output began');
    let before = -1;
    let now = await bytesOut();
    while (now !== before) {
      await new Promise((next) => setTimeout(next, 100));
      [before, now] = [now, await bytesOut()];
    }
    assert.ok(now < 32 * MIB, `${now} bytes left the codec for a client that reads nothing`);
    client.ws.terminate();
    await eventually(async () => (await totals()).activeStreams === 0, 'it is gone');
  });
});

async function totals(): Promise<{ bytesOut: number; activeStreams: number }> {
  const status = (await (await fetch(`${service.url}/v1/status`)).json()) as {
    totals: { bytesOut: number; activeStreams: number };
  };
  return status.totals;
}

let base: number | undefined;
async function bytesOut(): Promise<number> {
  const { bytesOut: all } = await totals();
  base ??= all;
  return all - base;
}
