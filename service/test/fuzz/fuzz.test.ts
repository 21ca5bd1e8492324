/** A short run of every fuzz target over its seeds, its corpus and a few new inputs; the long ones go by `npm run fuzz`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuzz } from './fuzz.ts';
import { Finding, type FuzzTarget } from './target.ts';
import { TARGETS } from './targets.ts';

/** Targets that wait for a socket's silence run in fewer steps. */
const EXECUTIONS: Record<string, number> = { 'ws-control': 64, http: 64, sysfs: 64 };

describe('fuzz targets', () => {
  for (const target of TARGETS)
    it(`finds nothing in ${target.name} over the corpus and new inputs`, async (t) => {
      const seed = Number(process.env['WARPDRIVE_SEED'] ?? Date.now() % 1e6);
      t.diagnostic(`WARPDRIVE_SEED=${seed}`);
      const executions = EXECUTIONS[target.name] ?? 192;
      const report = await fuzz(target, { seed, executions, isGuided: false });
      assert.deepEqual(
        report.findings.map(({ message, input }) => [message, Buffer.from(input).toString('base64')]),
        [],
      );
      assert.equal(report.executions, executions);
    });
});

/** Wrong for inputs with one word. */
const broken: FuzzTarget = {
  name: 'broken',
  width: 1,
  maxBytes: 16,
  dictionary: ['DEFECT'],
  seeds: () => [Buffer.from('seed')],
  open: () =>
    Promise.resolve({
      run(input) {
        if (Buffer.from(input).includes('DEFECT')) throw new Finding('found');
        return 'passed';
      },
      close: () => Promise.resolve(),
    }),
};

describe('fuzz', () => {
  it('finds a planted defect, keeps the input, and finds the same again for the same seed', async () => {
    const [first, second] = [
      await fuzz(broken, { seed: 7, executions: 2000, isGuided: false }),
      await fuzz(broken, { seed: 7, executions: 2000, isGuided: false }),
    ];
    assert.ok(first.findings.length > 0);
    assert.deepEqual(first.findings, second.findings);
    for (const { input } of first.findings) assert.ok(Buffer.from(input).includes('DEFECT'));
  });

  it('reports what is left behind with the input that left it', async () => {
    let isLeft = false;
    const leaking: FuzzTarget = {
      ...broken,
      name: 'leaking',
      open: () =>
        Promise.resolve({
          run(input) {
            isLeft ||= Buffer.from(input).includes('DEFECT');
            return 'passed';
          },
          settle() {
            const was = isLeft;
            isLeft = false;
            return was ? Promise.reject(new Finding('left behind')) : Promise.resolve();
          },
          close: () => Promise.resolve(),
        }),
    };
    const { findings } = await fuzz(leaking, { seed: 7, executions: 2000, isGuided: false });
    assert.ok(findings.length > 0);
    for (const { input, message } of findings) {
      assert.equal(message, 'left behind');
      assert.ok(Buffer.from(input).includes('DEFECT'));
    }
  });
});
