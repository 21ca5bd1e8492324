import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { jsonText, sendWhole } from '../http-client.ts';
import { runAborts } from './aborts.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';

const MIB = 1024 * 1024;
const COUNT = 300;
/** The defect that this guards against kept 256 KiB an abort: 150 MiB here. */
const MAX_GROWTH = 75 * MIB;

describe('clients that leave', () => {
  let service: ServiceProcess;
  before(async () => {
    service = await startServiceProcess(['--cores', '1']);
  });
  after(async () => {
    service.kill('SIGTERM');
    await service.exited;
  });

  // the full count is `npm run test:aborts -- --count 10000`
  it('take no slot, no job, no descriptor and no memory along', async () => {
    const { left, rssBeforeBytes, rssAfterBytes } = await runAborts(service, COUNT);
    assert.deepEqual(left, { activeStreams: 0, jobsInFlight: 0, jobSlotsTaken: 0, descriptors: 0 });
    const growth = rssAfterBytes - rssBeforeBytes;
    assert.ok(growth < MAX_GROWTH, `RSS grew by ${(growth / MIB).toFixed(1)} MiB`);
    const body = jsonText(2 * MIB);
    const answer = await sendWhole(`${service.url}/v1/compress`, body);
    assert.ok(gunzipSync(answer.body).equals(body));
  });
});
