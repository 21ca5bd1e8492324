/**
 * `npm run test:mutations -- [--row N]`: takes each defence of the attack table out of a copy of the compiled service
 * and checks that the row's test fails then, which passes on the copy as it is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT } from '../../src/ops/package.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

const COPY = join(PACKAGE_ROOT, 'dist/mutations');
const DEADLINE_MS = 90_000;
/** A test that hangs without its defence has failed; it took far less with it. */
const HANGS_AFTER_MS = 15_000;

/** Whether the named test, and no other, runs and passes. */
async function passes({ testFile, test }: Mutation, deadlineMs: number): Promise<boolean> {
  const pattern = `(^|\\s)${test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;
  const file = join(COPY, 'service', `${testFile}.js`);
  const flags = ['--test', '--test-reporter=tap', `--test-name-pattern=/${pattern.replaceAll('/', '\\/')}/`];
  const child = spawn(process.execPath, [...flags, file], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    detached: true,
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, 'close');
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), deadlineMs);
  const [code] = (await ended) as [number | null];
  clearTimeout(timer);
  return code === 0 && said.includes(`- ${test.replaceAll('#', '\\#')}\n`);
}

async function isKilled(mutation: Mutation): Promise<boolean> {
  const path = join(COPY, 'service/src', `${mutation.file}.js`);
  const text = readFileSync(path, 'utf8');
  if (text.split(mutation.find).length !== 2)
    throw new Error(`row ${mutation.row}: "${mutation.find}" is not once in ${mutation.file}`);
  if (!(await passes(mutation, DEADLINE_MS)))
    throw new Error(`row ${mutation.row}: "${mutation.test}" does not pass as it is`);
  writeFileSync(
    path,
    text.replace(mutation.find, () => mutation.replace),
  );
  const isDead = !(await passes(mutation, HANGS_AFTER_MS));
  writeFileSync(path, text);
  return isDead;
}

const { values } = parseArgs({ options: { row: { type: 'string' } } });
rmSync(COPY, { recursive: true, force: true });
for (const part of ['service', 'shared'])
  cpSync(join(PACKAGE_ROOT, 'dist', part), join(COPY, part), { recursive: true });
let [killed, survived] = [0, 0];
for (const mutation of MUTATIONS) {
  if (values.row !== undefined && Number(values.row) !== mutation.row) continue;
  try {
    const isDead = await isKilled(mutation);
    if (isDead) killed++;
    else survived++;
    process.stdout.write(
      `${isDead ? 'fails without it' : 'PASSES WITHOUT IT'}  row ${mutation.row}: ${mutation.test}\n`,
    );
  } catch (error) {
    survived++;
    process.stdout.write(`ERROR  ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
rmSync(COPY, { recursive: true, force: true });
process.stdout.write(`${killed} defences removed, ${killed} tests failed; ${survived} did not\n`);
process.exitCode = survived === 0 ? 0 : 1;
