/**
 * The one metronome of a gateway's playback: everything that plays ticks together, on a schedule that does not drift.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";

/** Length of a tick, and of an audio frame (protocol.md section 6). */
export const FRAME_MS = 20;

// After a late timer: catch up this many ticks at once, and give up the rest.
const LONGEST_BURST = 3;

/** Calls its members every 20 ms while it has any. */
export class Ticker {
  readonly #clock: Clock;
  readonly #members = new Set<() => void>();
  #cancel: (() => void) | undefined;
  #dueMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `member` at every tick, the first time at once. Returns a function that ends it. */
  add(member: () => void): () => void {
    this.#members.add(member);
    if (this.#cancel === undefined) {
      this.#dueMs = this.#clock.monotonic() + FRAME_MS;
      this.#arm();
    }
    member();
    return () => {
      this.#members.delete(member);
      if (this.#members.size > 0) return;
      this.#cancel?.();
      this.#cancel = undefined;
    };
  }

  #arm(): void {
    const wait = this.#dueMs - this.#clock.monotonic();
    this.#cancel = this.#clock.schedule(wait, () => this.#tick());
  }

  #tick(): void {
    const late = Math.floor((this.#clock.monotonic() - this.#dueMs) / FRAME_MS);
    const ticks = Math.min(1 + Math.max(0, late), LONGEST_BURST);
    for (let i = 0; i < ticks; i++) {
      for (const member of [...this.#members]) member();
    }
    this.#dueMs += (1 + Math.max(0, late)) * FRAME_MS;
    if (this.#members.size > 0) this.#arm();
    else this.#cancel = undefined;
  }
}
