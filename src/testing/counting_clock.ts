/**
 * A clock that counts the timers that are armed on it.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";

/** A clock that knows how many timers are armed. */
export interface TestClock extends Clock {
  /** How many timers are armed. */
  readonly pending: number;
}

/** Counts the timers that one party has armed on a clock of all. */
export class CountingClock implements TestClock {
  readonly #clock: Clock;
  #pending = 0;

  /** Counts timers of `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#pending;
  }

  /** The wall clock, in Unix milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** Milliseconds from any start. */
  monotonic(): number {
    return this.#clock.monotonic();
  }

  /** Calls `callback` after `ms` milliseconds. Returns what cancels it. */
  schedule(ms: number, callback: () => void): () => void {
    let isArmed = true;
    this.#pending++;
    const disarm = (): void => {
      if (isArmed) this.#pending--;
      isArmed = false;
    };
    const cancel = this.#clock.schedule(ms, () => {
      disarm();
      callback();
    });
    return () => {
      disarm();
      cancel();
    };
  }
}
