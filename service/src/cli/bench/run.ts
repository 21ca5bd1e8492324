import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CommandError, EXIT } from '../exit.ts';
import type { PrivateService } from './private-service.ts';
import type { BenchRun, RunResult, WorkerMessage, WorkerResult, WorkerTask } from './types.ts';

interface Worker {
  ready: Promise<void>;
  result: Promise<WorkerResult>;
  go(): void;
}

/**
 * Runs `run` with its own processes, all started at one moment.
 * @param service absent for path `soft`
 * @param signal kills the processes; the promise rejects then
 */
export async function benchRun(
  run: BenchRun,
  service: PrivateService | undefined,
  signal?: AbortSignal,
): Promise<RunResult> {
  signal?.throwIfAborted();
  const task: WorkerTask = { run, attachPath: service?.attachPath ?? '', token: service?.token ?? '' };
  const workers = Array.from({ length: run.processes * run.threads }, () => startWorker(task, signal));
  await Promise.all(workers.map(({ ready }) => ready));
  const cpuBefore = service?.cpuSeconds() ?? 0;
  const requestsBefore = (await service?.pageRequests()) ?? 0;
  for (const worker of workers) worker.go();
  const results = await Promise.all(workers.map(({ result }) => result));
  const seconds = Math.max(...results.map((result) => result.seconds));
  const cpu = (service?.cpuSeconds() ?? 0) - cpuBefore;
  const pageRequests = ((await service?.pageRequests()) ?? 0) - requestsBefore;
  return summarise(run, results, seconds, cpu, pageRequests);
}

function startWorker(task: WorkerTask, signal: AbortSignal | undefined): Worker {
  const child: ChildProcess = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
    stdio: 'inherit',
    ...(signal ? { signal, killSignal: 'SIGKILL' } : {}),
  });
  child.on('error', () => {}); // the abort of `signal`; what became of the process is told by its exit
  let isReady: () => void = () => {};
  let finish: (result: WorkerResult) => void = () => {};
  const ready = new Promise<void>((resolve, reject) => {
    isReady = resolve;
    child.once('exit', (code, signal) =>
      reject(new CommandError(EXIT.failure, `a bench worker ended early (${signal ?? `exit ${code}`})`)),
    );
  });
  const result = new Promise<WorkerResult>((resolve, reject) => {
    finish = resolve;
    child.on('message', (message: WorkerMessage) => {
      if (message.type === 'ready') isReady();
      else if (message.type === 'result') finish(message.result);
      else reject(new CommandError(EXIT.failure, `a bench worker failed: ${message.message}`));
    });
    child.once('exit', (code, signal) =>
      reject(new CommandError(EXIT.failure, `a bench worker ended early (${signal ?? `exit ${code}`})`)),
    );
  });
  result.catch(() => {}); // reported by whoever awaits `ready` or `result` first
  child.send(task);
  return { ready, result, go: () => child.send('go') };
}

function summarise(
  run: BenchRun,
  results: readonly WorkerResult[],
  seconds: number,
  serviceCpuSeconds: number,
  pageRequests: number,
): RunResult {
  const sum = (pick: (result: WorkerResult) => number): number =>
    results.reduce((total, one) => total + pick(one), 0);
  const jobs = sum((one) => one.jobs);
  const bytesIn = sum((one) => one.bytesIn);
  const plainBytes = run.operation === 'compress' ? bytesIn : sum((one) => one.bytesOut);
  return {
    run,
    jobs,
    failures: sum((one) => one.failures),
    mbPerSec: plainBytes / 1e6 / seconds,
    jobsPerSec: jobs / seconds,
    meanUs: jobs === 0 ? 0 : sum((one) => one.meanUs * one.jobs) / jobs,
    p99Us: Math.max(...results.map((one) => one.p99Us)),
    clientCpuPercent: (sum((one) => one.cpuSeconds) / seconds) * 100,
    serviceCpuPercent: (serviceCpuSeconds / seconds) * 100,
    minorFaults: sum((one) => one.minorFaults),
    pageRequests,
    ratio: bytesIn === 0 ? 0 : sum((one) => one.bytesOut) / bytesIn,
  };
}
