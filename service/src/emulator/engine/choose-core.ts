import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WarpDriveError } from '../../../../shared/src/problem.ts';
import type { CoreName } from '../../../../shared/src/telemetry.ts';

const SELF_TEST_MS = 20_000;

/** @returns undefined if the core passes; else why not, in a few words */
function selfTest(name: CoreName): Promise<string | undefined> {
  const script = fileURLToPath(new URL('./core-self-test.js', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, name], { timeout: SELF_TEST_MS }, (error, _stdout, stderr) => {
      if (!error) resolve(undefined);
      else if (/no ISA-L library/.test(stderr)) resolve('libisal.so.2 not found (apt-get install libisal2)');
      else resolve(`self-test failed: ${error.signal ?? stderr.trim().split('\n').at(-1) ?? error.message}`);
    });
  });
}

export interface ChosenCore {
  name: CoreName;
  /** Why this one. */
  reason: string;
}

/**
 * The fastest engine core that passes its self-test, or the one asked for.
 * @throws WD_E_EINVAL when the one asked for does not pass
 */
export async function chooseCore(wanted: CoreName | 'auto'): Promise<ChosenCore> {
  if (wanted !== 'auto') {
    const failure = wanted === 'isal' ? await selfTest(wanted) : undefined;
    if (failure) throw new WarpDriveError('WD_E_EINVAL', `--core ${wanted}: ${failure}`, { field: 'core' });
    return { name: wanted, reason: `asked for with --core ${wanted}` };
  }
  const failure = await selfTest('isal');
  if (!failure) return { name: 'isal', reason: 'libisal.so.2 is there and passed its self-test' };
  return { name: 'wasm', reason: `ISA-L: ${failure}` };
}
