import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { constants, gunzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import { FORMATS } from '../../shared/src/format.ts';
import type { Problem } from '../../shared/src/problem.ts';
import { MONITOR_PROTOCOL, STREAM_PROTOCOL } from '../../shared/src/telemetry.ts';
import { createHost, type Host } from '../src/host.ts';
import { silentLog } from '../src/platform/log.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, rawAnswer, slices } from './http-client.ts';
import { crc32Of, decoders, encoders } from './http-oracle.ts';
import { eventually, serviceOn } from './http-service.ts';
import { recordedLog } from './recorded-log.ts';

const small = jsonText(5000);
const large = jsonText(3_000_000);

let host: Host;
let service: RunningService;
before(async () => {
  host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host, { maxOutput: '8MiB' });
});
after(() => service.stop());

const inFlight = () => host.view.queues().reduce((sum, queue) => sum + queue.inFlight, 0);

interface Outcome {
  output: Buffer;
  control: { type: string; bytesIn?: number; bytesOut?: number; crc32?: number; problem?: Problem }[];
  code: number;
  reason: string;
}

function open(query: string): WebSocket {
  return new WebSocket(`${service.url.replace('http', 'ws')}/v1/stream?${query}`, STREAM_PROTOCOL);
}

/** Sends what `messages` holds: bytes as binary frames, strings as text frames; collects until the close. */
async function exchange(query: string, messages: Iterable<Uint8Array | string>): Promise<Outcome> {
  const ws = open(query);
  const output: Buffer[] = [];
  const control: Outcome['control'] = [];
  ws.on('message', (data: Buffer, isBinary) => {
    if (isBinary) output.push(data);
    else control.push(JSON.parse(data.toString()) as Outcome['control'][number]);
  });
  const closed = once(ws, 'close') as Promise<[number, Buffer]>;
  await once(ws, 'open');
  for (const message of messages) ws.send(message);
  const [code, reason] = await closed;
  return { output: Buffer.concat(output), control, code, reason: reason.toString() };
}

const FINISH = '{"type":"finish"}';

/** A short frame of a client (RFC 6455, 5.2). */
function maskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const key = [0x11, 0x22, 0x33, 0xf4];
  const masked = payload.map((byte, i) => byte ^ (key[i % 4] ?? 0));
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length, ...key), masked]);
}

describe('/v1/stream', () => {
  it('compresses and decompresses every format and says what it did', async () => {
    for (const format of FORMATS)
      for (const body of [Buffer.alloc(0), small, large]) {
        const packed = await exchange(`op=compress&format=${format}&level=6`, [
          ...slices(body, 65_536),
          FINISH,
        ]);
        assert.deepEqual([packed.code, packed.control.length], [1000, 1]);
        assert.ok(decoders[format](packed.output).equals(body));
        const { type, bytesIn, bytesOut, crc32 } = packed.control[0]!;
        assert.deepEqual([type, bytesIn, bytesOut], ['done', body.length, packed.output.length]);
        assert.equal(crc32, Number.parseInt(crc32Of(body), 16));
        const unpacked = await exchange(`op=decompress&format=${format}`, [
          ...slices(packed.output, 65_536),
          FINISH,
        ]);
        assert.ok(unpacked.code === 1000 && unpacked.output.equals(body));
      }
  });

  it('takes frames that come together with the handshake, or in pieces', async () => {
    const url = new URL(service.url);
    const handshake =
      `GET /v1/stream?op=compress HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${STREAM_PROTOCOL}\r\n\r\n`;
    const body = Buffer.from('masked by a key that is not zero');
    const frames = Buffer.concat([maskedFrame(2, body), maskedFrame(1, Buffer.from(FINISH))]);
    for (const atOnce of [frames.length, 5, 0]) {
      const socket = connect(Number(url.port), url.hostname);
      let answer = '';
      socket.on('data', (part: Buffer) => {
        const isFirst = answer === '';
        answer += part.toString('latin1');
        if (isFirst) for (const byte of frames.subarray(atOnce)) socket.write(Buffer.of(byte));
      });
      socket.write(Buffer.concat([Buffer.from(handshake), frames.subarray(0, atOnce)]));
      await eventually(() => answer.includes('"type":"done"'), 'the stream is done');
      assert.match(answer, new RegExp(`"bytesIn":${body.length},`));
      assert.match(answer, new RegExp(`"crc32":${Number.parseInt(crc32Of(body), 16)},`));
      socket.destroy();
    }
  });

  it('gives out all that was written when asked to flush', async () => {
    const ws = open('op=compress&format=gzip');
    const parts: Buffer[] = [];
    ws.on('message', (data: Buffer, isBinary) => {
      if (isBinary) parts.push(data);
    });
    await once(ws, 'open');
    ws.send(small);
    ws.send('{"type":"flush"}');
    const readable = () => Buffer.concat(parts).length > 100 && decodesTo(Buffer.concat(parts), small);
    await eventually(readable, 'the flushed bytes decode');
    ws.terminate();
  });

  it('closes with the code of the problem and tells it before', async () => {
    const cases: [string, (Uint8Array | string)[], number, string][] = [
      ['op=decompress&format=gzip', [Buffer.from('not gzip at all'), FINISH], 4422, 'WD_E_INPUT_CORRUPT'],
      ['op=decompress', [encoders.gzip(small).subarray(0, -9), FINISH], 4422, 'WD_E_INPUT_TRUNCATED'],
      ['op=decompress', [encoders.gzip(Buffer.alloc(9_000_000)), FINISH], 4413, 'WD_E_LIMIT_OUTPUT'],
      ['op=compress', ['{"type":"nonsense"}'], 4400, 'WD_E_PARAMETER'],
      ['op=compress', ['no json'], 4400, 'WD_E_PARAMETER'],
      ['op=compress', [large.subarray(0, 1_000_000), FINISH, small], 4400, 'WD_E_PARAMETER'],
      ['op=decompress', ['{"type":"flush"}'], 4400, 'WD_E_PARAMETER'],
    ];
    for (const [query, messages, code, reason] of cases) {
      const outcome = await exchange(query, messages);
      assert.deepEqual([outcome.code, outcome.reason], [code, reason], query);
      assert.equal(outcome.control.at(-1)?.problem?.code, reason);
    }
    const tooLarge = await exchange('op=compress', [Buffer.alloc(1024 * 1024 + 1)]);
    assert.equal(tooLarge.code, 1009);
  });

  it('refuses the upgrade when a parameter is wrong', async () => {
    for (const query of ['', 'op=zip', 'op=compress&level=0', 'op=compress&x=1', 'op=compress&op=compress']) {
      const ws = open(query);
      ws.on('error', () => {});
      const [, response] = (await once(ws, 'unexpected-response')) as [unknown, { statusCode: number }];
      assert.equal(response.statusCode, 400, query);
      ws.terminate();
    }
  });

  it('holds a client back that writes without reading, and frees its jobs when it leaves', async () => {
    const zeros = encoders.gzip(Buffer.alloc(7_000_000));
    for (let i = 0; i < 10; i++) {
      const ws = open('op=decompress');
      await once(ws, 'open');
      ws.pause();
      ws.send(zeros);
      await new Promise((next) => setTimeout(next, 20));
      ws.terminate();
    }
    await eventually(() => inFlight() === 0, 'all jobs ended');
    const { totals } = (await (await fetch(`${service.url}/v1/status`)).json()) as {
      totals: { activeStreams: number };
    };
    assert.equal(totals.activeStreams, 0);
  });
});

