import type { Format } from '../../../../shared/src/format.ts';
import type { Operation } from '../../../../shared/src/telemetry.ts';

/** Where a run's jobs go: a queue in one of the attach modes, or Node's own zlib ("soft" in UADK's words). */
export type BenchPath = 'sva' | 'vfio' | 'noiommu' | 'soft';

/** One run of equal jobs, as UADK's `uadk_tool benchmark` describes it. */
export interface BenchRun {
  path: BenchPath;
  format: Format;
  operation: Operation;
  isSync: boolean;
  pktlen: number;
  seconds: number;
  threads: number;
  processes: number;
  contexts: number;
  /** Touch all buffers first. Without it, every job's destination is memory that nobody touched before. */
  prefetch: boolean;
  /** Jobs in flight a queue, when asynchronous. */
  inflight: number;
}

/** What one worker is told. */
export interface WorkerTask {
  run: BenchRun;
  attachPath: string;
  token: string;
}

/** What one worker measured. Times are of its own clock, from its first submission to its last completion. */
export interface WorkerResult {
  jobs: number;
  failures: number;
  bytesIn: number;
  bytesOut: number;
  seconds: number;
  meanUs: number;
  p99Us: number;
  cpuSeconds: number;
  minorFaults: number;
}

export type WorkerMessage =
  | { type: 'ready' }
  | { type: 'result'; result: WorkerResult }
  | { type: 'error'; message: string };

/** One run, summed over its workers. */
export interface RunResult {
  run: BenchRun;
  jobs: number;
  failures: number;
  mbPerSec: number;
  jobsPerSec: number;
  meanUs: number;
  p99Us: number;
  /** CPU of the workers, 100 = one core. */
  clientCpuPercent: number;
  /** CPU of the service: device model and engine cores; 0 for software. */
  serviceCpuPercent: number;
  /** Minor faults of the workers' own processes. */
  minorFaults: number;
  /** Pages that the IOMMU model had to bring in. */
  pageRequests: number;
  /** Output ÷ input of compression. */
  ratio: number;
}
