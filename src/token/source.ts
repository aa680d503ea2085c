/**
 * A source of tokens for a client that connects again and again: cached, renewed before they expire, signed one at a time.
 *
 * @module
 */

import type { Signer } from "../credentials/mod.ts";
import { type Clock, raceSignal, systemClock } from "../signal.ts";
import { MAX_LIFETIME_SECONDS } from "./claims.ts";
import { signToken } from "./sign.ts";

/** Options of {@linkcode createTokenSource}. */
export interface TokenSourceOptions {
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long each token lives, in whole seconds, at most 3600. Default: 3600. */
  readonly lifetimeSeconds?: number;
  /** How long before a token expires it is replaced, in seconds. Default: a fifth of its life. */
  readonly renewBeforeSeconds?: number;
  /** Further claims of each token, as in `signToken`. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Gives tokens that are still good for a while. Holds no timer: a token is replaced when somebody asks. */
export interface TokenSource {
  /**
   * The cached token, or a new one.
   *
   * @param options A signal that ends this wait; the signing goes on for the others that wait.
   * @returns A token with at least `renewBeforeSeconds` to live.
   */
  get(options?: { readonly signal?: AbortSignal }): Promise<string>;
  /** Forgets the cached token: the next `get` signs a new one, also when a signing is under way. */
  invalidate(): void;
}

/**
 * Makes a token source.
 *
 * @param source A signer, or a function that gives one and is asked again for every token, so that a rotated key is picked up.
 * @param options Clock, lifetime, claims.
 * @returns The source.
 */
export function createTokenSource(
  source: Signer | (() => Signer | Promise<Signer>),
  options: TokenSourceOptions = {},
): TokenSource {
  const { clock = systemClock, lifetimeSeconds = MAX_LIFETIME_SECONDS, claims = {} } = options;
  const { renewBeforeSeconds = lifetimeSeconds / 5 } = options;
  const freshMs = (lifetimeSeconds - renewBeforeSeconds) * 1000;
  let cached: { readonly token: string; readonly since: number } | undefined;
  let pending: Promise<string> | undefined;

  const mint = async (): Promise<{ readonly token: string; readonly since: number }> => {
    const signer = typeof source === "function" ? await source() : source;
    const since = clock.now();
    return { token: await signToken(signer, { now: since, lifetimeSeconds, claims }), since };
  };

  const start = (): Promise<string> => {
    const signing = mint().then((minted) => {
      if (pending === signing) cached = minted;
      return minted.token;
    }).finally(() => {
      if (pending === signing) pending = undefined;
    });
    return signing;
  };

  return {
    get({ signal } = {}) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const age = cached === undefined ? Infinity : clock.now() - cached.since;
      // A clock that was set back makes the age negative: a token from the future would be refused.
      if (cached !== undefined && age >= 0 && age < freshMs) return Promise.resolve(cached.token);
      return raceSignal(pending ??= start(), signal);
    },
    invalidate() {
      cached = undefined;
      pending = undefined;
    },
  };
}
