export const MIN_DELAY_MS = 500;
export const MAX_DELAY_MS = 15_000;

/**
 * The wait before reconnect number `attempt` (0 is the first): full jitter between the floor and a ceiling that
 * doubles, so that many monitors of one service do not return in the same moment.
 * @param random 0 ≤ value < 1
 * @returns milliseconds, 500 to 15 000
 */
export function reconnectDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(MAX_DELAY_MS, MIN_DELAY_MS * 2 ** (attempt + 1));
  return Math.round(MIN_DELAY_MS + random * (ceiling - MIN_DELAY_MS));
}
