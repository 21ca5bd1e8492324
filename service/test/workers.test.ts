import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { WebSocket } from 'ws';
import {
  type DeviceSnapshot,
  type FaultSnapshot,
  MONITOR_PROTOCOL,
  type MonitorMessage,
  type QueueSnapshot,
} from '../../shared/src/telemetry.ts';
import { jsonText, send, sendWhole } from './http-client.ts';
import { serveWithWorkers, startLoad, until, type WorkersService } from './workers-process.ts';

const queuesOf = async (service: WorkersService): Promise<QueueSnapshot[]> =>
  ((await service.get('/v1/queues')) as { queues: QueueSnapshot[] }).queues;

describe('warpdrive serve --workers 2', () => {
  it('serves on two virtual functions, and its figures are the sums of both', async () => {
    const service = await serveWithWorkers(2);
    const bodies = Array.from({ length: 24 }, (_, i) => jsonText(1000 + i * 30_000));
    const answers = await Promise.all(bodies.map((body) => sendWhole(`${service.url}/v1/compress`, body)));
    answers.forEach(({ body }, i) => void assert.ok(gunzipSync(body).equals(bodies[i]!)));
    const { totals, workers } = await service.status();
    const bytesIn = bodies.reduce((sum, { length }) => sum + length, 0);
    const bytesOut = answers.reduce((sum, { body }) => sum + body.length, 0);
    assert.deepEqual(
      [totals.requests, totals.failures, totals.bytesIn, totals.bytesOut, totals.activeStreams],
      [24, 0, bytesIn, bytesOut, 0],
    );
    assert.deepEqual(
      workers?.map(({ vf, device, state, queueBase, queueCount }) => [
        vf,
        device,
        state,
        queueBase,
        queueCount,
      ]),
      [
        [1, 'hisi_zip-1', 'ready', 64, 480],
        [2, 'hisi_zip-2', 'ready', 544, 480],
      ],
    );
    const queues = await queuesOf(service);
    assert.equal(new Set(queues.map(({ id }) => id)).size, queues.length, 'ids are unique');
    for (const device of ['hisi_zip-1', 'hisi_zip-2'])
      assert.ok(
        queues.some((queue) => queue.device === device && queue.bytesIn > 0),
        `${device} worked`,
      );
    assert.equal(
      queues.reduce((sum, queue) => sum + queue.operations, 0),
      totals.operations,
    );
    for (const { headers } of answers.slice(0, 4)) {
      const record = (await service.get(`/v1/jobs/${headers['wd-job']}`)) as { id: string; bytesIn: number };
      assert.deepEqual(record.id, headers['wd-job'], 'whichever worker did it, and whichever is asked');
    }
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    assert.match(
      metrics,
      /warpdrive_http_requests_total\{route="\/v1\/compress",method="POST",status="200"\} 24/,
    );
    const sqes = [
      ...metrics.matchAll(/^warpdrive_sqe_latency_seconds_count\{device="(hisi_zip-[12])"\} (\d+)$/gm),
    ];
    assert.equal(new Set(sqes.map(([, device]) => device)).size, 2);
    assert.equal(
      sqes.reduce((sum, [, , count]) => sum + Number(count), 0),
      totals.operations,
    );
    assert.match(metrics, new RegExp(`warpdrive_job_input_bytes_total\\{[^}]*\\} ${bytesIn}\\b`));
  });

  it('lets the administrator act on a worker’s queue, and shows a worker’s fault with its function', async () => {
    const service = await serveWithWorkers(2);
    const body = jsonText(200_000);
    await Promise.all(Array.from({ length: 8 }, () => sendWhole(`${service.url}/v1/compress`, body)));
    const queue = (await queuesOf(service)).find(({ device }) => device === 'hisi_zip-2');
    const reset = (id: string) => service.admin('POST', `/v1/queues/${encodeURIComponent(id)}/reset`);
    assert.equal((await reset(queue!.id)).status, 200);
    assert.equal((await reset('hisi_zip-2/999')).status, 404);
    assert.equal((await reset('hisi_zip-9/0')).status, 404);
    const unauthorised = await fetch(`${service.url}/v1/queues/${encodeURIComponent(queue!.id)}/reset`, {
      method: 'POST',
    });
    assert.equal(unauthorised.status, 401);
    for (let i = 0; i < 8; i++) {
      const answer = await sendWhole(`${service.url}/v1/compress`, body);
      assert.ok(gunzipSync(answer.body).equals(body));
    }
    const [mdev] = ((await service.get('/v1/mdevs')) as { mdevs: { uuid: string }[] }).mdevs;
    assert.equal(
      (await service.admin('DELETE', `/v1/mdevs/${mdev!.uuid}`)).status,
      409,
      'in use by a worker',
    );
    const made = await service.admin('POST', '/v1/mdevs', { type: 'hisi_zip-zip' });
    assert.equal(
      (made.json as { parent: string }).parent,
      'hisi_zip-0',
      'the primary has the physical function',
    );
  });

  it('takes the fault model everywhere and lists the faults of all functions in one order', async () => {
    const service = await serveWithWorkers(2, '--fallback', 'never');
    assert.equal((await service.admin('PATCH', '/v1/iommu', { faultModel: 'none' })).status, 200);
    const { devices } = (await service.get('/v1/devices')) as { devices: DeviceSnapshot[] };
    assert.deepEqual(
      devices.map(({ name, faultModel, vf }) => [name, faultModel, vf]),
      [
        ['hisi_zip-0', 'none', undefined],
        ['hisi_zip-1', 'none', 1],
        ['hisi_zip-2', 'none', 2],
      ],
    );
    // pages that were never touched are absent, and nothing brings them in any more
    for (let i = 0; i < 4; i++)
      assert.equal((await sendWhole(`${service.url}/v1/compress`, jsonText(200_000))).status, 502);
    const { faults } = (await service.get('/v1/faults')) as { faults: FaultSnapshot[] };
    assert.deepEqual(
      faults.map(({ seq }) => seq),
      faults.map((_, i) => i + 1),
    );
    assert.deepEqual([...new Set(faults.map(({ device }) => device))].sort(), ['hisi_zip-1', 'hisi_zip-2']);
    assert.ok(faults.every(({ pasid, event }) => pasid === undefined && event === 'F_TRANSLATION'));
    const asAdmin = (await service.admin('GET', '/v1/faults?since=1')).json as { faults: FaultSnapshot[] };
    assert.equal(asAdmin.faults.length, faults.length - 1);
    assert.ok(asAdmin.faults.every(({ pasid }) => pasid !== undefined && pasid > 0));
    assert.equal((await service.status()).totals.faults, faults.length);

    const [first] = await service.workers();
    process.kill(first!.pid, 'SIGKILL');
    await until(async () => {
      const [worker] = await service.workers().catch(() => []); // a kept connection may have been the dead worker's
      return worker?.restarts === 1 && worker.state === 'ready';
    }, 'the worker is replaced');
    const { devices: again } = (await service.get('/v1/devices')) as { devices: DeviceSnapshot[] };
    assert.deepEqual([...new Set(again.map(({ faultModel }) => faultModel))], ['none']);
  });

  it('feeds one monitor with all queues, whichever worker took its connection', async () => {
    const service = await serveWithWorkers(2);
    for (let i = 0; i < 2; i++) {
      const ws = new WebSocket(`${service.url.replace('http', 'ws')}/v1/monitor`, MONITOR_PROTOCOL);
      const messages: MonitorMessage[] = [];
      ws.on('message', (text) => messages.push(JSON.parse(String(text)) as MonitorMessage));
      await once(ws, 'open');
      await sendWhole(`${service.url}/v1/compress`, jsonText(50_000));
      const { sample } = await until(async () => {
        const found = messages.findLast((message) => message.type === 'sample');
        return found?.type === 'sample' && found.sample.totals.requests > i && found;
      }, 'a sample that counts the request');
      assert.deepEqual([...new Set(sample.queues.map(({ device }) => device))].sort(), [
        'hisi_zip-1',
        'hisi_zip-2',
      ]);
      assert.equal(sample.workers?.length, 2);
      assert.equal(messages[0]?.type === 'snapshot' && messages[0].queues.length, sample.queues.length);
      ws.close();
      await once(ws, 'close');
    }
  });

  it('replaces a worker that is killed under load; only its own requests fail and nothing is counted back', async () => {
    const service = await serveWithWorkers(2);
    const load = startLoad(service.url, 8, jsonText(20_000));
    const seen: number[] = [];
    const looked = async () => {
      const { totals } = await service.status().catch(() => ({ totals: undefined }));
      if (totals) seen.push(totals.bytesIn, totals.operations);
    };
    await until(async () => load.count.ok > 50, 'requests are served');
    await looked();
    const [first] = await service.workers();
    process.kill(first!.pid, 'SIGKILL');
    const replaced = await until(async () => {
      await looked();
      const [worker] = await service.workers().catch(() => []);
      return worker !== undefined && worker.state === 'ready' && worker.pid !== first!.pid && worker;
    }, 'the worker is replaced');
    const servedBefore = load.count.ok;
    await until(async () => load.count.ok > servedBefore + 50, 'requests are served again');
    await looked();
    await load.stop();
    assert.deepEqual([replaced.restarts, replaced.lastEnd], [1, 'SIGKILL']);
    // each of its connections had at most one request open, and the other worker's went on
    assert.ok(load.count.broken <= 8, `${load.count.broken} requests broke`);
    assert.equal(load.count.refused.size, 0);
    for (let i = 2; i < seen.length; i++) assert.ok(seen[i]! >= seen[i - 2]!, 'counters never fall');
    const { totals } = await service.status();
    assert.ok(totals.requests >= load.count.ok * 0.5 && totals.bytesIn > 0);
    assert.equal(totals.activeStreams, 0);
  });

  it('ends in order on SIGTERM under load: every request that was taken is answered whole', async () => {
    const service = await serveWithWorkers(2);
    const load = startLoad(service.url, 8, jsonText(20_000));
    const slow = Array.from({ length: 4 }, () =>
      send(`${service.url}/v1/compress`, {
        chunks: (async function* () {
          yield jsonText(400_000);
          await until(async () => service.log().includes('draining'), 'it drains');
          yield jsonText(400_000);
        })(),
      }),
    );
    await until(async () => load.count.ok > 50, 'requests are served');
    await until(async () => (await service.status()).totals.activeStreams === 4, 'four streams are open');
    // the group's signal, as a terminal or a service manager sends it: the workers leave it to the primary
    for (const { pid } of await service.workers()) process.kill(pid, 'SIGTERM');
    service.child.kill('SIGTERM');
    const answers = await Promise.all(slow);
    for (const { status, complete, body } of answers) {
      assert.deepEqual([status, complete], [200, true]);
      assert.equal(gunzipSync(body).length, 800_000);
    }
    if (service.child.exitCode === null) await once(service.child, 'exit');
    assert.equal(service.child.exitCode, 0);
    await load.stop();
  });

  it('still serves for --drain-delay after /readyz says no', async () => {
    const service = await serveWithWorkers(2, '--drain-delay', '3s');
    service.child.kill('SIGTERM');
    await until(async () => (await fetch(`${service.url}/readyz`)).status === 503, 'not ready any more');
    assert.equal((await sendWhole(`${service.url}/v1/compress`, jsonText(1000))).status, 200);
    await once(service.child, 'exit');
    assert.equal(service.child.exitCode, 0);
  });

  it('exits at once on a second signal', async () => {
    const service = await serveWithWorkers(2);
    const workers = await service.workers();
    const open = send(`${service.url}/v1/compress`, {
      chunks: (async function* () {
        yield jsonText(1000);
        await once(service.child, 'exit');
      })(),
    }).catch(() => undefined);
    await until(async () => (await service.status()).totals.activeStreams >= 0, 'it answers');
    service.child.kill('SIGTERM');
    await until(async () => service.log().includes('draining'), 'it drains');
    service.child.kill('SIGTERM');
    await once(service.child, 'exit');
    assert.equal(service.child.exitCode, 1);
    await until(async () => workers.every(({ pid }) => !isAlive(pid)), 'the workers are gone');
    await open;
  });

  it('leaves no worker and no port behind when the primary is killed', async () => {
    const service = await serveWithWorkers(2);
    const workers = await service.workers();
    service.child.kill('SIGKILL');
    await until(async () => workers.every(({ pid }) => !isAlive(pid)), 'the workers are gone');
    await assert.rejects(fetch(service.url));
    const again = await serveWithWorkers(2, '--port', new URL(service.url).port);
    assert.equal(again.url, service.url);
  });

  it('says in /readyz when its workers keep dying, and goes on answering', async () => {
    const service = await serveWithWorkers(1 + 1);
    const killAll = async () => {
      for (const { pid } of await service.workers())
        if (pid !== 0 && isAlive(pid)) process.kill(pid, 'SIGKILL');
    };
    await until(async () => {
      await killAll();
      return (await service.workers()).every(({ state }) => state === 'failed');
    }, 'both are given up for now');
    const ready = await fetch(`${service.url}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /0 of 2 workers/);
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
    const refused = await sendWhole(`${service.url}/v1/compress`, jsonText(1000));
    assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
