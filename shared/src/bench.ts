/** Comparison runs: engine cores beside node:zlib on the same corpus. POST and GET /v1/bench, monitor message `bench`. */
export const BENCH_EXPERIMENTS = ['sizes', 'deck'] as const;
/** `sizes`: one queue beside one thread of node:zlib per job size; `deck`: 1 × 1 and 3 × 3 in all scenarios. */
export type BenchExperiment = (typeof BENCH_EXPERIMENTS)[number];

/** Job sizes in bytes that an experiment takes if the caller names none. */
export const BENCH_SIZES: Readonly<Record<BenchExperiment, readonly number[]>> = {
  sizes: [2048, 8192, 32_768, 131_072, 1_048_576],
  deck: [8192, 65_536],
};
export const MAX_BENCH_SIZES = 10;
export const MIN_BENCH_BYTES = 512;
export const MAX_BENCH_BYTES = 4 * 1024 * 1024;
export const MAX_BENCH_SECONDS = 10;

export interface BenchRequest {
  experiment: BenchExperiment;
  /** Job sizes in bytes. */
  sizes: readonly number[];
  /** How long each scenario runs, 1 to MAX_BENCH_SECONDS. */
  seconds: number;
}

/** One scenario at one job size, measured. */
export interface BenchRow {
  scenario: string;
  /** The software that the others are compared with. */
  isBaseline: boolean;
  processes: number;
  jobBytes: number;
  /** Input, 10^6 bytes per second. */
  mbPerSec: number;
  jobsPerSec: number;
  meanUs: number;
  p99Us: number;
  /** Clients and service together, 100 = one core. */
  cpuPercent: number;
  /** Original bytes ÷ compressed bytes. */
  ratio: number;
  failures: number;
}

export interface BenchMachine {
  cpus: number;
  model: string;
  node: string;
  /** Engine core that the run used, as asked for. */
  core: string;
  /** Of the last minute at the start of the run, as `uptime` gives it: a busy machine measures itself. */
  loadAverage: number;
}

export interface BenchRun {
  id: string;
  request: BenchRequest;
  machine: BenchMachine;
  startedAtMs: number;
  endedAtMs?: number;
  outcome: 'running' | 'done' | 'cancelled' | 'failed';
  /** Why it failed. */
  error?: string;
  progress: { done: number; total: number; what: string };
  rows: BenchRow[];
}

/** The comparison runs of one service, newest last; at most one is running. */
export interface BenchControl {
  runs(): BenchRun[];
  /** @throws WD_E_EBUSY while one is running */
  start(request: BenchRequest): BenchRun;
  /** Ends the running one; its rows so far stay. @throws WD_E_NOT_FOUND when none with that id is running */
  cancel(id: string): BenchRun;
  /** Calls back with each change of a run; returns the unsubscribe function. */
  onChange(listener: (run: BenchRun) => void): () => void;
}
