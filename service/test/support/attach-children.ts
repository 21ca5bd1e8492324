import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { ChildMessage } from './attach-child/tools.ts';
import type { ScenarioName, ScenarioOptions, ScenarioResult } from './attach-child.ts';

const PROGRAM = fileURLToPath(new URL('./attach-child.js', import.meta.url));

/** A process of its own that runs one scenario of attach-child.ts. */
export interface Child<Name extends ScenarioName> {
  readonly pid: number;
  /** It is set up and waits for `go`. */
  readonly ready: Promise<void>;
  go(): void;
  /** What the scenario returned; a WarpDriveError of the child's is thrown here. */
  readonly result: Promise<ScenarioResult<Name>>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<unknown>;
  /** SIGKILL. @returns when the kernel has taken the process away */
  kill(): Promise<void>;
}

const living = new Set<ChildProcess>();
// a test that fails half-way leaves children, which would keep the runner waiting
afterEach(() => {
  for (const child of living) child.kill('SIGKILL');
});

export function startChild<Name extends ScenarioName>(
  name: Name,
  options: ScenarioOptions<Name>,
): Child<Name> {
  const child = fork(PROGRAM, [name, JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  living.add(child);
  const gone = once(child, 'close');
  let onReady: () => void = () => {};
  let onEarlyError: (error: Error) => void = () => {};
  let onResult: (value: ScenarioResult<Name>) => void = () => {};
  let onError: (error: Error) => void = () => {};
  const isReady = new Promise<void>((resolve, reject) => {
    onReady = resolve;
    onEarlyError = reject;
    void gone.then(([code, signal]) => reject(new Error(`child ${name} ended early: ${code ?? signal}`)));
  });
  const result = new Promise<ScenarioResult<Name>>((resolve, reject) => {
    onResult = resolve;
    onError = reject;
    void gone.then(([code, signal]) => reject(new Error(`child ${name} ended early: ${code ?? signal}`)));
  });
  isReady.catch(() => {}); // reported by whoever awaits `ready` or `result` first
  result.catch(() => {});
  child.on('message', (message: ChildMessage) => {
    if (message.type === 'ready') onReady();
    else if (message.type === 'result') onResult(message.value as ScenarioResult<Name>);
    else {
      const error = new WarpDriveError(message.code, message.message, message.details);
      onEarlyError(error);
      onError(error);
    }
  });
  void gone.then(() => living.delete(child));
  return {
    pid: child.pid ?? 0,
    ready: isReady,
    go: () => void child.send('go'),
    result,
    gone,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Runs a scenario from start to end; its process is gone then. */
export async function runChild<Name extends ScenarioName>(
  name: Name,
  options: ScenarioOptions<Name>,
): Promise<ScenarioResult<Name>> {
  const [value] = await runTogether([startChild(name, options)]);
  if (value === undefined) throw new Error(`child ${name} said nothing`);
  return value;
}

/** Lets children that are all ready go at one moment and collects what they return. */
export async function runTogether<Name extends ScenarioName>(
  children: readonly Child<Name>[],
): Promise<ScenarioResult<Name>[]> {
  await Promise.all(children.map(({ ready, result }) => Promise.race([ready, result])));
  for (const child of children) child.go();
  const results = await Promise.all(children.map(({ result }) => result));
  await Promise.all(children.map(({ gone }) => gone));
  return results;
}
