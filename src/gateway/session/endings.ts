/**
 * Why a gateway ends a live session: what `SessionEnding` says before the close.
 *
 * @module
 */

import type { SessionEnding } from "../../wire/mod.ts";

/** Every ending. `code` is also the close code; `reconnect` says whether a new session can be had, with a fresh token. */
export const endings = {
  /** Its token's `exp` has passed. */
  expired: { code: 401, reason: "token expired", reconnect: true },
  /** Its key was revoked, or has passed its own expiry. Another key can be accepted. */
  revoked: { code: 401, reason: "key revoked", reconnect: true },
  /** It did not read its events, and they are never dropped in silence. */
  slow: { code: 429, reason: "slow subscriber", reconnect: true },
  /** It went on opening streams far above its rate. */
  flood: { code: 429, reason: "too many requests", reconnect: false },
  /** For too long the gateway has not been able to learn which keys are revoked. */
  stale: { code: 503, reason: "stale", reconnect: true },
  /** The gateway goes down. */
  shutdown: { code: 503, reason: "gateway is shutting down", reconnect: true },
} as const satisfies Record<string, SessionEnding>;
