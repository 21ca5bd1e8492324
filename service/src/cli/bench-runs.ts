import { randomUUID } from 'node:crypto';
import { cpus, loadavg } from 'node:os';
import type { BenchControl, BenchRequest, BenchRow, BenchRun } from '../../../shared/src/bench.ts';
import { WarpDriveError } from '../../../shared/src/problem.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { runDeck } from './bench/deck.ts';
import type { NamedResult } from './bench/report.ts';
import { runSizes } from './bench/sizes.ts';

const KEPT_RUNS = 20;
const CORES = 1;

/**
 * Comparison runs of a running service. They measure a private service of their own with one engine core beside the
 * polled one, on this machine, so their figures are free of this service's traffic, but its load slows them.
 */
export class BenchRuns implements BenchControl {
  private readonly kept: BenchRun[] = [];
  private readonly listeners = new Set<(run: BenchRun) => void>();
  private running: { run: BenchRun; abort: AbortController; ended: Promise<void> } | undefined;

  constructor(
    private readonly core: string,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  runs(): BenchRun[] {
    return [...this.kept];
  }

  onChange(listener: (run: BenchRun) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(request: BenchRequest): BenchRun {
    if (this.running)
      throw new WarpDriveError('WD_E_EBUSY', `run ${this.running.run.id} is not over`, { errno: 'EBUSY' });
    const run: BenchRun = {
      id: randomUUID(),
      request,
      machine: {
        cpus: cpus().length,
        model: cpus()[0]?.model ?? 'unknown',
        node: process.versions.node,
        core: this.core,
        loadAverage: loadavg()[0] ?? 0,
      },
      startedAtMs: this.clock.wallMs(),
      outcome: 'running',
      progress: { done: 0, total: 0, what: 'starting' },
      rows: [],
    };
    this.kept.push(run);
    if (this.kept.length > KEPT_RUNS) this.kept.shift();
    const abort = new AbortController();
    this.running = { run, abort, ended: this.run(run, abort.signal) };
    this.tell(run);
    return run;
  }

  cancel(id: string): BenchRun {
    const { running } = this;
    if (running?.run.id !== id) throw new WarpDriveError('WD_E_NOT_FOUND', `no run ${id} is going on`);
    running.abort.abort();
    return running.run;
  }

  /** Ends the running one, if any, and waits until its processes are gone. */
  async close(): Promise<void> {
    this.running?.abort.abort();
    await this.running?.ended;
  }

  private async run(run: BenchRun, signal: AbortSignal): Promise<void> {
    const { experiment, sizes, seconds } = run.request;
    const options = {
      pktlens: sizes,
      seconds,
      core: this.core,
      cores: CORES,
      signal,
      onStep: (done: number, total: number, what: string) => {
        run.progress = { done, total, what };
        this.tell(run);
      },
      onRow: (row: NamedResult) => {
        run.rows.push(rowOf(row));
        this.tell(run);
      },
    };
    try {
      if (experiment === 'deck') await runDeck(options);
      else await runSizes(options);
      run.outcome = 'done';
    } catch (error) {
      run.outcome = signal.aborted ? 'cancelled' : 'failed';
      if (!signal.aborted) {
        run.error = error instanceof Error ? error.message : String(error);
        this.log.warn({ err: error, experiment }, 'comparison run failed');
      }
    }
    run.endedAtMs = this.clock.wallMs();
    this.running = undefined;
    this.tell(run);
  }

  private tell(run: BenchRun): void {
    for (const listener of this.listeners) listener(run);
  }
}

const rowOf = ({ scenario, result }: NamedResult): BenchRow => ({
  scenario,
  isBaseline: result.run.path === 'soft',
  processes: result.run.processes,
  jobBytes: result.run.pktlen,
  mbPerSec: result.mbPerSec,
  jobsPerSec: result.jobsPerSec,
  meanUs: result.meanUs,
  p99Us: result.p99Us,
  cpuPercent: result.clientCpuPercent + result.serviceCpuPercent,
  ratio: result.ratio === 0 ? 0 : 1 / result.ratio,
  failures: result.failures,
});
