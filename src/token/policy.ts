/**
 * What a verifier is told: keys, time, limits and further demands; and what it answers.
 *
 * @module
 */

import type { TokenKind } from "./claims.ts";
import type { ReplayStore } from "./replay.ts";

/** What a key may be used for (protocol.md section 1.4). */
export type KeyRole = "sdk" | "admin";

/** A registered public key, as `resolveKey` returns it. */
export interface KeyRecord {
  /** The tenant that owns the key: lower-case ASCII letters, digits and inner hyphens, at most 63 characters. */
  readonly tenantId: string;
  /** The key, from `importVerifyingKey`. */
  readonly key: CryptoKey;
  /** What the key may be used for. Default: `"sdk"`. */
  readonly role?: KeyRole | undefined;
  /** Whether the key is revoked: told only to whoever shows a good signature by it. Default: `false`. */
  readonly revoked?: boolean | undefined;
  /** When the key ends, Unix milliseconds; from then on it counts as revoked. Default, and 0: never. */
  readonly expiresAtMs?: number | undefined;
}

/** Options of {@linkcode verifyToken}. */
export interface VerifyTokenOptions {
  /** Finds a key by its id, exactly; `undefined` when there is none. What it throws, `verifyToken` rejects with. */
  readonly resolveKey: (
    keyId: string,
  ) => KeyRecord | undefined | Promise<KeyRecord | undefined>;
  /** The time, Unix milliseconds. Default: the machine's clock. */
  readonly now?: number | (() => number);
  /** Seconds for which a token is taken after its `exp`; more than 60 count as 60. Default: 0. (`iat` and `nbf` may be 30 s ahead in any case.) */
  readonly clockToleranceSeconds?: number;
  /** Longest life of a token, in seconds; more than 3600 count as 3600, and more than 300 as 300 for a browser token. Default: 3600. */
  readonly maxLifetimeSeconds?: number;
  /** Take tokens without `iat`; then their life counts from now. Default: `false`. */
  readonly allowMissingIssuedAt?: boolean;
  /** The only claim `aud` taken, as a string. Default: a token with an audience is refused. */
  readonly audience?: string;
  /** Refuse a token without `aud`. Default: `false`. */
  readonly requireAudience?: boolean;
  /** Refuse a token of the other kind. Default: both are taken. */
  readonly kind?: TokenKind;
  /** Refuse a token without this role. Default: both are taken. */
  readonly role?: KeyRole;
  /** Where the browser's page is from (its `Origin` header), `null` when it sent none. Default: unknown, not compared. */
  readonly origin?: string | null;
  /** Remembers used tokens: one with a `jti` is taken once. Default: tokens can be used again until they expire. */
  readonly replay?: ReplayStore;
  /** With `replay`: take every token once, also without `jti`. Default: `false`. */
  readonly oneTime?: boolean;
}

/** What a good token says. Frozen. */
export interface VerifiedToken {
  /** The tenant, from the key's record. */
  readonly tenantId: string;
  /** The id of the key that signed. */
  readonly keyId: string;
  /** The key's role; a browser token is never `"admin"`. */
  readonly role: KeyRole;
  /** Claim `iat`, Unix seconds; `undefined` only with `allowMissingIssuedAt`. */
  readonly issuedAt: number | undefined;
  /** Claim `exp`, Unix seconds. */
  readonly expiresAt: number;
  /** Whether it was minted for a browser. */
  readonly kind: TokenKind;
  /** Claim `scope`. */
  readonly scope?: string | undefined;
  /** Claim `origin`. */
  readonly origin?: string | undefined;
  /** Claim `end_user`. */
  readonly endUser?: string | undefined;
  /** Claim `jti`. */
  readonly jti?: string | undefined;
  /** All claims, frozen at every level. */
  readonly claims: Readonly<Record<string, unknown>>;
}
