/** Timing for all benchmarks: contestants take turns within one run, and figures are medians over the rounds. */
export type Work = () => void | Promise<void>;

export interface RaceOptions {
  /** Medians are taken over this many rounds. */
  rounds: number;
  /** Each contestant repeats its work to fill about this time in a round; 0 = once. */
  roundMs: number;
}

export interface RaceResult {
  /** Wall time of one call. */
  seconds: number;
  /** CPU time of the whole process, all its threads, for one call. */
  cpuSeconds: number;
  /** Median of the rounds' own quotients: how many times faster than the first contestant. */
  speedup: number;
  /** The same in CPU time. */
  cpuSpeedup: number;
}

interface Lap {
  seconds: number;
  cpuSeconds: number;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

async function lapOf(work: Work, calls: number): Promise<Lap> {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) {
    const pending = work();
    if (pending) await pending;
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9 / calls;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6 / calls };
}

/** The first call warms up, the second says how many fit a round. */
async function callsFor(work: Work, roundMs: number): Promise<number> {
  if (roundMs === 0) return 1;
  await work();
  const { seconds } = await lapOf(work, 1);
  return Math.max(1, Math.round(roundMs / 1e3 / seconds));
}

/** Baseline first. @returns one result for each of `works`, in their order */
export async function race(works: readonly Work[], options: RaceOptions): Promise<RaceResult[]> {
  const calls: number[] = [];
  for (const work of works) calls.push(await callsFor(work, options.roundMs));
  const rounds: Lap[][] = [];
  for (let round = 0; round < options.rounds; round++) {
    const laps: Lap[] = [];
    for (const [i, work] of works.entries()) laps.push(await lapOf(work, calls[i] ?? 1));
    rounds.push(laps);
  }
  const over = (i: number, pick: (lap: Lap, first: Lap) => number): number =>
    median(
      rounds.map((laps) => {
        const [first, lap] = [laps[0], laps[i]];
        return lap && first ? pick(lap, first) : 0;
      }),
    );
  return works.map((_, i) => ({
    seconds: over(i, (lap) => lap.seconds),
    cpuSeconds: over(i, (lap) => lap.cpuSeconds),
    speedup: over(i, (lap, first) => first.seconds / lap.seconds),
    cpuSpeedup: over(i, (lap, first) => first.cpuSeconds / Math.max(lap.cpuSeconds, 1e-9)),
  }));
}
