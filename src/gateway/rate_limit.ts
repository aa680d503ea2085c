/**
 * Token buckets: how often something may happen.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";

/** Options of a {@linkcode RateLimit}. */
export interface RateLimitOptions {
  /** Tokens that come back in a second. */
  readonly perSecond: number;
  /** Tokens at the start and at the most. */
  readonly burst: number;
  /** Where time comes from; only its monotonic side is read. */
  readonly clock: Clock;
}

/** A bucket that fills at a rate and is emptied by use. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor({ perSecond, burst, clock }: RateLimitOptions) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#at = clock.monotonic();
  }

  /** Takes a token, at `now` on the clock where that is known. Returns `false`, and takes nothing, when it is missing. */
  take(now?: number): boolean {
    if (this.#perSecond === Infinity) return true;
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Whether {@linkcode RateLimit.take} would take a token now. */
  get hasToken(): boolean {
    if (this.#perSecond === Infinity) return true;
    this.#fill();
    return this.#tokens >= 1;
  }

  /** Takes tokens that are used already, also more than there are: the rest is a debt. */
  spend(tokens: number): void {
    if (this.#perSecond === Infinity) return;
    this.#fill();
    this.#tokens -= tokens;
  }

  /** How long until there are tokens again, in milliseconds; 0 when there are some. */
  get waitMs(): number {
    if (this.#perSecond === Infinity) return 0;
    this.#fill();
    return this.#tokens > 0 ? 0 : (-this.#tokens * 1_000) / this.#perSecond + 1;
  }

  #fill(now: number = this.#clock.monotonic()): void {
    const back = (now - this.#at) * this.#perSecond / 1_000;
    this.#tokens = Math.min(this.#burst, this.#tokens + back);
    this.#at = now;
  }
}
