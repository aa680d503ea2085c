/**
 * Admission: a token in, a principal or a refusal out. Nothing else makes a principal.
 *
 * A session presents its token in an `Authenticate` request on its first bidirectional stream. The reply to an accepted
 * one has `status` `OK`, `tenant_id` and `expires_at_ms`; to a refused one `status` `ERROR`, `error_code` 7 (`ERR_UNAUTHORIZED`) and an
 * `error_message` that is exactly one of `expired`, `not yet valid`, `lifetime`, `revoked`, `rejected`: nothing in it shows whether a tenant or
 * a key exists. With `error_code` 3 (`ERR_RATE_LIMITED`) the token was good and there is no room: trying again later can help.
 *
 * @module
 */

import { type RefusalReason, TeleQuickError } from "../../base/errors.ts";
import { type ReplayStore, verifyToken, type VerifyTokenOptions } from "../../token/mod.ts";
import type { Clock } from "../../base/signal.ts";
import { ErrorCode } from "../../wire/mod.ts";
import { RpcRefusal } from "../refusal.ts";
import type { GatewayRules } from "../services.ts";
import type { Principal } from "./principal.ts";
import { isLive, type KeyEntry } from "./key_entry.ts";
import type { KeyRegistry } from "./key_registry.ts";

/** What tokens are checked against. */
export interface Verifier {
  readonly registry: KeyRegistry;
  readonly rules: GatewayRules;
  readonly clock: Clock;
  /** The single-use tokens of each tenant. */
  readonly usedTokens: { of(tenantId: string): ReplayStore };
}

/** Where a token comes from, as far as the session shows it. */
export interface TokenOrigin {
  /** The page's origin. */
  readonly origin?: string | undefined;
  /** The peer's address, where it stands for one peer. */
  readonly address?: string | undefined;
}

/** A token that was accepted. */
export interface Admitted {
  readonly principal: Principal;
  readonly key: KeyEntry;
}

/** A token, or what came in its place, that was not. */
export interface Refused {
  /** What the peer receives. */
  readonly refusal: RefusalReason;
  /** Why, precisely: for the owner's log. Holds no part of the token. */
  readonly reason: string;
}

/** A token that cannot be checked now, because keys or used tokens cannot be looked up: trying again later can help. */
export interface Unavailable {
  /** Why, precisely: for the owner's log. Holds no part of the token. */
  readonly unavailable: string;
}

/** Checks a token. The outcome holds at this moment only: the caller checks {@linkcode stillHolds} in the turn in which it acts on it. */
export async function admit(
  token: string,
  { origin, address }: TokenOrigin,
  gateway: Verifier,
): Promise<Admitted | Refused | Unavailable> {
  let key: KeyEntry | undefined;
  try {
    const verified = await verifyToken(token, {
      ...verifyOptions(gateway, (found) => key = found, address),
      ...(origin === undefined ? {} : { origin }),
    });
    if (gateway.rules.requireOrigin && verified.origin !== undefined && origin === undefined) {
      return { refusal: "rejected", reason: "Its origin cannot be compared: none is known" };
    }
    const { tenantId, keyId, kind, expiresAtMs, endUser, scope } = verified;
    const principal = Object.freeze({
      tenantId,
      keyId,
      kind,
      endUser,
      expiresAtMs,
      scope: scope === undefined ? undefined : new Set(scope.split(" ")),
    }) as Principal;
    return { principal, key: key! };
  } catch (error) {
    if (isUnavailable(error)) return { unavailable: error.message };
    if (error instanceof TeleQuickError) {
      return { refusal: error.refusal ?? "rejected", reason: error.message };
    }
    return { refusal: "rejected", reason: "The verifier failed" };
  }
}

/** Whether an error of `verifyToken` says that nothing can be said about the token now. */
export function isUnavailable(error: unknown): error is TeleQuickError {
  return error instanceof TeleQuickError && error.code === "ERR_UNAVAILABLE";
}

/** The answer to a request whose token cannot be checked now: the client can retry. */
export const cannotCheck = new RpcRefusal(
  ErrorCode.ERR_RATE_LIMITED,
  "Cannot check the token now",
);

/** How every token is verified here, wherever it is presented. `onKey` is called with the key that was found; `address` is the peer's, where it is known. */
export function verifyOptions(
  { registry, rules, clock, usedTokens }: Verifier,
  onKey: (key: KeyEntry) => void,
  address?: string,
): VerifyTokenOptions {
  let tenantId = "";
  return {
    resolveKey: (keyId, claimed) => {
      tenantId = claimed.tenantId;
      return registry.resolve(tenantId, keyId, onKey, address);
    },
    // Asked when the token is known to be the tenant's own.
    replay: { claim: (...used) => usedTokens.of(tenantId).claim(...used) },
    now: clock.now(),
    requireAudience: rules.requireAudience,
    ...(rules.audience === undefined ? {} : { audience: rules.audience }),
  };
}

/** Whether what was found when the token was checked is still so. */
export function stillHolds({ principal, key }: Admitted, nowMs: number): RefusalReason | undefined {
  if (!isLive(key, nowMs)) return "revoked";
  return nowMs < principal.expiresAtMs ? undefined : "expired";
}
