/**
 * When to try again, and when to give up.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { messageOf } from "../../base/text/message.ts";
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
  /** How long attempts to come back go on after a session was lost, in milliseconds; `Infinity`: without end. */
  readonly giveUpAfterMs: number;
}

// A session that lasted this long was a success: the next loss starts the back-off anew.
const LASTED_MS = 10_000;
// A longer time between two attempts is one in which this program did not run: a laptop that was asleep.
const LONGEST_STEP_MS = 60_000;

/**
 * Counts sessions, attempts and the time without a session. Attempts go on after every kind of error: a gateway that restarts without its
 * keys, a backend that answers 502 and a file that is being replaced look like refusals and pass. Time alone ends them.
 */
export class RetryPolicy {
  readonly #options: RetryPolicyOptions;
  #openedAt = 0;
  #attempts = 0;
  #renewals = 0;
  #replacements = 0;
  /** When the time without a session was last counted; `undefined` while there is one, and before the first. */
  #countedAt: number | undefined;
  #withoutMs = 0;

  constructor(options: RetryPolicyOptions) {
    this.#options = options;
  }

  /** A session is open. */
  opened(): void {
    this.#openedAt = this.#options.clock.monotonic();
    this.#renewals = 0;
    this.#countedAt = undefined;
  }

  /** The session in use was lost. */
  lost(): void {
    if (this.#hasLasted()) this.#attempts = 0;
    this.#countedAt = this.#options.clock.monotonic();
    this.#withoutMs = 0;
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
    const { renewable, giveUpAfterMs } = this.#options;
    const isVerdict = error instanceof TeleQuickError &&
      (isRefusal(error) || isCredentialFailure(error));
    // The same token again would be refused again.
    if (!renewable && isVerdict) return isExpiry(error) ? expiredError() : error;
    if (this.#countedAt === undefined) return undefined;
    const now = this.#options.clock.monotonic();
    this.#withoutMs += Math.min(LONGEST_STEP_MS, now - this.#countedAt);
    this.#countedAt = now;
    return this.#withoutMs < giveUpAfterMs ? undefined : gaveUp(error, giveUpAfterMs);
  }

  #hasLasted(): boolean {
    return this.#options.clock.monotonic() - this.#openedAt >= LASTED_MS;
  }
}

function gaveUp(error: unknown, afterMs: number): TeleQuickError {
  const message = `Cannot reconnect within ${afterMs / 1_000} s: ${messageOf(error)}`;
  if (!(error instanceof TeleQuickError)) {
    return new TeleQuickError("ERR_CONNECT_FAILED", message, { cause: error });
  }
  const { code, retryable, refusal, rpcCode } = error;
  return new TeleQuickError(code, message, {
    cause: error,
    retryable,
    ...(refusal !== undefined && { refusal }),
    ...(rpcCode !== undefined && { rpcCode }),
  });
}
