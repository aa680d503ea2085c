/**
 * Verifies tokens under the profile of security.md section 4, in its order: cheap checks first, the algorithm pinned before any key is looked at.
 *
 * @module
 */

import { encodeBase64Url } from "../base64.ts";
import { encodeUtf8 } from "../bytes.ts";
import { checkClaims, isKeyId } from "./claims.ts";
import {
  badToken,
  checkHeader,
  type CompactJws,
  decodeHeader,
  readObject,
  splitCompact,
} from "./jws.ts";
import {
  checkDemands,
  checkRecord,
  readRules,
  toVerified,
  type VerifiedToken,
  type VerifyTokenOptions,
  wrongType,
} from "./policy.ts";

const ALGORITHM = "RSASSA-PKCS1-v1_5";

/** Key ids by header segments that stood before a good signature: the same few headers come again and again. */
const knownHeaders: Map<string, string> = new Map();
const MAX_KNOWN_HEADERS = 64;

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
  if (typeof token !== "string") throw wrongType("token", "a string");
  const rules = readRules(options);
  const parts = splitCompact(token);
  const { headerSegment } = parts;
  const keyId = knownHeaders.get(headerSegment) ?? readKeyId(headerSegment);
  const record = await options.resolveKey(keyId);
  if (record !== undefined) checkRecord(record);
  const genuine = await verifySignature(parts, record?.key);
  if (record === undefined) throw badToken("its kid is unknown");
  if (!genuine) throw badToken("its signature is not by the key of its kid");
  remember(headerSegment, keyId);
  const claims = readObject(parts.payload, "payload");
  const times = checkClaims(claims, record.tenantId, rules);
  const verified = toVerified(keyId, record, claims, times);
  checkDemands(verified, record, rules, options, token);
  return verified;
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
  checkHeader(decodeHeader(parts.headerSegment));
  if (!await verifySignature(parts, key)) throw badToken("its signature is not by the key");
  return parts.payload;
}

function readKeyId(headerSegment: string): string {
  const keyId = checkHeader(decodeHeader(headerSegment));
  if (typeof keyId !== "string" || !isKeyId(keyId)) throw badToken("its kid is malformed");
  return keyId;
}

function remember(headerSegment: string, keyId: string): void {
  if (knownHeaders.size >= MAX_KNOWN_HEADERS) knownHeaders.clear();
  knownHeaders.set(headerSegment, keyId);
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
  if (length < 256 || length > 512) throw badToken("its signature is not as long as a key can be");
  const fits = key !== undefined && modulusBytes(key) === length;
  const used = fits ? key : await dummyKey(length);
  const valid = await crypto.subtle.verify(ALGORITHM, used, signature, encodeUtf8(signed));
  return valid === true && fits;
}

const dummyKeys: Map<number, Promise<CryptoKey>> = new Map();

function dummyKey(length: number): Promise<CryptoKey> {
  let key = dummyKeys.get(length);
  if (key === undefined) {
    // An odd number with its top bit set is all that it takes; its factors do not matter, as no result with it counts.
    const n = encodeBase64Url(new Uint8Array(length).fill(0xc5));
    const algorithm = { name: ALGORITHM, hash: "SHA-256" };
    key = crypto.subtle.importKey("jwk", { kty: "RSA", n, e: "AQAB" }, algorithm, false, [
      "verify",
    ]);
    dummyKeys.set(length, key);
  }
  return key;
}

const vettedKeys: WeakMap<CryptoKey, number> = new WeakMap();

/** The length of a key's modulus, once the key is seen to be one for RS256 of an allowed size. */
function modulusBytes(key: CryptoKey): number {
  let length = vettedKeys.get(key);
  if (length === undefined) {
    const { name, modulusLength = 0, publicExponent = [], hash } = key.algorithm as
      & KeyAlgorithm
      & Partial<RsaHashedKeyAlgorithm>;
    const exponent = [...publicExponent].reduce((value, byte) => value * 256 + byte, 0);
    if (
      name !== ALGORITHM || hash?.name !== "SHA-256" || key.type !== "public" ||
      modulusLength < 2048 || modulusLength > 4096 || exponent !== 65537
    ) {
      throw wrongType("the key that resolveKey returned", "one from importVerifyingKey");
    }
    length = Math.ceil(modulusLength / 8);
    vettedKeys.set(key, length);
  }
  return length;
}
