/**
 * What a verifier is given: keys, time, limits and further demands; and what it returns.
 *
 * @module
 */

import type { TokenKind } from "./claims.ts";
import type { Instant } from "./instant.ts";

/** What a key may be used for: calls (`"sdk"`), or also managing keys and trunks (`"admin"`). */
export type KeyRole = "sdk" | "admin";

/** A registered public key, as `resolveKey` returns it. */
export interface KeyRecord {
  /** The tenant that owns the key: lower-case ASCII letters, digits and inner hyphens, at most 63 characters. */
  readonly tenantId: string;
  /** The key, from `importVerifyingKey`. */
  readonly key: CryptoKey;
  /** What the key may be used for. Default: `"sdk"`. */
  readonly role?: KeyRole | undefined;
  /** Whether the key is revoked. Said outside only when the signature is genuine. Default: `false`. */
  readonly revoked?: boolean | undefined;
  /** When the key ends, Unix milliseconds; from then on it counts as revoked. Default, and 0: never. */
  readonly expiresAtMs?: number | undefined;
  /**
   * Called before a token is refused because its signature is not the key's. When it rejects, `verifyToken` rejects with `ERR_UNAVAILABLE`: a
   * registry that cannot look up unknown ids now must not show which ids it knows. Default: none.
   */
  readonly confirm?: (() => Promise<void>) | undefined;
}

/** What a token claims before anything of it is verified. */
export interface ClaimedKey {
  /** The claim `sub`: a well-formed tenant id. It only selects the key; `verifyToken` compares it with the key's own tenant. */
  readonly tenantId: string;
}

/**
 * Finds a key by its id, exactly, among those of the claimed tenant, where ids are unique within a tenant only.
 *
 * @param keyId The header's `kid`: 1 to 128 ASCII letters, digits, `.`, `_`, `-`.
 * @param claimed The tenant that the token claims to be of.
 * @returns The key, or `undefined` for an unknown key or tenant. When it throws, `verifyToken` rejects with
 * `ERR_UNAVAILABLE`, retryable: a failing registry neither accepts nor refuses. It should take the same time for known and unknown ids.
 */
export type ResolveKey = (
  keyId: string,
  claimed: ClaimedKey,
) => KeyRecord | undefined | Promise<KeyRecord | undefined>;

/** Keys for `verifyToken`, from `createKeySet`. */
export interface KeySet {
  /** For the option `resolveKey` of `verifyToken`. Can be handed on alone. */
  readonly resolveKey: ResolveKey;
  /** Reads the keys now, for instance at the start or when a revocation was announced. A read under way is not enough: another one follows it. */
  refresh(): Promise<void>;
}

/** A memory of used tokens, here or shared by several verifiers. */
export interface ReplayStore {
  /**
   * Marks a token as used.
   *
   * @param id What identifies the token; several hundred characters where the token has no `jti`.
   * @param untilMs When it can be forgotten, because the token is refused from then on anyway, in Unix milliseconds.
   * @param nowMs The time, Unix milliseconds.
   * @returns `true` when this is its first use; anything else refuses the token. When it throws or rejects, `verifyToken` rejects with
   * `ERR_UNAVAILABLE`, retryable: the token is neither accepted nor refused.
   */
  claim(id: string, untilMs: number, nowMs: number): boolean | Promise<boolean>;
}

/** Options of {@linkcode verifyToken}. */
export interface VerifyTokenOptions {
  /** Finds a key; see {@linkcode ResolveKey}. */
  readonly resolveKey: ResolveKey;
  /** The time, Unix milliseconds. Default: the machine's clock. */
  readonly now?: Instant;
  /** Seconds for which a token is accepted after its `exp`; more than 60 count as 60. Default: 0. (`iat` and `nbf` can be 30 s ahead in any case.) */
  readonly clockToleranceSeconds?: number;
  /** Longest lifetime of a token, in seconds; more than 3600 count as 3600, and more than 300 as 300 for a browser token. Default: 3600. */
  readonly maxLifetimeSeconds?: number;
  /** Accept tokens without `iat`; then their lifetime counts from now. Default: `false`. */
  readonly allowMissingIssuedAt?: boolean;
  /** The only claim `aud` accepted, as a string. Default: a token with an audience is refused. */
  readonly audience?: string;
  /** Refuse a token without `aud`. Default: `false`. */
  readonly requireAudience?: boolean;
  /** Refuse a token of the other kind. Default: both are accepted. */
  readonly kind?: TokenKind;
  /** Refuse a token without this role. Default: both are accepted. */
  readonly role?: KeyRole;
  /** The page's origin (the `Origin` header), `null` when it sent none. Default: unknown, not compared. */
  readonly origin?: string | null;
  /** Remembers used tokens: one with a `jti` is accepted once. Default: tokens can be used again until they expire. */
  readonly replay?: ReplayStore;
  /** With `replay`: accept every token once, also without `jti`. Default: `false`. */
  readonly oneTime?: boolean;
}

/** What a verified token says. Frozen. */
export interface VerifiedToken {
  /** The tenant, from the key's record. */
  readonly tenantId: string;
  /** The id of the key that signed. */
  readonly keyId: string;
  /** The key's role; a browser token is never `"admin"`. */
  readonly role: KeyRole;
  /** Claim `iat` in Unix milliseconds; `undefined` only with `allowMissingIssuedAt`. */
  readonly issuedAtMs: number | undefined;
  /** Claim `exp` in Unix milliseconds. */
  readonly expiresAtMs: number;
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
