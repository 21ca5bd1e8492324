import type { BenchRow, BenchRun } from '../../../../shared/src/bench.ts';

/** One scenario beside the software of the same size and number of processes. */
export interface Compared extends BenchRow {
  /** Times the software's MB/s; undefined while the software was not measured. */
  multiple: number | undefined;
  /** CPU milliseconds of all processes for 10^6 bytes. */
  cpuMsPerMb: number;
}

/** The rows of a run with their multiples, by number of processes and job size. */
export function compare({ rows }: BenchRun): Compared[] {
  return rows.map((row) => {
    const baseline = rows.find(
      (other) => other.isBaseline && other.jobBytes === row.jobBytes && other.processes === row.processes,
    );
    return {
      ...row,
      multiple:
        baseline === undefined || baseline.mbPerSec === 0 ? undefined : row.mbPerSec / baseline.mbPerSec,
      cpuMsPerMb: (row.cpuPercent * 10) / row.mbPerSec,
    };
  });
}

/** Run ids that both lists hold come from `live`; oldest first. */
export function mergeRuns(stored: readonly BenchRun[], live: Iterable<BenchRun>, limit: number): BenchRun[] {
  const runs = new Map([...stored, ...live].map((run) => [run.id, run]));
  return [...runs.values()].sort((a, b) => a.startedAtMs - b.startedAtMs).slice(-limit);
}
