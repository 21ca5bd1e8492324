/**
 * `npm run fuzz -- --target T --seconds N --seed S`: see docs/reliability.md. `--target` takes several, separated by
 * commas, or `all`; `--executions N` bounds the inputs instead; `--input FILE` replays one; `--grow` adds inputs that
 * reached new code to the corpus. What is found is always added.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { saveInput } from './corpus.ts';
import { type FuzzReport, fuzz, replay } from './fuzz.ts';
import type { FuzzTarget } from './target.ts';
import { TARGETS } from './targets.ts';
import { watchFor } from './watch.ts';

/** Inputs that `--grow` may add to the repository in a run, and bytes of each. */
const MAX_GROWN = 25;
const MAX_GROWN_BYTES = 1024;

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'all' },
    seconds: { type: 'string', default: '60' },
    executions: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    input: { type: 'string' },
    grow: { type: 'boolean', default: false },
  },
});
const numberOf = (name: 'seconds' | 'executions' | 'seed', text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0)
    throw new RangeError(`--${name} ${text} is not a number from 0 on`);
  return value;
};
const seed = numberOf('seed', values.seed);
const limit =
  values.executions === undefined
    ? { seconds: numberOf('seconds', values.seconds) }
    : { executions: numberOf('executions', values.executions) };

function chosen(names: string): FuzzTarget[] {
  if (names === 'all') return [...TARGETS];
  return names.split(',').map((name) => {
    const target = TARGETS.find((known) => known.name === name);
    if (!target)
      throw new RangeError(
        `--target ${name} is none of all, ${TARGETS.map((known) => known.name).join(', ')}`,
      );
    return target;
  });
}

function tell(
  { target, executions, replayed, outcomes, covered, findings, kept }: FuzzReport,
  ms: number,
): void {
  console.log(
    JSON.stringify({
      target,
      seed,
      executions,
      replayed,
      seconds: Math.round(ms / 1000),
      outcomes,
      covered,
      kept: kept.length,
      findings: findings.length,
    }),
  );
  const told = new Set<string>();
  for (const { input, message } of findings) {
    const kind = message.replaceAll(/[0-9"]+/g, '#').slice(0, 60);
    if (told.has(kind)) continue;
    told.add(kind);
    const file = saveInput(target, 'finding', input);
    console.log(`FINDING ${message}\n  replay: npm run fuzz -- --target ${target} --input ${file}`);
  }
  if (findings.length > 0) process.exitCode = 1;
}

async function runOne(target: FuzzTarget): Promise<void> {
  const began = performance.now();
  if (values.input !== undefined) {
    tell(await replay(target, readFileSync(values.input)), performance.now() - began);
    return;
  }
  const watch = watchFor(target.name);
  let atWork: readonly Uint8Array[] = [];
  const died = (error: unknown): void => {
    const files = atWork.map((input) => saveInput(target.name, 'finding', input));
    console.error(`FINDING uncaught, from one of ${files.join(' ')}\n`, error);
    process.exit(1);
  };
  process.on('uncaughtException', died);
  let told = began;
  try {
    const report = await fuzz(target, {
      seed,
      ...limit,
      beforeRun(inputs) {
        atWork = inputs;
        watch.show(inputs);
      },
      onBatch({ executions, findings, covered }) {
        if (performance.now() - told < 10_000) return;
        told = performance.now();
        console.error(
          `${target.name}: ${executions} executions, ${covered} covered, ${findings.length} findings`,
        );
      },
    });
    tell(report, performance.now() - began);
    const grown = report.kept.filter(({ length }) => length <= MAX_GROWN_BYTES).slice(0, MAX_GROWN);
    if (values.grow) for (const input of grown) saveInput(target.name, 'seed', input);
  } finally {
    process.off('uncaughtException', died);
    await watch.close();
  }
}

for (const target of chosen(values.target)) await runOne(target);
