/**
 * Numbers of a stream that have not come.
 *
 * @module
 */

/**
 * Notes that the numbers from `from` up to `before`, which has come, are missing. Those of more than `window` numbers ago are forgotten.
 *
 * @param missing What was missing so far; it is changed. `undefined`: nothing, which is what most calls have to keep most of the time.
 * @returns What is missing now.
 */
export function noteMissing(
  missing: Set<number> | undefined,
  { from, before, window }: {
    readonly from: number;
    readonly before: number;
    readonly window: number;
  },
): Set<number> | undefined {
  const oldest = Math.max(0, before + 1 - window);
  const numbers = missing ?? new Set();
  for (const number of numbers) {
    if (number >= oldest) break;
    numbers.delete(number);
  }
  // Counted back from what has come: from 2^53 on adding one changes nothing, and the number is a peer's.
  const most = before - Math.max(from, oldest);
  for (let back = most; back > 0; back--) numbers.add(before - back);
  return numbers.size === 0 ? undefined : numbers;
}
