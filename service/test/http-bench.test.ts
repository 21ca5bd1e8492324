import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BenchRun } from '../../shared/src/bench.ts';
import type { RunningService } from '../src/service.ts';
import { hostDouble } from './http-double.ts';
import { ADMIN_TOKEN, serviceOn } from './http-service.ts';

let service: RunningService;
before(async () => {
  service = await serviceOn(hostDouble());
});
after(() => service.stop());

const admin = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' };
const start = (body: object, headers: Record<string, string> = admin) =>
  fetch(`${service.url}/v1/bench`, { method: 'POST', headers, body: JSON.stringify(body) });
const runs = async () =>
  ((await (await fetch(`${service.url}/v1/bench`)).json()) as { runs: BenchRun[] }).runs;

async function ended(id: string): Promise<BenchRun> {
  for (let i = 0; i < 600; i++) {
    const run = (await runs()).find((one) => one.id === id);
    if (run !== undefined && run.outcome !== 'running') return run;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error('the run did not end');
}

describe('/v1/bench', () => {
  it('lets nobody but the administrator start a run', async () => {
    assert.equal((await start({}, { 'Content-Type': 'application/json' })).status, 401);
    assert.equal((await start({}, { ...admin, Authorization: 'Bearer no' })).status, 403);
    assert.deepEqual(await runs(), []);
  });

  it('names the field of a request that it refuses', async () => {
    for (const [body, field] of [
      [{ experiment: 'fast' }, 'experiment'],
      [{ sizes: [1] }, 'sizes.0'],
      [{ sizes: [] }, 'sizes'],
      [{ seconds: 11 }, 'seconds'],
    ] as const) {
      const response = await start(body);
      assert.equal(response.status, 400);
      assert.equal(((await response.json()) as { field: string }).field, field);
    }
  });

  it('measures the engine and node:zlib on one corpus, one run at a time, and keeps the result', async () => {
    const response = await start({ sizes: [65_536], seconds: 1 });
    assert.equal(response.status, 202);
    const { id } = (await response.json()) as BenchRun;
    assert.equal((await start({})).status, 409);
    const run = await ended(id);
    assert.equal(run.outcome, 'done', run.error);
    assert.deepEqual(
      run.rows.map(({ isBaseline, jobBytes }) => [isBaseline, jobBytes]),
      [
        [true, 65_536],
        [false, 65_536],
      ],
    );
    for (const row of run.rows) {
      assert.ok(row.mbPerSec > 0 && row.ratio > 1.5 && row.cpuPercent > 0, JSON.stringify(row));
      assert.equal(row.failures, 0);
    }
    assert.deepEqual(run.progress, { done: 2, total: 2, what: 'done' });
    assert.ok(run.machine.cpus > 0 && run.machine.model !== '');
  });

  it('cancels a run, keeps its rows, and answers 404 for one that is over', async () => {
    const { id } = (await (await start({ experiment: 'deck', seconds: 5 })).json()) as BenchRun;
    const cancel = () => fetch(`${service.url}/v1/bench/${id}`, { method: 'DELETE', headers: admin });
    assert.equal((await cancel()).status, 200);
    assert.equal((await ended(id)).outcome, 'cancelled');
    assert.equal((await cancel()).status, 404);
  });
});
