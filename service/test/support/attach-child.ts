/** A process of its own for tests: attaches to a service, plays one scenario, tells what it saw. */
import { WarpDriveError } from '../../../shared/src/problem.ts';
import { ADDRESSES } from './attach-child/addresses.ts';
import { MISCHIEF } from './attach-child/mischief.ts';
import type { ChildMessage, Gate } from './attach-child/tools.ts';
import { WORK } from './attach-child/work.ts';

const SCENARIOS = { ...WORK, ...ADDRESSES, ...MISCHIEF };

type Scenarios = typeof SCENARIOS;
export type ScenarioName = keyof Scenarios;
export type ScenarioOptions<Name extends ScenarioName> = Parameters<Scenarios[Name]>[0];
export type ScenarioResult<Name extends ScenarioName> = Awaited<ReturnType<Scenarios[Name]>>;

async function main(name: ScenarioName, options: never): Promise<void> {
  const going = new Promise<void>((resolve) => process.once('message', () => resolve()));
  const gate: Gate = () => {
    process.send?.({ type: 'ready' } satisfies ChildMessage);
    return going;
  };
  let message: ChildMessage;
  try {
    message = { type: 'result', value: await SCENARIOS[name](options, gate) };
  } catch (error) {
    const isNamed = error instanceof WarpDriveError;
    message = {
      type: 'error',
      code: isNamed ? error.code : 'WD_E_INTERNAL',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      details: isNamed ? error.details : {},
    };
  }
  process.send?.(message, () => process.exit());
}

void main(process.argv[2] as ScenarioName, JSON.parse(process.argv[3] ?? '{}') as never);
