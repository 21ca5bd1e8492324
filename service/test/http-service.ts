import { BenchRuns } from '../src/cli/bench-runs.ts';
import { configSchema } from '../src/config/schema.ts';
import { systemClock } from '../src/platform/clock.ts';
import { type Log, silentLog } from '../src/platform/log.ts';
import { type RunningService, type ServedHost, startService } from '../src/service.ts';

export const ADMIN_TOKEN = 'token-of-the-tests';

/** A service on a free port in front of `host`. */
export function serviceOn(
  host: ServedHost,
  options: Record<string, unknown> = {},
  log: Log = silentLog,
): Promise<RunningService> {
  const bench = new BenchRuns('wasm', systemClock, log);
  const config = configSchema.parse({ port: 0, shutdownTimeout: 2, ...options });
  return startService({ config, host, adminToken: ADMIN_TOKEN, clock: systemClock, log, bench });
}

/** Waits until `condition` holds; fails after ten seconds. */
export async function eventually(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await condition()) return;
    await new Promise((next) => setTimeout(next, 10));
  }
  throw new Error(`never happened: ${what}`);
}
