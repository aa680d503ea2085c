/**
 * A source of tokens for a program that needs one again and again: cached, renewed before they expire, minted once for all that wait.
 *
 * @module
 */

import type { Signer } from "../credentials/mod.ts";
import { checkNumber } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { bounded, type Clock, systemClock, type WithinOptions } from "../base/signal.ts";
import { ignore } from "../base/ignore.ts";
import { decodeToken } from "./decode.ts";
import { signToken } from "./sign.ts";

/** Options of {@linkcode createTokenSource}. */
export interface TokenSourceOptions {
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock;
  /** How long each token lives, in whole seconds, at most 3600. Default: 3600, or 300 when `claims` has a browser claim. */
  readonly lifetimeSeconds?: number;
  /** How long before a token expires it is replaced, in seconds, at least 0. Default: a fifth of its lifetime. */
  readonly renewBeforeSeconds?: number;
  /** How long minting a token can take, in milliseconds, above 0; `Infinity` sets no limit. Default: 10000. */
  readonly timeoutMs?: number;
  /** Further claims of each token, as in `signToken`. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Gives tokens that are valid for a while yet. Holds no timer while nothing waits: a token is replaced when one is asked for. */
export interface TokenSource {
  /**
   * Returns the cached token, or a new one.
   *
   * A mint that is under way is joined. One that has taken a second may be lost (an edge runtime ends the request that it belongs to, a
   * key store hangs): then a second one is started, and the first that succeeds counts. No more than two are under way at a time.
   *
   * @param options A signal that ends this wait; the mint goes on for the others that wait.
   * @returns A token with at least `renewBeforeSeconds` to live, unless its whole lifetime is no longer.
   * @throws `ERR_TIMEOUT`, retryable, when no mint ends within `timeoutMs`; otherwise what the source or `signToken` throws.
   */
  get(options?: { readonly signal?: AbortSignal }): Promise<string>;
  /** Drops the cached token: the next `get` mints a new one, also when a mint is under way. */
  invalidate(): void;
}

/** A token, and the time in which it is handed out, in Unix milliseconds. */
interface Minted {
  readonly token: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A mint that is under way. */
interface Mint {
  /** When it began, on the monotonic clock. */
  readonly startedAt: number;
  readonly result: Promise<string>;
  /** Settles with it, and never rejects. */
  readonly end: Promise<void>;
}

/** The mints between two calls of `invalidate()`. */
interface Round {
  /** Those under way, the oldest first. */
  mints: Mint[];
  /** When the last one was started, on the monotonic clock. */
  lastStart: number;
}

/** After this time a mint may be lost, so that another one is started beside it. */
const SECOND_MINT_MS = 1_000;
const MAX_MINTS = 2;

/**
 * Makes a token source.
 *
 * @param source A signer, or a function that returns one and is called again for every token, so that a rotated key is picked up.
 * @param options Clock, lifetime, claims.
 * @returns The source.
 * @throws `ERR_VALUE_INVALID` for `renewBeforeSeconds` or `timeoutMs` out of range; `get()` reports faults in the other options.
 */
export function createTokenSource(
  source: Signer | (() => Signer | Promise<Signer>),
  options: TokenSourceOptions = {},
): TokenSource {
  const { clock = systemClock, renewBeforeSeconds, timeoutMs = 10_000, ...signing } = options;
  if (renewBeforeSeconds !== undefined) {
    checkNumber("create token source", "renewBeforeSeconds", renewBeforeSeconds, {
      min: 0,
      expected: "a number of seconds, 0 or more",
    });
  }
  checkNumber("create token source", "timeoutMs", timeoutMs, {
    min: 1,
    expected: "a number of milliseconds, 1 or more",
  });
  let cached: Minted | undefined;
  let round: Round = { mints: [], lastStart: -Infinity };

  const validToken = (): string | undefined => {
    const now = clock.now();
    // A clock that was set back makes it a token from the future, which would be refused.
    const isValid = cached !== undefined && now >= cached.fromMs && now < cached.untilMs;
    return isValid ? cached?.token : undefined;
  };

  const mint = async (): Promise<Minted> => {
    const signer = typeof source === "function" ? await source() : source;
    const token = await signToken(signer, { ...signing, now: clock.now() });
    // The token counts whole seconds, so its lifetime began up to one before it was signed.
    const { iat, exp } = decodeToken(token).claims as {
      readonly iat: number;
      readonly exp: number;
    };
    const spare = renewBeforeSeconds ?? (exp - iat) / 5;
    return { token, fromMs: iat * 1000, untilMs: (exp - spare) * 1000 };
  };

  const start = (own: Round): void => {
    own.lastStart = clock.monotonic();
    const result = mint().then((minted) => {
      if (own === round) cached = minted;
      return minted.token;
    });
    const started: Mint = {
      startedAt: own.lastStart,
      result,
      end: result.then(ignore, ignore).then(() => {
        own.mints = own.mints.filter((each) => each !== started);
      }),
    };
    own.mints.push(started);
  };

  /** Joins the mints under way, and starts one when no mint is under way or all can be lost. */
  const wait = async (signal: AbortSignal | undefined): Promise<string> => {
    const own = round;
    const until = clock.monotonic() + timeoutMs;
    const joined = new Set<Mint>();
    for (;;) {
      const token = own === round ? validToken() : undefined;
      if (token !== undefined) return token;
      const now = clock.monotonic();
      if (now >= until) throw timedOut(timeoutMs);
      own.mints = own.mints.filter(({ startedAt }) => now - startedAt < timeoutMs);
      const isLate = now - own.lastStart >= SECOND_MINT_MS && own.mints.length < MAX_MINTS;
      if (isLate || own.mints.length === 0 && joined.size === 0) start(own);
      for (const each of own.mints) joined.add(each);
      // Then another mint can be started, or one is given up, or this wait is over.
      const lookAt = Math.min(
        until,
        ...own.mints.map(({ startedAt }) => startedAt + timeoutMs),
        own.mints.length < MAX_MINTS ? own.lastStart + SECOND_MINT_MS : Infinity,
      );
      const ended = await firstEnd(joined, { signal, clock, timeoutMs: lookAt - now });
      if (ended === undefined) continue;
      try {
        return await ended.result;
      } catch (error) {
        joined.delete(ended);
        if (joined.size === 0) throw error;
      }
    }
  };

  return {
    async get({ signal } = {}) {
      signal?.throwIfAborted();
      return await wait(signal);
    },
    invalidate() {
      cached = undefined;
      round = { mints: [], lastStart: -Infinity };
    },
  };
}

/** The first of several mints that ends; `undefined` when the time is over first. */
async function firstEnd(
  mints: ReadonlySet<Mint>,
  options: Omit<WithinOptions, "onTimeout">,
): Promise<Mint | undefined> {
  const timeout = new Error("no mint ended");
  try {
    return await bounded(
      () => Promise.race([...mints].map((each) => each.end.then(() => each))),
      { ...options, onTimeout: () => timeout },
    );
  } catch (error) {
    if (error === timeout) return undefined;
    throw error;
  }
}

function timedOut(timeoutMs: number): TeleQuickError {
  return new TeleQuickError(
    "ERR_TIMEOUT",
    `Cannot get a token: minting did not end within ${timeoutMs} ms (the function that returns the signer may hang)`,
    { retryable: true },
  );
}
