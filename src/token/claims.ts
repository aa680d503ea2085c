/**
 * The claims of a token (design.md section 3), built and checked in one place.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { wallClock } from "../base/signal.ts";
import { demand, refuse } from "./jws.ts";

/** The claim `iss` of every token. */
export const ISSUER = "telequick-sdk";
/** Longest life of a token, in seconds (protocol.md section 1.2). */
export const MAX_LIFETIME_SECONDS = 3600;
/** Longest life of a browser token, in seconds (protocol.md section 1.3). */
export const MAX_BROWSER_LIFETIME_SECONDS = 300;
/** Tenant ids that a gateway takes: lower-case ASCII letters, digits and inner hyphens, so that no two look alike. */
export const TENANT_ID: RegExp = /^(?!-)[a-z0-9-]{0,62}[a-z0-9]$/;
/** Key ids that a gateway takes. */
export const KEY_ID: RegExp = /^[\w.-]{1,128}$/;

/** Whose token: a service's own, or one minted for a browser, which carries at least one of the browser claims. */
export type TokenKind = "sdk" | "browser";

type Claims = Readonly<Record<string, unknown>>;

/** Whether claims make a browser token. Browser claims that are malformed go to `refuse`, which throws. */
function isBrowser(claims: Claims, refuse: (found: string) => never): boolean {
  return ["scope", "origin", "end_user", "jti"].filter((name) => {
    const value = claims[name];
    if (value === undefined) return false;
    // An origin is as a browser's `Origin` header has it (HTML section 7.1.1), the others are free of control characters.
    const pattern = name === "origin" ? /^https?:\/\/[a-z0-9.:[\]-]+$/ : /^\P{C}{1,512}$/u;
    return typeof value === "string" && pattern.test(value) || refuse(`${name} is malformed`);
  }).length > 0;
}

/** What {@linkcode buildClaims} puts into a token besides the tenant. */
export interface ClaimsOptions {
  /** The time of signing, Unix milliseconds. Default: the machine's clock. */
  readonly now?: number;
  /** How long the token lives, in seconds. Default: as long as its kind may. */
  readonly lifetimeSeconds?: number;
  /** Further claims. */
  readonly claims?: Claims;
}

/**
 * Builds the claims of a token as JSON.
 *
 * @param tenantId Becomes `sub`.
 * @param options Time, lifetime, further claims.
 * @param maxLifetime The longest life of a token without browser claims, in seconds.
 */
export function buildClaims(tenantId: string, options: ClaimsOptions, maxLifetime: number): string {
  const { now = wallClock(), claims = {} } = options;
  const max = isBrowser(claims, cannotSign) ? MAX_BROWSER_LIFETIME_SECONDS : maxLifetime;
  const { lifetimeSeconds: lifetime = max } = options;
  if (!Number.isFinite(now) || typeof lifetime !== "number") {
    throw new TypeError("Cannot sign token: now or lifetimeSeconds is no number");
  }
  if (lifetime % 1 !== 0 || lifetime < 1 || lifetime > max) {
    cannotSign(`lifetime is ${lifetime} s, expected whole 1 to ${max}`, "ERR_TOKEN_LIFETIME");
  }
  const iat = Math.floor(now / 1000);
  return JSON.stringify({ iss: ISSUER, sub: tenantId, iat, exp: iat + lifetime, ...claims });
}

/** Refuses to sign. */
export function cannotSign(
  found: string,
  code: "ERR_TOKEN_INVALID" | "ERR_TOKEN_LIFETIME" = "ERR_TOKEN_INVALID",
): never {
  throw new TeleQuickError(code, `Cannot sign token: ${found}`);
}

/** What {@linkcode checkClaims} compares with, as in the options of `verifyToken`. */
export interface ClaimRules {
  readonly clockToleranceSeconds?: number;
  readonly maxLifetimeSeconds?: number;
  readonly allowMissingIssuedAt?: boolean;
  readonly audience?: string;
  readonly requireAudience?: boolean;
}

/** What {@linkcode checkClaims} finds. */
export interface CheckedClaims {
  readonly kind: TokenKind;
  readonly issuedAt: number | undefined;
  readonly expiresAt: number;
  readonly scope: string | undefined;
  readonly origin: string | undefined;
  readonly endUser: string | undefined;
  readonly jti: string | undefined;
}

/**
 * Steps 6 to 8 of the verifier profile (security.md section 4), after the signature.
 *
 * @param payload The payload.
 * @param tenantId The tenant of the key that signed.
 * @param now Unix seconds, with a fraction.
 */
export function checkClaims(
  payload: Claims,
  tenantId: string,
  now: number,
  rules: ClaimRules,
): CheckedClaims {
  // Without a prototype, so that a polluted one cannot add a claim.
  const claims: Claims = { __proto__: null, ...payload };
  const { iss, sub, aud, exp, iat, nbf = 0, scope, origin, end_user: endUser, jti } = claims;
  const { clockToleranceSeconds = 0, maxLifetimeSeconds = MAX_LIFETIME_SECONDS } = rules;
  demand(iss === ISSUER, "iss is another");
  demand(sub === tenantId && TENANT_ID.test(tenantId), "sub is another");
  demand(aud === undefined ? !rules.requireAudience : aud === rules.audience, "aud is another");
  demand(
    isTime(exp) && isTime(nbf) &&
      (isTime(iat) || (iat === undefined && rules.allowMissingIssuedAt)),
    "exp, iat or nbf is no whole number",
  );
  const kind = isBrowser(claims, refuse) ? "browser" : "sdk";
  const limit = kind === "sdk" ? MAX_LIFETIME_SECONDS : MAX_BROWSER_LIFETIME_SECONDS;
  const start = iat ?? now;
  demand(
    now < exp + Math.min(clockToleranceSeconds, MAX_TOLERANCE_SECONDS),
    "exp is over",
    "expired",
    "ERR_TOKEN_EXPIRED",
  );
  demand(
    exp > start && exp - start <= Math.min(limit, maxLifetimeSeconds),
    "life is too long or none",
    "lifetime",
    "ERR_TOKEN_LIFETIME",
  );
  demand(Math.max(start, nbf) <= now + CLOCK_SKEW_SECONDS, "iat or nbf is ahead", "not yet valid");
  return { kind, issuedAt: iat, expiresAt: exp, scope, origin, endUser, jti } as CheckedClaims;
}

/** Longest time for which a token is taken after its `exp`. */
const MAX_TOLERANCE_SECONDS = 60;
/** How far the signer's clock may be ahead. */
const CLOCK_SKEW_SECONDS = 30;

/** A NumericDate (RFC 7519 section 2) as every reader takes it: whole seconds, not negative (nor -0), before the year 2106. */
function isTime(value: unknown): value is number {
  return Object.is((value as number) >>> 0, value);
}
