/**
 * Ends sessions when their time is over: one timer for all, and it looks at the wall clock again and again, because a machine that slept
 * or was set forward is late without knowing.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";

/** Something that ends at a time. */
export interface Expiring {
  /** When, in Unix milliseconds; `Infinity` for never. */
  readonly endsAtMs: number;
  /** Called once when the wall clock is within a minute of its end, and not past it. */
  warn(): void;
  /** Called when the wall clock has reached its end. */
  expire(): void;
}

// A session lives on for at most this long after its end when the wall clock jumps over it.
const LONGEST_SLEEP_MS = 4_000;
const WARNING_MS = 60_000;

/** Watches the ends of sessions. */
export class ExpiryWatch {
  readonly #clock: Clock;
  readonly #watched = new Map<Expiring, { warned: boolean }>();
  #cancel: (() => void) | undefined;
  #wakesAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Watches a session, or looks at it again because its end has changed. */
  watch(session: Expiring): void {
    if (!this.#watched.has(session)) this.#watched.set(session, { warned: false });
    const left = Math.max(0, session.endsAtMs - this.#clock.now());
    const wait = Math.min(left, LONGEST_SLEEP_MS);
    if (this.#clock.monotonic() + wait < this.#wakesAt) this.#arm(wait);
  }

  /** Forgets a session; with the last one the timer goes. */
  forget(session: Expiring): void {
    this.#watched.delete(session);
    if (this.#watched.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#wakesAt = Infinity;
  }

  #arm(wait: number): void {
    this.#cancel?.();
    this.#wakesAt = this.#clock.monotonic() + wait;
    this.#cancel = this.#clock.schedule(wait, () => this.#look());
  }

  #look(): void {
    this.#cancel = undefined;
    this.#wakesAt = Infinity;
    const now = this.#clock.now();
    let wait = LONGEST_SLEEP_MS;
    for (const [session, state] of [...this.#watched]) {
      const left = session.endsAtMs - now;
      if (left <= 0) {
        this.#watched.delete(session);
        session.expire();
        continue;
      }
      if (left <= WARNING_MS && !state.warned) {
        state.warned = true;
        session.warn();
      }
      wait = Math.min(wait, left);
    }
    if (this.#watched.size > 0) this.#arm(wait);
  }
}
