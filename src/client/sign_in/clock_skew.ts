/**
 * How far this machine's clock is ahead of the gateway's.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";

// Beyond this the clock is broken, and tokens made by guesswork would hide it.
const LONGEST_CORRECTION_MS = 600_000;
// Tokens count whole seconds.
const SHORTEST_CORRECTION_MS = 1_000;

/** How far this machine's clock is from the gateway's, in words: `31 s ahead of the gateway's`. */
export function skewText(aheadMs: number): string {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000);
  return `${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} the gateway's`;
}

/** What was learned of the difference, and the clock that tokens are minted by. */
export class ClockSkew {
  readonly #clock: Clock;
  readonly #corrects: boolean;
  #aheadMs: number | undefined;
  #correctionMs = 0;

  /** @param corrects Whether tokens are minted by the gateway's time. */
  constructor(clock: Clock, corrects: boolean) {
    this.#clock = clock;
    this.#corrects = corrects;
  }

  /** How far this machine's clock is ahead, in milliseconds; `undefined` until the gateway has sent its time. */
  get aheadMs(): number | undefined {
    return this.#aheadMs;
  }

  /** What minting subtracts from this machine's time, in milliseconds. */
  get correctionMs(): number {
    return this.#correctionMs;
  }

  /** The clock that tokens are minted by. */
  get mintingClock(): Clock {
    const clock = this.#clock;
    return {
      now: () => clock.now() - this.#correctionMs,
      monotonic: () => clock.monotonic(),
      schedule: (ms, callback) => clock.schedule(ms, callback),
    };
  }

  /**
   * Takes the gateway's time from an answer to what was sent at `sentAtMs` by this machine's clock. Returns whether tokens are minted
   * by another time from now on. A difference of more than 10 minutes is not corrected.
   */
  learn(serverTimeMs: number, sentAtMs: number): boolean {
    if (serverTimeMs <= 0) return false;
    const aheadMs = Math.round((sentAtMs + this.#clock.now()) / 2 - serverTimeMs);
    this.#aheadMs = aheadMs;
    const distance = Math.abs(aheadMs);
    const isCorrectable = this.#corrects && distance >= SHORTEST_CORRECTION_MS &&
      distance <= LONGEST_CORRECTION_MS;
    const correctionMs = isCorrectable ? aheadMs : 0;
    const hasChanged = Math.abs(correctionMs - this.#correctionMs) >= SHORTEST_CORRECTION_MS;
    if (hasChanged) this.#correctionMs = correctionMs;
    return hasChanged;
  }
}
