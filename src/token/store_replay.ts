/**
 * Remembers which tokens were used in a store that several verifiers share.
 *
 * @module
 */

import { encodeBase64Url } from "../base/base64.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { checkNumber, kindOf } from "../base/check.ts";
import { counted } from "../base/operations.ts";
import { bounded, type Clock, systemClock } from "../base/signal.ts";
import { unavailable } from "../base/store/feed.ts";
import type { SharedStore } from "../base/store/shared_store.ts";
import type { ReplayStore } from "./policy.ts";

/** Options of {@linkcode createReplayStore} with a store. */
export interface StoreReplayOptions {
  /** The store in which gateways keep used tokens. */
  readonly store: SharedStore;
  /** How long a claim can take, in milliseconds. Default: 2000. */
  readonly timeoutMs?: number;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock;
}

const KIND = "token";
// The longest life of a token with a jti, the longest tolerance of a verifier, and how far the signer's clock can be ahead.
const SHORTEST_MEMORY_MS = 390_000;
// A claim's life is counted by the clock of the verifier that accepted the token. Another one whose clock is behind accepts the token for
// longer: their clocks can be this far apart.
const CLOCK_MARGIN_MS = 300_000;

/**
 * Takes a token in a store, once. The store holds a hash of it, which is of no use for signing in.
 *
 * @param claim The store's `claim`.
 * @param id What identifies the token.
 * @param lifeMs For how long it can still be used.
 * @returns Whether this is its first use. When that cannot be known, the token counts as used.
 */
export async function claimToken(
  claim: SharedStore["claim"],
  id: string,
  lifeMs: number,
): Promise<boolean> {
  const hash = await counted(crypto.subtle.digest("SHA-256", encodeUtf8(id)));
  const key = encodeBase64Url(new Uint8Array(hash));
  // An owner for each claim: a token that is shown twice at one verifier is refused there too.
  const owner = crypto.randomUUID();
  const ttlMs = Math.max(SHORTEST_MEMORY_MS, lifeMs) + CLOCK_MARGIN_MS;
  return await claim(KIND, key, owner, ttlMs) === owner;
}

/** Makes a memory of used tokens on a store. */
export function createStoreReplay(options: StoreReplayOptions): ReplayStore {
  const action = "create replay store";
  const { store, timeoutMs = 2_000, clock = systemClock } = options;
  if (typeof store?.claim !== "function") {
    throw new TypeError(`Cannot ${action}: store is ${kindOf(store)}, expected a shared store`);
  }
  checkNumber(action, "timeoutMs", timeoutMs, {
    min: 1,
    expected: "a number of milliseconds, 1 or more",
  });
  const claim: SharedStore["claim"] = (...asked) =>
    bounded(() => store.claim(...asked), {
      ...{ clock, timeoutMs },
      onTimeout: () => unavailable(`it did not answer within ${timeoutMs} ms`),
    });
  return { claim: (id, untilMs, nowMs) => claimToken(claim, id, untilMs - nowMs) };
}
