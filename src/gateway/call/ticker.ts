/**
 * The one ticker of a tenant's playback: everything that plays ticks together.
 *
 * @module
 */

import { frameMilliseconds } from "../../audio/mod.ts";
import type { Clock } from "../../base/signal.ts";
import { SlotTimer } from "../../base/slot_timer.ts";

// After a late timer: catch up this many ticks at once, and give up the rest.
const LONGEST_BURST = 3;

/** Calls its members every 20 ms while it has any. */
export class Ticker {
  readonly #members = new Set<() => void>();
  readonly #timer: SlotTimer;

  constructor(clock: Clock) {
    this.#timer = new SlotTimer({
      clock,
      slotMs: frameMilliseconds,
      onSlot: (_, passed) => this.#tick(Math.min(passed, LONGEST_BURST)),
    });
  }

  /** Calls `member` at every tick, the first time at once. Returns a function that ends it. */
  add(member: () => void): () => void {
    this.#members.add(member);
    if (!this.#timer.isRunning) this.#timer.start(1);
    member();
    return () => {
      this.#members.delete(member);
      if (this.#members.size === 0) this.#timer.stop();
    };
  }

  #tick(times: number): void {
    for (let i = 0; i < times; i++) {
      for (const member of [...this.#members]) member();
    }
  }
}