describe('shutdown', () => {
  it('cuts a WebSocket that does not answer the close', async () => {
    const own = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
    const stubborn = await serviceOn(own, { shutdownTimeout: '200ms' });
    const ws = new WebSocket(`${stubborn.url.replace('http', 'ws')}/v1/stream?op=compress`, STREAM_PROTOCOL);
    await once(ws, 'open');
    ws.pause();
    const started = performance.now();
    await stubborn.stop();
    assert.ok(performance.now() - started < 3000);
    ws.terminate();
  });
});

/** True if the unfinished gzip file `part` holds `body`. */
function decodesTo(part: Buffer, body: Buffer): boolean {
  return gunzipSync(part, { finishFlush: constants.Z_SYNC_FLUSH }).equals(body);
}

describe('a refused upgrade', () => {
  it('is answered and logged with its request id and reason', async () => {
    const { log, lines } = recordedLog();
    const own = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
    const logged = await serviceOn(own, {}, log);
    try {
      const cases = [
        ['/v1/stream?op=compress', 'Host: localhost\r\n', 'chat', 400, 'WD_E_PARAMETER'],
        ['/v1/stream?op=compress', 'Host: evil.example\r\n', STREAM_PROTOCOL, 403, 'WD_E_FORBIDDEN'],
        ['/v1/stream?op=compress', '', STREAM_PROTOCOL, 400, 'WD_E_REQUEST'],
        ['/v1/stream?op=melt', 'Host: localhost\r\n', STREAM_PROTOCOL, 400, 'WD_E_PARAMETER'],
        // the handshake itself: no Sec-WebSocket-Key
        ['/v1/monitor', 'Host: localhost\r\n', MONITOR_PROTOCOL, 426, 'WD_E_UPGRADE'],
      ] as const;
      for (const [i, [path, hostField, protocol, status, code]] of cases.entries()) {
        const answer = await rawAnswer(
          logged.url,
          `GET ${path} HTTP/1.1\r\n${hostField}Connection: Upgrade\r\nUpgrade: websocket\r\nX-Request-Id: up-${i}\r\n` +
            `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
        );
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*X-Request-Id: up-${i}\r\n`));
        assert.ok(answer.includes(`"code":"${code}"`) && answer.includes(`up-${i}"`), answer);
        const line = lines.find(({ message }) => message === 'WebSocket upgrade refused');
        assert.ok(line);
        const { detail, ...rest } = line.details as Record<string, unknown>;
        assert.deepEqual(rest, { reqId: `up-${i}`, path: path.split('?')[0], status, code });
        assert.ok(String(detail).length > 10);
        lines.length = 0;
      }
    } finally {
      await logged.stop();
    }
  });
});
