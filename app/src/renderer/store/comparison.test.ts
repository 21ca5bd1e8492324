import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BenchRow, BenchRun } from '../../../../shared/src/bench.ts';
import { compare, mergeRuns } from './comparison.ts';

const row = (part: Partial<BenchRow>): BenchRow => ({
  scenario: 'engine',
  isBaseline: false,
  processes: 1,
  jobBytes: 2048,
  mbPerSec: 100,
  jobsPerSec: 1,
  meanUs: 1,
  p99Us: 1,
  cpuPercent: 200,
  ratio: 3,
  failures: 0,
  ...part,
});
const run = (id: string, startedAtMs: number, rows: BenchRow[] = []): BenchRun => ({
  id,
  request: { experiment: 'sizes', sizes: [2048], seconds: 1 },
  machine: { cpus: 2, model: 'x', node: '20', core: 'auto', loadAverage: 0 },
  startedAtMs,
  outcome: 'done',
  progress: { done: 1, total: 1, what: '' },
  rows,
});

describe('compare', () => {
  it('compares with the software of the same size and number of processes only', () => {
    const rows = [
      row({ isBaseline: true, mbPerSec: 40 }),
      row({}),
      row({ jobBytes: 4096 }),
      row({ processes: 3 }),
    ];
    assert.deepEqual(
      compare(run('a', 0, rows)).map(({ multiple }) => multiple),
      [1, 2.5, undefined, undefined],
    );
    assert.equal(compare(run('a', 0, rows))[1]?.cpuMsPerMb, 20); // two cores for a second, 100 MB
  });
});

describe('mergeRuns', () => {
  it('takes a run once, the service’s word over the stored one, oldest first, at most so many', () => {
    const live = { ...run('b', 2), outcome: 'running' as const };
    const merged = mergeRuns([run('b', 2), run('a', 1)], [live, run('c', 3)], 2);
    assert.deepEqual(
      merged.map(({ id, outcome }) => [id, outcome]),
      [
        ['b', 'running'],
        ['c', 'done'],
      ],
    );
  });
});
