import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Host } from '../src/host.ts';
import type { RunningService } from '../src/service.ts';
import { jsonText, rawConnection, sendWhole } from './http-client.ts';
import { eventually, serviceOn } from './http-service.ts';
import { libraryOf, openHost } from './support/hosts.ts';

/** More than there are job slots of either kind. */
const BOMBS = 40;
/** The only core of the device hangs longer than this test may take. */
const NEVER_MS = 60_000;
const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));

let host: Host;
let service: RunningService;
const sockets: Socket[] = [];

before(async () => {
  host = await openHost({ cores: 1, engineLimitMs: NEVER_MS, jobDeadlineMs: NEVER_MS });
  service = await serviceOn(host);
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  await service.stop();
});

it('small requests are answered while bombs hold all that there is for bulk work', {
  timeout: 20_000,
}, async () => {
  await host.view.admin?.injectFault({ kind: 'core-hang' });
  let answered = 0;
  for (let i = 0; i < BOMBS; i++) {
    const head = `POST /v1/decompress HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bomb.length}\r\n\r\n`;
    const socket = await rawConnection(service.url, head);
    sockets.push(socket);
    socket.write(bomb);
    socket.once('data', () => answered++);
  }
  const { small, large } = libraryOf(host);
  await eventually(() => small.waiters + large.waiters > 0, 'bombs wait for slots');

  const plain = jsonText(2048);
  for (let i = 0; i < 3; i++) {
    const packed = await sendWhole(`${service.url}/v1/compress`, plain);
    assert.equal(packed.status, 200);
    assert.deepEqual(gunzipSync(packed.body), plain);
    const unpacked = await sendWhole(`${service.url}/v1/decompress`, packed.body);
    assert.deepEqual(unpacked.body, plain);
  }
  assert.equal(answered, 0, 'a bomb was served meanwhile: they did not hold the device');
});
