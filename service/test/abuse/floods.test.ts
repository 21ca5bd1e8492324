import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { MONITOR_PROTOCOL } from '../../../shared/src/telemetry.ts';
import { jsonText, rawAnswer, rawConnection, sendWhole } from '../http-client.ts';
import { hostDouble } from '../http-double.ts';
import { eventually, serviceOn } from '../http-service.ts';

const MAX_MONITORS = 64;

describe('a flood of connections', () => {
  it('ends at --max-connections: one more is 503, until one ends', async () => {
    const service = await serviceOn(hostDouble(), { maxConnections: 8 });
    const held: Socket[] = [];
    try {
      for (let i = 0; i < 8; i++) {
        const socket = await rawConnection(service.url, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await once(socket, 'data');
        held.push(socket);
      }
      const over = await rawAnswer(service.url, '');
      assert.match(over, /^HTTP\/1\.1 503 [\s\S]*Retry-After[\s\S]*"limitConnections":8/);
      held.pop()?.destroy();
      await eventually(async () => {
        const answer = await sendWhole(`${service.url}/v1/compress`, jsonText(1000)).catch(() => undefined);
        return answer?.status === 200;
      }, 'a place is free');
    } finally {
      for (const socket of held) socket.destroy();
      await service.stop();
    }
  });
});

describe('a flood of monitors', () => {
  it(`ends at ${MAX_MONITORS}: one more is closed with 1013`, async () => {
    const service = await serviceOn(hostDouble());
    const url = `${service.url.replace('http', 'ws')}/v1/monitor`;
    const feeds: WebSocket[] = [];
    try {
      for (let i = 0; i < MAX_MONITORS; i++) {
        const ws = new WebSocket(url, MONITOR_PROTOCOL);
        feeds.push(ws);
        await once(ws, 'message');
      }
      const over = new WebSocket(url, MONITOR_PROTOCOL);
      assert.equal((await once(over, 'close'))[0], 1013);
    } finally {
      for (const ws of feeds) ws.terminate();
      await service.stop();
    }
  });
});
