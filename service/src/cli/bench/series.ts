import { type PrivateService, type ServiceOptions, startPrivateService } from './private-service.ts';
import type { NamedResult } from './report.ts';
import type { BenchPath, BenchRun } from './types.ts';

/** What a series of runs is told. */
export interface SeriesOptions {
  /** Job sizes in bytes. */
  pktlens: readonly number[];
  seconds: number;
  core: string;
  cores: number;
  /** Before each scenario, and once at the end. */
  onStep(done: number, total: number, what: string): void;
  onRow?(row: NamedResult): void;
  /** Ends the series: the processes of the running scenario are killed, and the promise rejects. */
  signal?: AbortSignal;
}

/** A run of every series: compression to zlib, each process with one queue and one job at a time. */
export const oneAtATime = (
  run: Pick<BenchRun, 'path' | 'prefetch' | 'processes' | 'pktlen' | 'seconds'>,
): BenchRun => ({
  format: 'zlib',
  operation: 'compress',
  isSync: true,
  threads: 1,
  contexts: 1,
  inflight: 1,
  ...run,
});

/** A service for one run, stopped on every path. */
export async function withService<T>(
  path: BenchPath,
  options: { core: string; cores: number },
  use: (service: PrivateService | undefined) => Promise<T>,
): Promise<T> {
  if (path === 'soft') return use(undefined);
  const wanted: ServiceOptions = { path, core: options.core, cores: options.cores, queues: 2 };
  const service = await startPrivateService(wanted);
  try {
    return await use(service);
  } finally {
    await service.stop();
  }
}
