/**
 * The one way in which functions of this folder are given the time.
 *
 * @module
 */

import { checkNumber } from "../base/check.ts";
import { wallClock } from "../base/signal.ts";

/** An instant in Unix milliseconds, or a function that returns it. */
export type Instant = number | (() => number);

/** The instant that an option `now` stands for; the machine's clock for `undefined`. */
export function instantOf(now: Instant | undefined, action: string): number {
  const source = now === undefined ? wallClock : now;
  const value = typeof source === "function" ? source() : source;
  return checkNumber(action, "now", value, {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    expected: "an instant in Unix milliseconds",
  });
}
