/**
 * Waiting until the program has nothing left to do by itself: what promises can do is done, and what takes time of its own has ended.
 *
 * @module
 */

import { countOperations, type OperationCounter } from "../base/operations.ts";
import { systemClock } from "../base/signal.ts";
import { eventLoopTurn } from "../base/turn.ts";

// Streams hand chunks on from one turn to the next: after this many turns without any movement nothing moves any more.
const QUIET_TURNS = 4;
// A guard only: a test whose operation never ends would hang and say nothing. It decides nothing else.
const LONGEST_MS = 30_000;

const operations: OperationCounter = countOperations();
const tracked: Set<Promise<unknown>> = new Set();

/** Lets `settle()` wait for a promise that the SDK does not know of. Returns the promise. */
export function track<T>(promise: Promise<T>): Promise<T> {
  tracked.add(promise);
  const forget = (): void => void tracked.delete(promise);
  promise.then(forget, forget);
  return promise;
}

/**
 * Resolves when nothing moves any more: several turns of the event loop in which no operation of the SDK was under way or ended, and
 * no tracked promise was pending. However long that takes, it decides nothing: it is counted in turns, as streams hand chunks on from one
 * turn to the next and give no other sign.
 *
 * @throws `Error` when an operation has not ended after 30 s of real time: instead of a test that hangs, one that says what it waits for.
 */
export async function settle(): Promise<void> {
  const start = systemClock.monotonic();
  let seen = operations.moves;
  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    await eventLoopTurn();
    if (operations.pending === 0 && tracked.size === 0 && operations.moves === seen) continue;
    seen = operations.moves;
    quiet = -1;
    if (systemClock.monotonic() - start < LONGEST_MS) continue;
    throw new Error(
      `Cannot settle: after ${
        LONGEST_MS / 1_000
      } s ${operations.pending} operations of the SDK and ${tracked.size} tracked promises are pending, expected none`,
    );
  }
}
