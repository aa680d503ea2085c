/**
 * The claims of a token, built and checked in one place. [VERIFIER.md](./VERIFIER.md) lists the rules.
 *
 * @module
 */

import { checkNumber, kindOf } from "../base/check.ts";
import { hasControl } from "../base/text/control.ts";
import { TeleQuickError } from "../base/errors.ts";
import { TENANT_ID } from "../credentials/mod.ts";
import { type Instant, instantOf } from "./instant.ts";
import { demand, ownMember, refuse } from "./jws.ts";

/** The claim `iss` of every token. */
export const ISSUER = "telequick-sdk";
/** Longest lifetime of a token, in seconds. */
export const MAX_LIFETIME_SECONDS = 3600;
/** Longest lifetime of a browser token, in seconds. */
export const MAX_BROWSER_LIFETIME_SECONDS = 300;

/** The most of `clockToleranceSeconds` that counts. */
const MAX_TOLERANCE_SECONDS = 60;
/** How far the signer's clock may be ahead. */
const CLOCK_SKEW_SECONDS = 30;
/** Longest browser claim, in code points (UTF-16 units for an origin). */
const MAX_CLAIM_LENGTH = 512;
/** Times are below this: the year 2106. */
const TIME_END = 2 ** 32;

/** What a token is for: a service's own, or one minted for a browser, which carries at least one of the browser claims. */
export type TokenKind = "sdk" | "browser";

type Claims = Readonly<Record<string, unknown>>;

const BROWSER_CLAIMS = ["scope", "origin", "end_user", "jti"] as const;

// A serialized origin as a browser's `Origin` header has it (HTML, section "Origin"): scheme, host, port that is not the default one. A web
// page's host is lower case and may have underscores; installed apps have schemes of their own (capacitor, ionic, chrome-extension).
const WEB_ORIGIN = /^https?:\/\/[a-z0-9._:[\]-]+$/;
const APP_ORIGIN =
  /^(?!(?:https?|ftp|wss?|file|data|blob|javascript|about):)[a-z][a-z0-9+.-]*:\/\/[\w.:%[\]~-]+$/;

/**
 * Whether text can be shown, logged and compared: no controls (see `hasControl`), no zero-width space, byte order mark, interlinear
 * annotation or noncharacter. The list is fixed, so that engines with different versions of Unicode agree; joiners, variation selectors
 * and emoji tags are text.
 */
function isPlainText(text: string): boolean {
  if (!text.isWellFormed() || hasControl(text)) return false;
  const characters = [...text];
  return characters.length > 0 && characters.length <= MAX_CLAIM_LENGTH &&
    !characters.some((character) => isRefusedCodePoint(character.codePointAt(0)!));
}

function isRefusedCodePoint(code: number): boolean {
  const isAnnotation = code >= 0xfff9 && code <= 0xfffb;
  const isNoncharacter = code >= 0xfdd0 && code <= 0xfdef || (code & 0xfffe) === 0xfffe;
  return code === 0x200b || code === 0xfeff || isAnnotation || isNoncharacter;
}

/** Whether claims make a browser token. Browser claims that are malformed go to `refuse`, which throws. */
function isBrowser(claims: Claims, refuse: (found: string) => never): boolean {
  const present = BROWSER_CLAIMS.filter((name) => ownMember(claims, name) !== undefined);
  for (const name of present) {
    const value = claims[name];
    if (typeof value !== "string") refuse(`${name} is ${kindOf(value)}, expected a string`);
    if (name === "origin") {
      const isOrigin = value.length <= MAX_CLAIM_LENGTH &&
        (WEB_ORIGIN.test(value) || APP_ORIGIN.test(value));
      if (!isOrigin) {
        refuse("origin is malformed, expected scheme, host and port such as https://app.example");
      }
    } else if (!isPlainText(value)) {
      refuse(`${name} is malformed, expected 1 to 512 characters without control characters`);
    }
  }
  return present.length > 0;
}

/** What {@linkcode buildClaims} puts into a token besides the tenant. */
export interface ClaimsOptions {
  /** The time of signing, Unix milliseconds. Default: the machine's clock. */
  readonly now?: Instant;
  /** How long the token lives, in seconds. Default: the most that its kind may. */
  readonly lifetimeSeconds?: number;
  /** Further claims. */
  readonly claims?: Claims;
}

/**
 * Builds the claims of a token as JSON.
 *
 * @param tenantId Becomes `sub`.
 * @param options Time, lifetime, further claims.
 * @param maxLifetime The longest lifetime of a token without browser claims, in seconds.
 */
