/**
 * How long to wait before the next attempt.
 *
 * @module
 */

const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * How long to wait: a bound doubles from 250 ms to 15 s, and the wait is anywhere from half of it to all of it; the first anywhere from 0
 * to 250 ms, so that clients which lost the same gateway do not come back at once. In 5 minutes there are at most 45 attempts.
 *
 * @param attempt Counts from 1.
 * @param random Gives numbers from 0 up to 1.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  const least = attempt === 1 ? 0 : bound / 2;
  return Math.round(least + random() * (bound - least));
}
