/**
 * When to try again, and when to give up.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { Clock } from "../../base/signal.ts";
import { backoffMs } from "./backoff.ts";
import { expiredError, isCredentialFailure, isExpiry, isRefusal } from "./end_errors.ts";

/** Options of a {@linkcode RetryPolicy}. */
export interface RetryPolicyOptions {
  readonly clock: Clock;
  /** Random numbers from 0 up to 1, for the jitter. */
  readonly random: () => number;
  /** Whether asking for a token again can give another. */
  readonly renewable: boolean;
}

// A session that lasted this long was a success: the next loss starts the back-off anew.
const LASTED_MS = 10_000;
// A refused token is tried once more with a fresh one; a provider that fails gets a few attempts.
const MAX_REFUSALS = 2;
const MAX_CREDENTIAL_FAILURES = 5;

/** Counts sessions and attempts. */
export class RetryPolicy {
  readonly #options: RetryPolicyOptions;
  #openedAt = 0;
  #attempts = 0;
  #renewals = 0;
  #replacements = 0;
  #refusals = 0;
  #credentialFailures = 0;

  constructor(options: RetryPolicyOptions) {
    this.#options = options;
  }

  /** A session is open. */
  opened(): void {
    this.#openedAt = this.#options.clock.monotonic();
    this.#renewals = this.#refusals = this.#credentialFailures = 0;
  }

  /** The session in use was lost. */
  lost(): void {
    if (this.#hasLasted()) this.#attempts = 0;
  }

  /** The next attempt to come back: its number from 1, and how long to wait before it. */
  nextAttempt(): { readonly attempt: number; readonly delayMs: number } {
    const attempt = ++this.#attempts;
    return { attempt, delayMs: backoffMs(attempt, this.#options.random) };
  }

  /** How long to wait before a replacement that could not be opened is tried again. */
  renewalDelay(): number {
    return backoffMs(++this.#renewals, this.#options.random);
  }

  /** How long to wait before a session is replaced that the gateway ends: 0, unless the one before was ended early too. */
  replacementDelay(): number {
    this.#replacements = this.#hasLasted() ? 0 : this.#replacements + 1;
    return this.#replacements > 1 ? backoffMs(this.#replacements - 1, this.#options.random) : 0;
  }

  /** The error to give up with after a failed attempt; `undefined` to go on. */
  giveUp(error: unknown): TeleQuickError | undefined {
    // What a token function throws is no verdict on the credentials: it may need the very network that is gone.
    if (!(error instanceof TeleQuickError)) return undefined;
    if (isRefusal(error)) this.#refusals++;
    else if (isCredentialFailure(error)) this.#credentialFailures++;
    const { renewable } = this.#options;
    const isHopeless = this.#refusals >= MAX_REFUSALS ||
      this.#credentialFailures >= MAX_CREDENTIAL_FAILURES ||
      !renewable && this.#refusals + this.#credentialFailures > 0;
    if (!isHopeless) return undefined;
    return !renewable && isExpiry(error) ? expiredError() : error;
  }

  #hasLasted(): boolean {
    return this.#options.clock.monotonic() - this.#openedAt >= LASTED_MS;
  }
}
