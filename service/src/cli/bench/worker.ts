/** Entry of one bench worker process: sets up, waits for the start, runs jobs until its time is over, reports. */
import { createJobRunners, type JobRunner } from './job-runner.ts';
import type { WorkerMessage, WorkerResult, WorkerTask } from './types.ts';

const MAX_SAMPLES = 1_000_000;
const WARM_UP_JOBS = 16;

class Meter {
  jobs = 0;
  failures = 0;
  bytesIn = 0;
  bytesOut = 0;
  private readonly us = new Float64Array(MAX_SAMPLES);
  private totalUs = 0;

  add(startedMs: number, done: { bytesIn: number; bytesOut: number } | undefined): void {
    const us = (performance.now() - startedMs) * 1000;
    this.us[this.jobs % MAX_SAMPLES] = us;
    this.totalUs += us;
    this.jobs++;
    if (!done) this.failures++;
    this.bytesIn += done?.bytesIn ?? 0;
    this.bytesOut += done?.bytesOut ?? 0;
  }

  get meanUs(): number {
    return this.jobs === 0 ? 0 : this.totalUs / this.jobs;
  }

  get p99Us(): number {
    const sorted = this.us.slice(0, Math.min(this.jobs, MAX_SAMPLES)).sort();
    return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  }
}

function runSyncJobs(runners: readonly JobRunner[], seconds: number, meter: Meter): void {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    for (const runner of runners) {
      const started = performance.now();
      if (started >= end) return;
      meter.add(started, runner.runSync());
    }
  }
}

async function runAsyncJobs(
  runners: readonly JobRunner[],
  inflight: number,
  seconds: number,
  meter: Meter,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  const lane = async (runner: JobRunner): Promise<void> => {
    for (let started = performance.now(); started < end; started = performance.now())
      meter.add(started, runner.runAsync ? await runner.runAsync() : runner.runSync());
  };
  await Promise.all(runners.flatMap((runner) => Array.from({ length: inflight }, () => lane(runner))));
}

async function work({ run }: WorkerTask, runners: readonly JobRunner[]): Promise<WorkerResult> {
  const meter = new Meter();
  const usage = process.resourceUsage();
  const started = performance.now();
  if (run.isSync) runSyncJobs(runners, run.seconds, meter);
  else await runAsyncJobs(runners, run.inflight, run.seconds, meter);
  const seconds = (performance.now() - started) / 1000;
  const after = process.resourceUsage();
  const { jobs, failures, bytesIn, bytesOut, meanUs, p99Us } = meter;
  return {
    jobs,
    failures,
    bytesIn,
    bytesOut,
    seconds,
    meanUs,
    p99Us,
    cpuSeconds: (after.userCPUTime + after.systemCPUTime - usage.userCPUTime - usage.systemCPUTime) / 1e6,
    minorFaults: after.minorPageFault - usage.minorPageFault,
  };
}

const send = (message: WorkerMessage): void => {
  process.send?.(message);
};

let runners: JobRunner[] = [];
let task: WorkerTask | undefined;
process.on('message', (message: WorkerTask | 'go') => {
  const next = async (): Promise<void> => {
    if (message !== 'go') {
      task = message;
      runners = await createJobRunners(task);
      for (let i = 0; i < WARM_UP_JOBS; i++) for (const runner of runners) runner.runSync();
      send({ type: 'ready' });
    } else if (task) {
      send({ type: 'result', result: await work(task, runners) });
      for (const runner of runners) runner.close();
      process.disconnect();
    }
  };
  next().catch((error: unknown) => {
    send({ type: 'error', message: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect();
  });
});
