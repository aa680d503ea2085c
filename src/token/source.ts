/**
 * A source of tokens for a client that connects again and again: cached, renewed before they expire, signed one at a time.
 *
 * @module
 */

import type { Signer } from "../credentials/mod.ts";
import { TeleQuickError } from "../base/errors.ts";
import { type Clock, raceSignal, systemClock } from "../base/signal.ts";
import { decodeToken } from "./decode.ts";
import { signToken } from "./sign.ts";

/** Options of {@linkcode createTokenSource}. */
export interface TokenSourceOptions {
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long each token lives, in whole seconds, at most 3600. Default: 3600, or 300 when `claims` has a browser claim. */
  readonly lifetimeSeconds?: number;
  /** How long before a token expires it is replaced, in seconds, at least 0. Default: a fifth of its life. */
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
   * @returns A token with at least `renewBeforeSeconds` to live, unless its whole life is no longer.
   */
  get(options?: { readonly signal?: AbortSignal }): Promise<string>;
  /** Forgets the cached token: the next `get` signs a new one, also when a signing is under way. */
  invalidate(): void;
}

interface Minted {
  readonly token: string;
  /** When the token's life begins, and until when it is handed out, in Unix milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Makes a token source.
 *
 * @param source A signer, or a function that gives one and is asked again for every token, so that a rotated key is picked up.
 * @param options Clock, lifetime, claims.
 * @returns The source.
 * @throws `ERR_VALUE_INVALID` for a negative `renewBeforeSeconds`; what is wrong with the others is told by `get()`, as by `signToken`.
 */
export function createTokenSource(
  source: Signer | (() => Signer | Promise<Signer>),
  options: TokenSourceOptions = {},
): TokenSource {
  const { clock = systemClock, renewBeforeSeconds, ...signing } = options;
  if (!(renewBeforeSeconds === undefined || renewBeforeSeconds >= 0)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot make token source: renewBeforeSeconds is ${renewBeforeSeconds}, expected at least 0`,
    );
  }
  let cached: Minted | undefined;
  let pending: Promise<string> | undefined;

  const mint = async (): Promise<Minted> => {
    const signer = typeof source === "function" ? await source() : source;
    const token = await signToken(signer, { ...signing, now: clock.now() });
    // What the token itself says: it counts whole seconds, so its life began up to one before it was signed.
    const { iat, exp } = decodeToken(token).claims as {
      readonly iat: number;
      readonly exp: number;
    };
    const spare = renewBeforeSeconds ?? (exp - iat) / 5;
    return { token, fromMs: iat * 1000, untilMs: (exp - spare) * 1000 };
  };

  const start = (): Promise<string> => {
    const minting = mint().then((minted) => {
      if (pending === minting) cached = minted;
      return minted.token;
    }).finally(() => {
      if (pending === minting) pending = undefined;
    });
    return minting;
  };

  return {
    get({ signal } = {}) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const now = clock.now();
      // A clock that was set back makes it a token from the future, which would be refused.
      if (cached !== undefined && now >= cached.fromMs && now < cached.untilMs) {
        return Promise.resolve(cached.token);
      }
      return raceSignal(pending ??= start(), signal);
    },
    invalidate() {
      cached = undefined;
      pending = undefined;
    },
  };
}
