/**
 * The token of a program that is the phone.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { entryOf, type KeyEntry } from "../auth/key_entry.ts";
import type { GatewayContext } from "../context.ts";
import { RpcRefusal } from "../refusal.ts";

/** Options of `phones.token()`. */
export interface PhoneTokenOptions {
  /** The web origin that the token is pinned to, such as `http://127.0.0.1:8080`. Default: what `tenantOrigins` says, else none. */
  readonly origin?: string;
  /** Its lifetime in seconds, 1 to 300. Default: 300. */
  readonly lifetimeSeconds?: number;
}

/** A token, and when it ends. */
export interface PhoneToken {
  /** The signed token. */
  readonly token: string;
  /** When it ends, in Unix milliseconds. */
  readonly expiresAtMs: number;
}

// One person, in as many programs as it likes: what one of them answers belongs to all.
const PERSON = "phone";
const SCOPE = "call.answer";

/** Stands for the gateway's owner, on whose behalf the tokens are signed. It is in no registry: no token is signed with it. */
const owners = new WeakMap<GatewayContext, KeyEntry>();

/** Signs a token that can answer calls of the phone's tenant, and nothing else. */
export async function issuePhoneToken(
  gateway: GatewayContext,
  tenantId: string,
  { origin, lifetimeSeconds: ttlSeconds = 300 }: PhoneTokenOptions = {},
): Promise<PhoneToken> {
  const request = { subject: PERSON, ttlSeconds, scope: SCOPE };
  const issued = await gateway.issuers.issue(ownerOf(gateway, tenantId), request, origin);
  if (issued instanceof RpcRefusal) {
    throw new TeleQuickError("ERR_VALUE_INVALID", `Cannot sign token: ${issued.message}`);
  }
  return issued;
}

function ownerOf(gateway: GatewayContext, tenantId: string): KeyEntry {
  let owner = owners.get(gateway);
  // When its key was revoked, it signs with another one from then on.
  const isRevoked = [...owner?.children ?? []].some((key) => key.isRevoked);
  if (owner === undefined || isRevoked) {
    owner = entryOf({
      ...{ tenantId, keyId: "", publicKey: "", thumbprint: "", role: "admin", expiresAtMs: 0 },
      ...{ isRevoked: false, revokedAtMs: 0 },
    });
    owners.set(gateway, owner);
  }
  return owner;
}
