/**
 * A secret that works once, and cannot be guessed at leisure.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";

const TRIES = 5;
const LOCKED_MS = 60_000;
const MOST_TENANTS = 10_000;

interface Guesses {
  failures: number;
  /** On the monotonic clock. */
  lockedUntil: number;
}

/** The one-shot secret of a gateway. */
export class BootstrapSecret {
  /** Whether it is used up. */
  isUsed = false;
  readonly #secret: string | undefined;
  readonly #clock: Clock;
  readonly #guesses = new Map<string, Guesses>();

  constructor(secret: string | undefined, clock: Clock) {
    this.#secret = secret;
    this.#clock = clock;
  }

  /**
   * Whether a guess is right. After five wrong ones of a tenant everything that this tenant guesses is wrong for a minute: no tenant can lock
   * another one out.
   */
  matches(guess: string, tenantId: string): boolean {
    const now = this.#clock.monotonic();
    this.#forget(now);
    const guesses = this.#guesses.get(tenantId) ?? { failures: 0, lockedUntil: -Infinity };
    if (now < guesses.lockedUntil) return false;
    const secret = this.isUsed ? undefined : this.#secret;
    // Compared with something in every case, and over all of it.
    if (equalSecrets(guess, secret ?? " ".repeat(32)) && secret !== undefined) {
      this.#guesses.delete(tenantId);
      return true;
    }
    if (++guesses.failures >= TRIES) {
      guesses.failures = 0;
      guesses.lockedUntil = now + LOCKED_MS;
    }
    this.#guesses.delete(tenantId);
    this.#guesses.set(tenantId, guesses);
    return false;
  }

  /** Forgets the tenants whose last wrong guess is the oldest, when there are too many; but none that is locked. */
  #forget(now: number): void {
    if (this.#guesses.size < MOST_TENANTS) return;
    for (const [tenantId, { lockedUntil }] of this.#guesses) {
      if (now >= lockedUntil) return void this.#guesses.delete(tenantId);
    }
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
