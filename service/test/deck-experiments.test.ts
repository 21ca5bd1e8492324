/** Deck, the two throughput experiments: rows F1 and F2 of warpdrive.md section 2.7. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { RunResult } from '../src/cli/bench/types.ts';
import { run } from './cli-process.ts';

interface Table {
  processes: number;
  pktlen: number;
  rows: { scenario: string; result: RunResult }[];
}

const SCENARIOS = [
  'SVA, I/O page faults',
  'SVA, pinned (touched first)',
  'private map (vfio)',
  'no IOMMU',
  'node:zlib level 1',
];
const PKTLEN = 8192;

describe('the experiments of the deck', () => {
  let tables: Table[] = [];
  before(async () => {
    const flags = [
      '--experiment',
      'deck',
      '--json',
      '--pktlen',
      String(PKTLEN),
      '--seconds',
      '1',
      '--cores',
      '1',
    ];
    const { code, stdout, stderr } = await run(['bench', ...flags]);
    assert.equal(code, 0, stderr);
    tables = (JSON.parse(stdout.toString()) as { tables: Table[] }).tables;
  });

  for (const [row, processes] of [
    ['F1', 1],
    ['F2', 3],
  ] as const)
    it(`${row} measures ${processes} process(es) with a queue each, synchronous, in every scenario beside node:zlib`, (t) => {
      const table = tables.find((one) => one.processes === processes);
      assert.deepEqual(
        table?.rows.map(({ scenario }) => scenario),
        SCENARIOS,
      );
      for (const { scenario, result } of table?.rows ?? []) {
        const { isSync, contexts, inflight } = result.run;
        assert.deepEqual([result.run.processes, isSync, contexts, inflight], [processes, true, 1, 1]);
        assert.equal(result.failures, 0, scenario);
        assert.ok(result.mbPerSec > 0 && result.jobs > 0 && result.p99Us >= result.meanUs / 2, scenario);
        t.diagnostic(`${scenario}: ${result.mbPerSec.toFixed(1)} MB/s`);
      }
      const [faulting, pinned] = table?.rows ?? [];
      assert.ok((faulting?.result.pageRequests ?? 0) > (pinned?.result.pageRequests ?? 0), 'I/O page faults');
      assert.ok((faulting?.result.pageRequests ?? 0) >= (faulting?.result.jobs ?? 0) / 2);
    });
});
