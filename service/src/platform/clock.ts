import { performance } from 'node:perf_hooks';

/** Time as a parameter: production gets `systemClock`, tests a clock that they advance. */
export interface Clock {
  /** Unix milliseconds, for records that people read. */
  wallMs(): number;
  /** Monotonic microseconds, for durations. */
  monotonicUs(): number;
  /** Calls back once after `ms`; the returned function cancels. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicUs: () => performance.now() * 1000,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
