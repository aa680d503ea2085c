/**
 * Verifies tokens under the profile of [VERIFIER.md](./VERIFIER.md), in its order: cheap checks first, the algorithm pinned before a key
 * is looked for.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { encodeBase64Url } from "../base/base64.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { kindOf } from "../base/check.ts";
import { requireWebCrypto } from "../base/environment.ts";
import { TeleQuickError } from "../base/errors.ts";
import { KEY_ID, TENANT_ID } from "../credentials/mod.ts";
import { checkClaimRules, checkClaims } from "./claims.ts";
import { instantOf } from "./instant.ts";
import {
  checkHeader,
  type CompactJws,
  demand,
  ownMember,
  readObject,
  splitCompact,
} from "./jws.ts";
import type { VerifiedToken, VerifyTokenOptions } from "./policy.ts";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;
/** Smallest and largest modulus of a key, and so of a signature, in bytes: 2048 to 4096 bits. */
const MIN_MODULUS_BYTES = 256;
const MAX_MODULUS_BYTES = 512;
/** For how long after a token's `exp` the replay store still remembers it: the largest tolerance. A store that verifiers share adds to it. */
const REMEMBER_MS = 60_000;

/**
 * Verifies a token.
 *
 * @param token The compact JWS, as it was received.
 * @param options How to find a key, and what else to demand.
 * @returns What the token says, frozen. Rejects otherwise.
 * @throws `ERR_TOKEN_EXPIRED`, `ERR_TOKEN_LIFETIME` or `ERR_TOKEN_INVALID` with the precise reason for the verifier's own log (no part of the token
 * is in it); the error's `refusal` is all that may be said outside. `ERR_UNAVAILABLE`, retryable, when `resolveKey` or the replay store
 * fails: the token is neither accepted nor refused. An argument of the wrong type is a `TypeError`.
 *
 * @example
 * ```ts
 * import { importVerifyingKey, type KeyRecord, verifyToken } from "@telequick/sdk/token";
 *
 * export async function tenantOf(token: string, publicKeyPem: string): Promise<string> {
 *   const keys = new Map<string, KeyRecord>([
 *     ["2026-11", { tenantId: "acme", key: await importVerifyingKey(publicKeyPem) }],
 *   ]);
 *   const { tenantId } = await verifyToken(token, { resolveKey: (keyId) => keys.get(keyId) });
 *   return tenantId;
 * }
 * ```
 */
export async function verifyToken(
  token: string,
  options: VerifyTokenOptions,
): Promise<VerifiedToken> {
  checkArguments(token, options);
  const nowMs = instantOf(options.now, "verify token");
  const parts = splitCompact(token);
  const keyId = checkHeader(parts.header);
  demand(typeof keyId === "string" && KEY_ID.test(keyId), "kid is malformed");
  // Read once. Until the signature is verified, the claimed tenant only selects the key.
  const claims = readObject(parts.payload, "payload");
  const claimedTenant = ownMember(claims, "sub");
  demand(
    typeof claimedTenant === "string" && TENANT_ID.test(claimedTenant),
    "sub is not a tenant id",
  );

  const record = await whenAvailable(
    () => options.resolveKey(keyId, { tenantId: claimedTenant }),
    "resolveKey",
  );
  const isGenuine = await verifySignature(parts, record?.key);
  demand(record, "kid is unknown");
  const { confirm } = record;
  if (!isGenuine && confirm !== undefined) await whenAvailable(() => confirm(), "resolveKey");
  demand(isGenuine, "signature is wrong");

  const { tenantId, expiresAtMs: keyExpiresAtMs = 0 } = record;
  const checked = checkClaims(claims, tenantId, nowMs, options);
  const isKeyOver = keyExpiresAtMs !== 0 && nowMs >= keyExpiresAtMs;
  demand(!record.revoked && !isKeyOver, "key is revoked or has expired", "revoked");
  const { kind, origin, jti, expiresAtMs } = checked;
  // A browser token never has the rights of an admin key.
  const role = kind === "sdk" && record.role === "admin" ? "admin" : "sdk";
  demand(options.kind === undefined || options.kind === kind, "kind is not the expected one");
  demand(options.role === undefined || options.role === role, "role is not the expected one");
  demand(
    options.origin === undefined || origin === undefined || options.origin === origin,
    "origin is not the page's",
  );
  const { replay } = options;
  if (replay !== undefined && (jti !== undefined || options.oneTime === true)) {
    // Strict encoding gives a token one spelling, so its text identifies it as well as a jti.
    const id = `${tenantId} ${jti ?? token}`;
    const isFirstUse = await whenAvailable(
      () => replay.claim(id, expiresAtMs + REMEMBER_MS, nowMs),
      "replay store",
    );
    demand(isFirstUse === true, "it was used before");
  }
  return Object.freeze({ tenantId, keyId, role, ...checked, claims });
}

