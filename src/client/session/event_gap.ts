/**
 * Which events the gateway may have sent without this client hearing them.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";
import type { StatusEventsMayBeMissing } from "./status.ts";

/** Remembers since when events may be missing, until that has been reported. */
export class EventGap {
  readonly #clock: Clock;
  // When the gateway was last heard before something was lost, on the monotonic clock.
  #since: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether there is something to report. */
  get isOpen(): boolean {
    return this.#since !== undefined;
  }

  /** What was sent after `heardAt`, a time of the monotonic clock, may be missing. */
  extend(heardAt: number): void {
    this.#since = Math.min(this.#since ?? Infinity, heardAt);
  }

  /** The status that reports the gap, once; `undefined` when nothing is missing. */
  take(): StatusEventsMayBeMissing | undefined {
    const since = this.#since;
    this.#since = undefined;
    if (since === undefined) return undefined;
    // The wall clock as it is now: it may have been set since.
    const agoMs = this.#clock.monotonic() - since;
    return { type: "events-may-be-missing", sinceMs: Math.floor(this.#clock.now() - agoMs) };
  }
}
