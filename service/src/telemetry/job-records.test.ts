import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../platform/clock.ts';
import { type JobFacts, JobRecords, MAX_JOB_RECORDS } from './job-records.ts';

function records() {
  let nowUs = 0;
  const clock: Clock = { wallMs: () => nowUs / 1000, monotonicUs: () => nowUs, after: () => () => {} };
  const jobs = new JobRecords(clock);
  const factsOf = (number: number): JobFacts => ({
    id: jobs.idOf(number),
    number,
    subject: { op: 'compress', format: 'gzip', level: 1 },
    state: 'done',
    status: 200,
    bytesIn: 10,
    bytesOut: 5,
    startedAtMs: 0,
    durationMs: 1,
    crc32: 0x1f,
    core: 'wasm',
    rest: undefined,
  });
  const finish = () => {
    const number = jobs.newNumber();
    jobs.finished(factsOf(number), nowUs);
    return jobs.idOf(number);
  };
  return { jobs, finish, factsOf, advanceMs: (ms: number) => (nowUs += ms * 1000) };
}

describe('JobRecords', () => {
  it('keeps a record for a minute after the end', () => {
    const { jobs, finish, advanceMs } = records();
    const id = finish();
    advanceMs(59_999);
    assert.deepEqual([jobs.find(id)?.bytesOut, jobs.find(id)?.crc32], [5, '0000001f']);
    advanceMs(1);
    assert.equal(jobs.find(id), undefined);
  });

  it('keeps the newest, so many and no more', () => {
    const { jobs, finish } = records();
    const ids = Array.from({ length: MAX_JOB_RECORDS + 1 }, finish);
    assert.equal(jobs.find(ids[0] ?? ''), undefined);
    assert.equal(jobs.find(ids[1] ?? '')?.id, ids[1]);
    assert.equal(jobs.find(ids.at(-1) ?? '')?.id, ids.at(-1));
  });

  it('shows a job that runs as it is now', () => {
    const { jobs, factsOf } = records();
    const number = jobs.newNumber();
    const id = jobs.idOf(number);
    let bytesIn = 1;
    jobs.started(id, { facts: () => ({ ...factsOf(number), state: 'running', status: 0, bytesIn }) });
    bytesIn = 2;
    assert.deepEqual(
      [jobs.find(id)?.state, jobs.find(id)?.bytesIn, jobs.find(id)?.status],
      ['running', 2, undefined],
    );
  });

  it('knows no id that it did not give', () => {
    const { jobs, finish } = records();
    const id = finish();
    for (const other of ['', 'x', `${id}0`, `x${id}`, '../etc', id.toUpperCase() + id])
      assert.equal(jobs.find(other), undefined, other);
  });
});