function checkArguments(token: unknown, options: VerifyTokenOptions): void {
  if (typeof token !== "string") {
    throw new TypeError(`Cannot verify token: token is ${kindOf(token)}, expected a string`);
  }
  if (typeof options?.resolveKey !== "function") {
    throw new TypeError(
      `Cannot verify token: resolveKey is ${kindOf(options?.resolveKey)}, expected a function`,
    );
  }
  checkClaimRules(options);
}

/** Awaits what the user's own code says about a key or a token. When it fails, nothing is known: that is not a refusal. */
async function whenAvailable<T>(ask: () => T | Promise<T>, what: string): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof TeleQuickError && cause.code === "ERR_UNAVAILABLE") throw cause;
    throw new TeleQuickError(
      "ERR_UNAVAILABLE",
      `Cannot verify token now: ${what} failed, expected an answer (try again later)`,
      { cause, retryable: true },
    );
  }
}

/**
 * Checks the compact JWS alone (RFC 7515 section 5.2): form, header, RS256 signature. No claim is looked at.
 *
 * @returns The payload's bytes.
 * @throws `ERR_TOKEN_INVALID`.
 */
export async function verifyCompact(
  token: string,
  key: CryptoKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = splitCompact(token);
  checkHeader(parts.header);
  demand(await verifySignature(parts, key), "signature is wrong");
  return parts.payload;
}

/**
 * Verifies a signature. One whose length is not the key's, or for which there is no key, is verified all the same, against a key of its
 * length without a known private half: the time it takes must not reveal which keys exist.
 */
async function verifySignature(
  { signature, signed }: CompactJws,
  key: CryptoKey | undefined,
): Promise<boolean> {
  requireWebCrypto("verify token");
  const { length } = signature;
  demand(length >= MIN_MODULUS_BYTES && length <= MAX_MODULUS_BYTES, "signature is wrong");
  const isItsKey = key !== undefined && modulusBytes(key) === length;
  const used = isItsKey ? key : await dummyKey(length);
  const isValid = await counted(crypto.subtle.verify(RS256, used, signature, encodeUtf8(signed)));
  return isValid === true && isItsKey;
}

/** The length of a key's modulus. Throws for a key that `importVerifyingKey` would not have made. */
function modulusBytes({ algorithm, type }: CryptoKey): number {
  const { name, hash, publicExponent, modulusLength } = algorithm as RsaHashedKeyAlgorithm;
  const isSupported = type === "public" && name === RS256.name && hash?.name === RS256.hash &&
    modulusLength >= MIN_MODULUS_BYTES * 8 && isUsualExponent(publicExponent);
  if (!isSupported) {
    throw new TypeError(
      `Cannot verify token: key is ${type} ${name}, expected a public RSA key from importVerifyingKey (RSASSA-PKCS1-v1_5, SHA-256, 2048 bits or more, exponent 65537)`,
    );
  }
  return Math.ceil(modulusLength / 8);
}

/** Whether an exponent is 65537, the big-endian bytes 1, 0, 1. */
function isUsualExponent(exponent: Uint8Array): boolean {
  return exponent.length === 3 && exponent[0] === 1 && exponent[1] === 0 && exponent[2] === 1;
}

const dummyKeys = new Map<number, Promise<CryptoKey>>();

/** A public key with a modulus of the given length. No result with it counts, so its factors do not matter. */
function dummyKey(length: number): Promise<CryptoKey> {
  let key = dummyKeys.get(length);
  if (key === undefined) {
    // All bits set: odd, with its top bit set, which is all that an import asks of a modulus.
    const n = encodeBase64Url(new Uint8Array(length).fill(0xff));
    const jwk = { kty: "RSA", n, e: "AQAB" };
    key = counted(crypto.subtle.importKey("jwk", jwk, RS256, false, ["verify"]));
    dummyKeys.set(length, key);
  }
  return key;
}