export function buildClaims(tenantId: string, options: ClaimsOptions, maxLifetime: number): string {
  const { claims = {} } = options;
  const now = instantOf(options.now, "sign token");
  const max = isBrowser(claims, cannotSign) ? MAX_BROWSER_LIFETIME_SECONDS : maxLifetime;
  const { lifetimeSeconds: lifetime = max } = options;
  if (typeof lifetime !== "number") {
    throw new TypeError(
      `Cannot sign token: lifetimeSeconds is ${kindOf(lifetime)}, expected a number`,
    );
  }
  if (!Number.isInteger(lifetime) || lifetime < 1 || lifetime > max) {
    cannotSign(
      `lifetimeSeconds is ${lifetime}, expected a whole number from 1 to ${max}`,
      "ERR_TOKEN_LIFETIME",
    );
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
  readonly issuedAtMs: number | undefined;
  readonly expiresAtMs: number;
  readonly scope: string | undefined;
  readonly origin: string | undefined;
  readonly endUser: string | undefined;
  readonly jti: string | undefined;
}

/** Checks the numbers among the options of `verifyToken`. */
export function checkClaimRules({ clockToleranceSeconds, maxLifetimeSeconds }: ClaimRules): void {
  if (clockToleranceSeconds !== undefined) {
    checkNumber("verify token", "clockToleranceSeconds", clockToleranceSeconds, {
      min: 0,
      expected: "a number of seconds, 0 or more",
    });
  }
  if (maxLifetimeSeconds !== undefined) {
    checkNumber("verify token", "maxLifetimeSeconds", maxLifetimeSeconds, {
      min: 1,
      expected: "a number of seconds, 1 or more",
    });
  }
}

/**
 * Checks claims whose signature is genuine ([VERIFIER.md](./VERIFIER.md), steps 7 and 8).
 *
 * @param payload The payload.
 * @param tenantId The tenant of the key that signed.
 * @param nowMs Unix milliseconds.
 */
export function checkClaims(
  payload: Claims,
  tenantId: string,
  nowMs: number,
  rules: ClaimRules,
): CheckedClaims {
  // Without a prototype, so that a polluted one cannot add a claim.
  const claims: Claims = { __proto__: null, ...payload };
  const { iss, sub, aud, exp, iat, nbf = 0, scope, origin, end_user: endUser, jti } = claims;
  const { clockToleranceSeconds = 0, maxLifetimeSeconds = MAX_LIFETIME_SECONDS } = rules;
  const now = nowMs / 1000;
  demand(iss === ISSUER, "iss is not the expected one");
  demand(sub === tenantId && TENANT_ID.test(tenantId), "sub is not the tenant of the key");
  demand(
    aud === undefined ? !rules.requireAudience : aud === rules.audience,
    "aud is not the expected one",
  );
  const isDated = isTime(iat) || iat === undefined && rules.allowMissingIssuedAt === true;
  demand(
    isTime(exp) && isTime(nbf) && isDated,
    "exp, iat or nbf is not a whole number of seconds",
  );
  const kind = isBrowser(claims, refuse) ? "browser" : "sdk";
  const tolerance = Math.min(clockToleranceSeconds, MAX_TOLERANCE_SECONDS);
  demand(now < exp + tolerance, "exp has passed", "expired", "ERR_TOKEN_EXPIRED");
  const start = iat ?? now;
  const limit = Math.min(
    kind === "sdk" ? MAX_LIFETIME_SECONDS : MAX_BROWSER_LIFETIME_SECONDS,
    maxLifetimeSeconds,
  );
  demand(
    exp > start && exp - start <= limit,
    `lifetime is ${Math.ceil(exp - start)} s, expected 1 to ${limit}`,
    "lifetime",
    "ERR_TOKEN_LIFETIME",
  );
  demand(
    Math.max(start, nbf) <= now + CLOCK_SKEW_SECONDS,
    "iat or nbf is in the future",
    "not yet valid",
  );
  return {
    kind,
    issuedAtMs: iat === undefined ? undefined : iat * 1000,
    expiresAtMs: exp * 1000,
    scope: scope as string | undefined,
    origin: origin as string | undefined,
    endUser: endUser as string | undefined,
    jti: jti as string | undefined,
  };
}

/** A NumericDate (RFC 7519 section 2) that every reader takes alike: whole seconds, not negative (nor -0), before the year 2106. */
function isTime(value: unknown): value is number {
  return Number.isInteger(value) && !Object.is(value, -0) && value as number >= 0 &&
    value as number < TIME_END;
}
