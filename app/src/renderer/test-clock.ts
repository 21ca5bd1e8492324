import type { Clock } from './timing.ts';

/** A clock that a test moves by hand; `random()` is always `chance`. */
export function testClock(startMs = 1_000_000, chance = 0.5) {
  let nowMs = startMs;
  let timers: { atMs: number; callback: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    random: () => chance,
    after: (ms, callback) => {
      const timer = { atMs: nowMs + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  const advance = (ms: number) => {
    const endMs = nowMs + ms;
    for (;;) {
      const next = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      timers = timers.filter((other) => other !== next);
      nowMs = next.atMs;
      next.callback();
    }
    nowMs = endMs;
  };
  return { clock, advance, pending: () => timers.length };
}
