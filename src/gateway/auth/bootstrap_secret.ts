/**
 * A secret that works once, and cannot be guessed at leisure.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";

const TRIES = 5;
const LOCKED_MS = 60_000;

/** The one-shot secret of a gateway. */
export class BootstrapSecret {
  /** Whether it is used up. */
  isUsed = false;
  readonly #secret: string | undefined;
  readonly #clock: Clock;
  #failures = 0;
  #lockedUntil = -Infinity;

  constructor(secret: string | undefined, clock: Clock) {
    this.#secret = secret;
    this.#clock = clock;
  }

  /** Whether a guess is right. After five wrong ones everything is wrong for a minute. */
  matches(guess: string): boolean {
    const now = this.#clock.monotonic();
    if (now < this.#lockedUntil) return false;
    const secret = this.isUsed ? undefined : this.#secret;
    // Compared with something in every case, and over all of it.
    if (equalSecrets(guess, secret ?? " ".repeat(32)) && secret !== undefined) {
      this.#failures = 0;
      return true;
    }
    if (++this.#failures >= TRIES) {
      this.#failures = 0;
      this.#lockedUntil = now + LOCKED_MS;
    }
    return false;
  }
}

/** Compares without telling by the time it takes where two texts differ. */
function equalSecrets(guess: string, secret: string): boolean {
  let difference = guess.length ^ secret.length;
  for (let i = 0; i < secret.length; i++) {
    difference |= guess.charCodeAt(i % Math.max(1, guess.length)) ^ secret.charCodeAt(i);
  }
  return difference === 0;
}
