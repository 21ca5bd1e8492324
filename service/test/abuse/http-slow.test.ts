/** Clients that take their time, in each direction. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { configSchema } from '../../src/config/schema.ts';
import { createHost } from '../../src/host.ts';
import { silentLog } from '../../src/platform/log.ts';
import type { RunningService } from '../../src/service.ts';
import { jsonText, rawConnection, sendWhole } from '../http-client.ts';
import { eventually, serviceOn } from '../http-service.ts';

const MIB = 1024 * 1024;
const DRIP_MS = 40;
const CROWD = 60;
const options = { headerTimeout: '600ms', idleTimeout: '900ms', maxTime: '4s' };

let service: RunningService;
before(async () => {
  const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
  service = await serviceOn(host, options);
});
after(() => service.stop());

/** Sends one byte after the other until the service ends the connection. @returns all that was answered */
async function drip(first: string, byte: string): Promise<string> {
  const socket = await rawConnection(service.url, first);
  const timer = setInterval(() => socket.write(byte), DRIP_MS);
  const answer = await answerOf(socket);
  clearInterval(timer);
  return answer;
}

async function answerOf(socket: Socket): Promise<string> {
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  await once(socket, 'close');
  return answer;
}

const headOf = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n`;
const healthy = async () => {
  const body = jsonText(3000);
  assert.equal((await sendWhole(`${service.url}/v1/compress`, body)).status, 200);
};

describe('defaults', () => {
  it('give a head 15 s, a body that stands still 60 s, and a WebSocket 60 s to answer a ping', () => {
    const { headerTimeout, idleTimeout, pingTimeout } = configSchema.parse({});
    assert.deepEqual([headerTimeout, idleTimeout, pingTimeout], [15_000, 60_000, 60_000]);
  });
});

describe('a slow head', () => {
  it('that drips byte by byte is 408 all the same: the time counts for the whole', async () => {
    const answer = await drip('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ', 'x');
    assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*"idleMs":600/);
  });

  it('of a connection that sends nothing at all is ended', async () => {
    const socket = await rawConnection(service.url, '');
    await answerOf(socket);
  });
});

describe('a slow body', () => {
  for (const path of ['/v1/compress', '/v1/compress?flush=sync', '/v1/decompress'])
    it(`that stands still is 408 (${path})`, async () => {
      const socket = await rawConnection(service.url, headOf(path));
      const answer = await answerOf(socket);
      assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*"idleMs":900/);
    });

  it('that drips lives on as long as --max-time lets it', async () => {
    const startedMs = performance.now();
    const answer = await drip(headOf('/v1/compress'), 'x');
    assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*"limitMs":4000/);
    assert.ok(performance.now() - startedMs > 900, 'longer than the idle limit');
  });

  it('of a whole crowd keeps nobody else waiting, nor does a crowd that reads nothing', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MIB));
    const announced = `POST /v1/decompress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bomb.length}\r\n\r\n`;
    const sockets = await Promise.all(
      Array.from({ length: CROWD }, async (_, i) => {
        if (i % 2 === 0)
          return rawConnection(service.url, headOf(i % 4 === 0 ? '/v1/compress' : '/v1/decompress'));
        const reader = await rawConnection(service.url, announced);
        reader.pause();
        reader.write(bomb);
        return reader;
      }),
    );
    await healthy();
    for (const socket of sockets) socket.on('close', () => {}).resume();
    await Promise.all(sockets.map((socket) => socket.destroyed || once(socket, 'close')));
    await healthy();
  });
});

describe('an answer that nobody reads', () => {
  it('is broken off after --idle-timeout, and its stream is freed', async () => {
    const host = await createHost({ mode: 'sva', core: 'auto', cores: 1, queues: 4 }, silentLog);
    const { url, stop } = await serviceOn(host, { idleTimeout: '900ms' });
    const bomb = gzipSync(Buffer.alloc(256 * MIB));
    const socket = await rawConnection(
      url,
      `POST /v1/decompress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bomb.length}\r\n\r\n`,
    );
    socket.pause();
    socket.write(bomb);
    const active = async () => {
      const status = (await (await fetch(`${url}/v1/status`)).json()) as {
        totals: { activeStreams: number };
      };
      return status.totals.activeStreams;
    };
    try {
      await eventually(async () => (await active()) === 1, 'it is served');
      await eventually(async () => (await active()) === 0, 'it is given up');
    } finally {
      socket.destroy();
      await stop();
    }
  });
});
