/**
 * Verifies tokens under the profile of security.md section 4, in its order: cheap checks first, the algorithm pinned before any key is looked at.
 *
 * @module
 */

import { wallClock } from "../base/signal.ts";
import { checkClaims, KEY_ID } from "./claims.ts";
import { checkHeader, type CompactJws, demand, readObject, splitCompact } from "./jws.ts";
import type { VerifiedToken, VerifyTokenOptions } from "./policy.ts";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

// For base64url, which is ASCII.
const encoder = /* @__PURE__ */ new TextEncoder();

/** Key ids by header segments that stood before a good signature: the same few headers come again and again. */
const knownHeaders: Map<string, string> = new Map();

/**
 * Verifies a token.
 *
 * @param token The compact JWS, as it was received.
 * @param options How to find a key, and what else to demand.
 * @returns What the token says, frozen. There is no other way in which this settles well.
 * @throws `ERR_TOKEN_EXPIRED`, `ERR_TOKEN_LIFETIME` or `ERR_TOKEN_INVALID` with the precise reason for the verifier's own log (no part of the token
 * is in it); the error's `refusal` is what may be told outside. An argument of the wrong type is a `TypeError`.
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
  const { now: clock = wallClock, replay } = options;
  const time = typeof clock === "function" ? clock() : clock;
  if (typeof token !== "string" || !Number.isFinite(time)) {
    throw misuse();
  }
  const now = time / 1000;
  const parts = splitCompact(token);
  const { header } = parts;
  const keyId = knownHeaders.get(header) ?? checkHeader(header);
  demand(typeof keyId === "string" && KEY_ID.test(keyId), "kid is malformed");

  const found = options.resolveKey(keyId);
  const record = found && "then" in found ? await found : found;
  const isGenuine = await verifySignature(parts, record?.key);
  demand(record, "kid is unknown");
  demand(isGenuine === true, "signature is wrong");
  if (knownHeaders.size > 63) knownHeaders.clear();
  knownHeaders.set(header, keyId);

  const { tenantId } = record;
  const claims = readObject(parts.payload, "payload");
  const checked = checkClaims(claims, tenantId, now, options);

  // 0 is the wire's word for never (protocol.md section 1.5).
  const keyEnds = record.expiresAtMs || Infinity;
  demand(!record.revoked && time < keyEnds, "key is revoked or over", "revoked");
  const { kind, origin, jti, expiresAt } = checked;
  const role = kind === "sdk" && record.role || "sdk";
  const { kind: wanted = kind, role: needed = role, origin: page = origin } = options;
  demand(wanted === kind && needed === role, "kind or role is another");
  demand(!origin || page === origin, "origin is another");
  if (replay && (jti || options.oneTime)) {
    // Strict encoding gives a token one spelling, so its text is as good an id as any.
    demand(replay.claim(`${tenantId} ${jti ?? token}`, expiresAt + 60, now), "it was used before");
  }
  return Object.freeze({ tenantId, keyId, role, ...checked, claims });
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
  demand(await verifySignature(parts, key) === true, "signature is wrong");
  return parts.payload;
}

/**
 * A signature whose length is not the key's, or that has no key, is verified all the same, against a key of its length that nobody
 * has: what it costs must not tell which keys exist.
 */
async function verifySignature(
  { signature, signed }: CompactJws,
  key: CryptoKey | undefined,
): Promise<boolean> {
  const { length } = signature;
  demand(length >= 256 && length <= 512, "signature is wrong");
  const isItsKey = key !== undefined && modulusBytes(key) === length;
  const used = isItsKey ? key : await dummyKey(length);
  const data = encoder.encode(signed);
  return await crypto.subtle.verify(RS256, used, signature, data) && isItsKey;
}

function misuse(): TypeError {
  return new TypeError("Cannot accept token: type of token, now or key is wrong");
}

/** The length of a key's modulus; the key must be one for RS256 with the usual exponent. */
function modulusBytes({ algorithm, type }: CryptoKey): number {
  const { name, hash, publicExponent, modulusLength } = algorithm as RsaHashedKeyAlgorithm;
  const kind = `${[type, name, hash?.name, publicExponent]}`;
  if (kind !== "public,RSASSA-PKCS1-v1_5,SHA-256,1,0,1" || modulusLength < 2048) throw misuse();
  return Math.ceil(modulusLength / 8);
}

const dummyKeys: Promise<CryptoKey>[] = [];

function dummyKey(length: number): Promise<CryptoKey> {
  // In base64url an odd number with its top bit set: that is all it takes. No result with it counts, so its factors do not matter.
  const n = "x".repeat((length * 4 - 1) / 3) + "xQE"[length % 3];
  const jwk = { kty: "RSA", n, e: "AQAB" };
  return dummyKeys[length] ??= crypto.subtle.importKey("jwk", jwk, RS256, false, ["verify"]);
}
