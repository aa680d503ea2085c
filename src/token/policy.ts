/**
 * What a verifier demands of a token beyond its signature and its claims' own rules: the key's state, kind, role, origin, single use.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { systemClock } from "../signal.ts";
import {
  type CheckedClaims,
  type ClaimRules,
  isTenantId,
  MAX_LIFETIME_SECONDS,
  type TokenKind,
} from "./claims.ts";
import { badToken, ownMember } from "./jws.ts";
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
  /** Seconds for which a token is taken after its `exp`, 0 to 60. Default: 0. (`iat` and `nbf` may always be 30 s ahead.) */
  readonly clockToleranceSeconds?: number;
  /** Longest life of a token, in seconds, at most 3600; a browser token's is never over 300. Default: 3600. */
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

/** A caller's mistake, as a `TypeError`. */
export function wrongType(what: string, expected: string): TypeError {
  return new TypeError(`Cannot verify token: ${what} is of the wrong type, expected ${expected}`);
}

const MAX_TOLERANCE_SECONDS = 60;

/** Reads the options of `verifyToken`, once and strictly. */
export function readRules(options: VerifyTokenOptions): ClaimRules {
  if (typeof options?.resolveKey !== "function") throw wrongType("resolveKey", "a function");
  const { now = systemClock.now, audience } = options;
  const time = typeof now === "function" ? now() : now;
  if (!Number.isFinite(time)) throw wrongType("now", "Unix milliseconds");
  return {
    now: time / 1000,
    tolerance: readSeconds(
      options.clockToleranceSeconds ?? 0,
      "clockToleranceSeconds",
      0,
      MAX_TOLERANCE_SECONDS,
    ),
    maxLifetime: readSeconds(
      options.maxLifetimeSeconds ?? MAX_LIFETIME_SECONDS,
      "maxLifetimeSeconds",
      1,
      MAX_LIFETIME_SECONDS,
    ),
    audience,
    requireAudience: options.requireAudience ?? false,
    requireIssuedAt: options.allowMissingIssuedAt !== true,
  };
}

function readSeconds(value: number, name: string, min: number, max: number): number {
  if (typeof value !== "number") throw wrongType(name, "a number");
  if (!(value >= min && value <= max)) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot verify token: ${name} is ${value}, expected ${min} to ${max}`,
    );
  }
  return value;
}

/** Refuses a record that no registry of ours would hold: its tenant could be mistaken for another. */
export function checkRecord(record: KeyRecord): void {
  if (typeof record?.tenantId !== "string" || !isTenantId(record.tenantId)) {
    throw wrongType(
      "the record that resolveKey returned",
      "a tenantId of lower-case ASCII letters, digits and inner hyphens",
    );
  }
}

/** Puts the result together and freezes it. */
export function toVerified(
  keyId: string,
  record: KeyRecord,
  claims: Readonly<Record<string, unknown>>,
  { kind, issuedAt, expiresAt }: CheckedClaims,
): VerifiedToken {
  const text = (name: string): string | undefined => ownMember(claims, name) as string | undefined;
  return Object.freeze({
    tenantId: record.tenantId,
    keyId,
    role: kind === "browser" ? "sdk" : record.role ?? "sdk",
    issuedAt,
    expiresAt,
    kind,
    scope: text("scope"),
    origin: text("origin"),
    endUser: text("end_user"),
    jti: text("jti"),
    claims,
  });
}

/** Step 9 of the verifier profile (security.md section 4), then single use. */
export function checkDemands(
  verified: VerifiedToken,
  record: KeyRecord,
  rules: ClaimRules,
  options: VerifyTokenOptions,
  token: string,
): void {
  // 0 is the wire's word for never (protocol.md section 1.5).
  const keyEnd = record.expiresAtMs || Infinity;
  if (record.revoked === true || !(rules.now * 1000 < keyEnd)) {
    throw badToken("its key is revoked or has ended", "ERR_TOKEN_INVALID", "revoked");
  }
  const { kind, role, origin } = options;
  if (kind !== undefined && kind !== verified.kind) throw badToken("it is of the other kind");
  if (role !== undefined && role !== verified.role) throw badToken("its key has another role");
  if (origin !== undefined && verified.origin !== undefined && origin !== verified.origin) {
    throw badToken("it is for another origin");
  }
  if (options.replay !== undefined && (options.oneTime === true || verified.jti !== undefined)) {
    // Strict encoding gives a token one spelling, so its text is as good an id as any.
    const id = verified.jti === undefined ? token : `${verified.tenantId}\0${verified.jti}`;
    const until = verified.expiresAt + rules.tolerance;
    if (!options.replay.claim(id, until, rules.now)) throw badToken("it was used before");
  }
}
