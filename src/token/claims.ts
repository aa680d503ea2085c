/**
 * The claims of a token (design.md section 3), built and checked in one place.
 *
 * @module
 */

import { TeleQuickError, type TeleQuickErrorCode } from "../errors.ts";
import { systemClock } from "../signal.ts";
import { badToken, ownMember } from "./jws.ts";

/** The claim `iss` of every token. */
export const ISSUER = "telequick-sdk";
/** Longest life of a token, in seconds (protocol.md section 1.2). */
export const MAX_LIFETIME_SECONDS = 3600;
/** Longest life of a browser token, in seconds (protocol.md section 1.3). */
export const MAX_BROWSER_LIFETIME_SECONDS = 300;
/**
 * Whether text is a tenant id that a gateway takes: lower-case ASCII letters, digits and inner hyphens, at most 63, so that no two look alike.
 *
 * @param text The id.
 */
export function isTenantId(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/**
 * Whether text is a key id that a gateway takes: ASCII letters, digits, `.`, `_` and `-`, at most 128.
 *
 * @param text The id.
 */
export function isKeyId(text: string): boolean {
  return /^[\w.-]{1,128}$/.test(text);
}

/** Whose token: a service's own, or one minted for a browser, which carries at least one of the browser claims. */
export type TokenKind = "sdk" | "browser";

const BROWSER_CLAIMS: Readonly<Record<string, (text: string) => boolean>> = {
  // RFC 6749 section 3.3: words of printable ASCII with one space between.
  scope: (text) => text.length <= 512 && /^[!#-[\]-~]+( [!#-[\]-~]+)*$/.test(text),
  origin: isOrigin,
  end_user: (text) => /^\P{Cc}{1,256}$/u.test(text),
  jti: (text) => /^[!-~]{1,128}$/.test(text),
};

/** Whether text is a serialized origin (HTML section 7.1.1), as a browser's `Origin` header has it. */
function isOrigin(text: string): boolean {
  try {
    return /^https?:/.test(text) && new URL(text).origin === text;
  } catch {
    return false;
  }
}

/** The kind of a token by its claims; a browser claim with a wrong value is an error that `refuse` makes. */
function kindOf(
  claims: Readonly<Record<string, unknown>>,
  refuse: (found: string) => Error,
): TokenKind {
  let kind: TokenKind = "sdk";
  for (const [name, isValid] of Object.entries(BROWSER_CLAIMS)) {
    const value = ownMember(claims, name);
    if (value === undefined) continue;
    if (typeof value !== "string" || !isValid(value)) throw refuse(`claim ${name} is malformed`);
    kind = "browser";
  }
  return kind;
}

/** What {@linkcode buildClaims} puts into a token besides the tenant. */
export interface ClaimsOptions {
  /** The time of signing, Unix milliseconds. Default: the machine's clock. */
  readonly now?: number;
  /** How long the token lives, in seconds. Default: as long as its kind may. */
  readonly lifetimeSeconds?: number;
  /** Further claims. Those that the SDK sets itself are refused. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

function cannotSign(found: string, code: TeleQuickErrorCode = "ERR_TOKEN_INVALID"): TeleQuickError {
  return new TeleQuickError(code, `Cannot sign token: ${found}`);
}

/**
 * Builds the claims of a token as JSON.
 *
 * @param tenantId Becomes `sub`.
 * @param options Time, lifetime, further claims.
 * @param maxLifetime The longest life, in seconds; a token with a browser claim never gets more than a browser token's.
 */
export function buildClaims(tenantId: string, options: ClaimsOptions, maxLifetime: number): string {
  const { now = systemClock.now(), claims = {} } = options;
  const iat = Math.floor(now / 1000);
  if (typeof now !== "number" || !(iat >= 0)) {
    throw new TypeError("Cannot sign token: now is not a time in Unix milliseconds");
  }
  const taken = ["iss", "sub", "iat", "exp"].find((name) => Object.hasOwn(claims, name));
  if (taken !== undefined) {
    throw cannotSign(`claim ${taken} is given, expected none that the SDK sets`);
  }
  const max = kindOf(claims, cannotSign) === "browser"
    ? Math.min(maxLifetime, MAX_BROWSER_LIFETIME_SECONDS)
    : maxLifetime;
  const { lifetimeSeconds = max } = options;
  if (typeof lifetimeSeconds !== "number") {
    throw new TypeError("Cannot sign token: lifetimeSeconds is not a number");
  }
  if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds < 1 || lifetimeSeconds > max) {
    throw cannotSign(
      `lifetime is ${lifetimeSeconds} s, expected whole seconds from 1 to ${max}`,
      "ERR_TOKEN_LIFETIME",
    );
  }
  return JSON.stringify({ iss: ISSUER, sub: tenantId, iat, exp: iat + lifetimeSeconds, ...claims });
}

/** What {@linkcode checkClaims} compares with. */
export interface ClaimRules {
  /** Unix seconds, with a fraction. */
  readonly now: number;
  /** Seconds after `exp`, and before `iat` and `nbf` when over 30. */
  readonly tolerance: number;
  /** Longest life, in seconds. */
  readonly maxLifetime: number;
  /** The only `aud` taken. */
  readonly audience: string | undefined;
  /** Whether `aud` must be there. */
  readonly requireAudience: boolean;
  /** Whether `iat` must be there. */
  readonly requireIssuedAt: boolean;
}

/** What {@linkcode checkClaims} finds. */
export interface CheckedClaims {
  readonly kind: TokenKind;
  readonly issuedAt: number | undefined;
  readonly expiresAt: number;
}

/** Seconds by which a signer's clock may be ahead. */
const CLOCK_SKEW_SECONDS = 30;

/** Steps 6 to 8 of the verifier profile (security.md section 4), after the signature. */
export function checkClaims(
  claims: Readonly<Record<string, unknown>>,
  tenantId: string,
  rules: ClaimRules,
): CheckedClaims {
  const { now, tolerance } = rules;
  const expiresAt = readTime(claims, "exp");
  const issuedAt = readTime(claims, "iat");
  const notBefore = readTime(claims, "nbf");
  if (expiresAt === undefined) throw badToken("claim exp is missing");
  if (issuedAt === undefined && rules.requireIssuedAt) throw badToken("claim iat is missing");
  if (ownMember(claims, "iss") !== ISSUER) throw badToken("claim iss is another");
  if (ownMember(claims, "sub") !== tenantId) {
    throw badToken("claim sub is not the tenant of the key");
  }
  const audience = ownMember(claims, "aud");
  if (audience === undefined ? rules.requireAudience : audience !== rules.audience) {
    throw badToken("claim aud is another");
  }
  const kind = kindOf(claims, badToken);
  if (!(now < expiresAt + tolerance)) {
    throw badToken("it has expired", "ERR_TOKEN_EXPIRED", "expired");
  }
  const max = kind === "browser"
    ? Math.min(rules.maxLifetime, MAX_BROWSER_LIFETIME_SECONDS)
    : rules.maxLifetime;
  const lifetime = expiresAt - (issuedAt ?? now);
  if (lifetime > max || (issuedAt !== undefined && lifetime <= 0)) {
    throw badToken(`its life is not of 1 to ${max} s`, "ERR_TOKEN_LIFETIME", "lifetime");
  }
  const latest = now + Math.max(tolerance, CLOCK_SKEW_SECONDS);
  if ((issuedAt ?? 0) > latest || (notBefore ?? 0) > latest) {
    throw badToken("it is not valid yet", "ERR_TOKEN_INVALID", "not yet valid");
  }
  return { kind, issuedAt, expiresAt };
}

function readTime(claims: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = ownMember(claims, name);
  if (value === undefined) return undefined;
  if (
    !Number.isInteger(value) || Object.is(value, -0) || (value as number) < 0 ||
    (value as number) > 2 ** 32
  ) {
    throw badToken(`claim ${name} is not a whole number of seconds`);
  }
  return value as number;
}
