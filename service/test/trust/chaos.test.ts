import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runChaos } from './chaos.ts';

/** The long run is `npm run test:chaos -- --minutes 20`. */
const TOTAL_MS = 9000;

it('chaos: requests end with the right bytes or visibly fail, and nothing is kept', async (t) => {
  const seed = Number(process.env['WARPDRIVE_SEED'] ?? Date.now() % 1e9);
  t.diagnostic(`WARPDRIVE_SEED=${seed}`);
  const report = await runChaos({
    seed,
    totalMs: TOTAL_MS,
    lanes: 6,
    roundMs: TOTAL_MS / 2,
    log: (line) => t.diagnostic(line),
  });
  assert.deepEqual(report.findings, []);
  assert.deepEqual([report.counts.wrong, report.counts.hung], [0, 0]);
  assert.ok(report.counts.right > 0 && report.actions.size > 0);
  assert.deepEqual(report.leftovers, []);
  assert.deepEqual(report.accidents, []);
});
