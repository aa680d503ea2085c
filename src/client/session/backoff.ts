/**
 * How long to wait before the next attempt.
 *
 * @module
 */

const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/**
 * Full jitter: anywhere from now to a bound that doubles from 250 ms to 15 s, so that clients which lost the same gateway do not
 * come back at once.
 *
 * @param attempt Counts from 1.
 * @param random Gives numbers from 0 up to 1.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const bound = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return Math.round(random() * bound);
}
