import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { configSchema } from '../src/config/schema.ts';
import { systemClock } from '../src/platform/clock.ts';
import { type RunningService, startService } from '../src/service.ts';
import { Counters } from '../src/telemetry/counters.ts';
import { JobRecords } from '../src/telemetry/job-records.ts';
import { hostDouble } from './http-double.ts';
import { recordedLog } from './recorded-log.ts';

describe('a worker whose primary is gone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpdrive-alone-'));
  const path = join(folder, 'worker.sock');
  const { log, lines } = recordedLog();
  let service: RunningService;

  before(async () => {
    const host = hostDouble();
    service = await startService({
      config: configSchema.parse({ shutdownTimeout: 1 }),
      host,
      adminToken: 'token-of-the-tests',
      clock: systemClock,
      log,
      role: {
        kind: 'worker',
        path,
        counters: new Counters(host.view),
        jobs: new JobRecords(systemClock),
        primaryPath: join(folder, 'nobody.sock'),
      },
    });
  });
  after(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  it('refuses what the primary answers with 503, and logs it with its request id', async () => {
    const sent = request({
      socketPath: path,
      path: '/v1/queues?a=b',
      headers: { Host: 'localhost', 'X-Request-Id': 'lonely-1' },
    }).end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 503);
    const line = lines.find(({ message }) => message === 'request refused');
    assert.deepEqual(line?.details, {
      reqId: 'lonely-1',
      path: '/v1/queues',
      status: 503,
      code: 'WD_E_DRAINING',
      detail: 'the primary process does not answer',
    });
  });

  it('refuses the monitor with 503, and logs it with its request id', async () => {
    const socket = connect(path);
    socket.write(
      'GET /v1/monitor HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        'Sec-WebSocket-Protocol: warpdrive.monitor.v1\r\nX-Request-Id: lonely-2\r\n\r\n',
    );
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.match(text, /^HTTP\/1\.1 503 [\s\S]*X-Request-Id: lonely-2/);
    const line = lines.find(({ message }) => message === 'WebSocket upgrade refused');
    assert.deepEqual(line?.details, {
      reqId: 'lonely-2',
      path: '/v1/monitor',
      status: 503,
      code: 'WD_E_DRAINING',
      detail: 'the primary process does not answer',
    });
  });
});
