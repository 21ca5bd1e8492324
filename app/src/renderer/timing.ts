/** Time, timers and chance as one parameter, so that every wait and every age can be tested without waiting. */
export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** 0 ≤ value < 1. */
  random(): number;
  /** Calls back once after `ms`; returns the function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}
