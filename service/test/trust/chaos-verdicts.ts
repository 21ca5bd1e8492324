import { type ChaosReport, DRAIN_MS, kindsThatNeverStruck } from './chaos.ts';
import type { Verdict } from './report.ts';

/** The figure that is promised for a service with its machine to itself; a crowded one gets more. */
const READY_MEDIAN_MS = 2000;
const READY_MAX_MS = 20_000;
/** The end of the process itself, after the drain. */
const EXIT_SLACK_MS = 5000;
const MIN_MS_FOR_ALL_KINDS = 100_000;

const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);
const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
const ms = (value: number | undefined): string => `${(value ?? 0).toFixed(0)} ms`;

export function chaosVerdicts(report: ChaosReport, totalMs: number): Verdict[] {
  const { counts, struck, actions, restarts, accidents, leftovers } = report;
  const requests = sum(Object.values(counts));
  const never = kindsThatNeverStruck(report);
  const ready = sorted(restarts.filter(({ signal }) => signal === 'SIGKILL').map(({ readyMs }) => readyMs));
  const ended = restarts.filter(({ signal }) => signal === 'SIGTERM');
  const exits = sorted(ended.map(({ exitMs }) => exitMs));
  const median = ready[ready.length >> 1];
  return [
    {
      claim: 'no wrong bytes, nothing hangs',
      measured: `${requests} requests: ${counts.right} right, ${counts.failed} visibly failed, ${counts.left} left by the client, ${counts.wrong} wrong, ${counts.hung} hung`,
      holds: counts.wrong === 0 && counts.hung === 0 && counts.right > 0,
    },
    {
      claim: 'every kind of fault struck',
      measured: `${sum(struck.values())} strikes: ${listed(struck)}${never.length > 0 ? `; never: ${never.join(', ')}` : ''}`,
      holds: totalMs < MIN_MS_FOR_ALL_KINDS ? struck.size > 0 : never.length === 0,
    },
    {
      claim: 'all that was done to it',
      measured: `${sum(actions.values())} actions in ${report.rounds} rounds: ${listed(actions)}`,
      holds: actions.size > 0,
    },
    {
      claim: 'nothing is kept after a round',
      measured:
        leftovers.length === 0
          ? 'streams, jobs, slots, queues, mdevs, PASIDs, descriptors and shared files as before'
          : leftovers
              .map(({ round, figure, before, after }) => `round ${round}: ${figure} ${before} → ${after}`)
              .join('; '),
      holds: leftovers.length === 0,
    },
    {
      claim: 'it never ends by itself',
      measured: accidents.length === 0 ? 'never' : accidents.join('; '),
      holds: accidents.length === 0,
    },
    {
      claim: `after SIGKILL ready again, median below ${READY_MEDIAN_MS} ms`,
      measured: `${ready.length} times: median ${ms(median)}, longest ${ms(ready.at(-1))}`,
      holds: (median ?? 0) < READY_MEDIAN_MS && (ready.at(-1) ?? 0) < READY_MAX_MS,
    },
    {
      claim: `after SIGTERM gone within the drain limit of ${DRAIN_MS} ms, with code 0`,
      measured: `${ended.length} times: median ${ms(exits[exits.length >> 1])}, longest ${ms(exits.at(-1))}`,
      holds: (exits.at(-1) ?? 0) < DRAIN_MS + EXIT_SLACK_MS && ended.every(({ code }) => code === 0),
    },
  ];
}
