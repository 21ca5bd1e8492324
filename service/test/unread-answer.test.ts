import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, it } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Host } from '../src/host.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, rawConnection, sendWhole } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';
import { openHost } from './support/hosts.ts';

const MIB = 1024 * 1024;
/** Below what the host's kernel would take for one socket, above the pieces that are under way. */
const AT_MOST = 2 * MIB;
const LOOK_MS = 100;

let host: Host;
let service: RunningService;

before(async () => {
  host = await openHost({ cores: 1 });
  service = await serviceOn(host);
});
after(() => service.stop());

it('an answer that nobody reads is not made in advance', {
  skip: process.platform === 'linux' ? false : 'TCP_NOTSENT_LOWAT is Linux’s',
}, async () => {
  const bomb = gzipSync(Buffer.alloc(64 * MIB));
  const inflated = (): number => host.view.queues().reduce((sum, { bytesOut }) => sum + bytesOut, 0);
  const head = `POST /v1/decompress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bomb.length}\r\n\r\n`;
  const socket = await rawConnection(service.url, head);
  socket.pause();
  socket.write(bomb);
  let seen = -1;
  await eventually(async () => {
    const isStill = inflated() > 0 && inflated() === seen;
    seen = inflated();
    await later(LOOK_MS);
    return isStill;
  }, 'the service waits for the reader');
  assert.ok(seen < AT_MOST, `${seen} bytes were inflated`);
  socket.destroy();
});

it('an answer read late is right, though others got theirs meanwhile in memory that is used again', async () => {
  const late = jsonText(6 * MIB);
  const zipped = gzipSync(late);
  const other = Buffer.alloc(3 * MIB, 'other ');
  const head = `POST /v1/decompress HTTP/1.0\r\nHost: localhost\r\nContent-Length: ${zipped.length}\r\n\r\n`;
  const socket = await rawConnection(service.url, head);
  socket.write(zipped);
  await once(socket, 'readable');
  const url = `${service.url}/v1/decompress`;
  for (let i = 0; i < 5; i++) assert.ok(other.equals((await sendWhole(url, gzipSync(other))).body));
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part);
  const answer = Buffer.concat(parts);
  assert.ok(late.equals(answer.subarray(answer.indexOf('\r\n\r\n') + 4)));
});
