/**
 * Signs tokens: RS256 in the compact form, nothing else.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { encodeBase64Url } from "../base/base64.ts";
import { encodeUtf8 } from "../base/bytes.ts";
import { kindOf } from "../base/check.ts";
import { requireWebCrypto } from "../base/environment.ts";
import type { Signer } from "../credentials/mod.ts";
import { buildClaims, cannotSign, type ClaimsOptions, MAX_LIFETIME_SECONDS } from "./claims.ts";
import type { Instant } from "./instant.ts";
import { MAX_TOKEN_LENGTH } from "./jws.ts";

/** Options of {@linkcode signToken}. */
export interface SignTokenOptions {
  /** The time of signing, Unix milliseconds. Default: the machine's clock. */
  readonly now?: Instant;
  /** How long the token lives, in whole seconds, at most 3600. Default: 3600, or 300 when `claims` has a browser claim. */
  readonly lifetimeSeconds?: number;
  /**
   * Further claims. `iss`, `sub`, `iat` and `exp` are the SDK's own and are refused; `scope`, `origin`, `end_user` and `jti`
   * make it a browser token. Default: none.
   */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Signs a service-account token: header `alg`, `typ`, `kid`; claims `iss`, `sub`, `iat`, `exp`.
 *
 * @param signer From `importSigner`.
 * @param options Time, lifetime, further claims.
 * @returns The token, a secret until it expires.
 * @throws `ERR_TOKEN_LIFETIME` for a lifetime out of range; `ERR_TOKEN_INVALID` for a claim of the SDK's own, a malformed browser claim,
 * or a token of more than 4096 characters.
 *
 * @example
 * ```ts
 * import { importSigner, parseServiceAccount, signToken } from "@telequick/sdk/token";
 *
 * export async function tokenFor(serviceAccountJson: string): Promise<string> {
 *   return signToken(await importSigner(parseServiceAccount(serviceAccountJson)));
 * }
 * ```
 */
export async function signToken(signer: Signer, options: SignTokenOptions = {}): Promise<string> {
  const taken = ["iss", "sub", "iat", "exp"].find((name) =>
    Object.hasOwn(options.claims ?? {}, name)
  );
  if (taken !== undefined) {
    cannotSign(`claims has ${taken}, which the SDK sets itself (leave it out)`);
  }
  return await signClaims(signer, options, MAX_LIFETIME_SECONDS);
}

/** Signs the claims of a token that lives at most `maxLifetime` seconds. */
export async function signClaims(
  signer: Signer,
  options: ClaimsOptions,
  maxLifetime: number,
): Promise<string> {
  if (signer?.key === undefined) {
    throw new TypeError(
      `Cannot sign token: signer is ${
        kindOf(signer)
      } without a key, expected what importSigner returns`,
    );
  }
  const { key, keyId, tenantId } = signer;
  return await signCompact(
    key,
    JSON.stringify({ alg: "RS256", typ: "JWT", kid: keyId }),
    buildClaims(tenantId, options, maxLifetime),
  );
}

/** Signs header and payload text as a compact JWS (RFC 7515 section 5.1) with RS256 (RFC 7518 section 3.3). */
export async function signCompact(
  key: CryptoKey,
  header: string,
  payload: string,
): Promise<string> {
  const signed = `${encodeBase64Url(encodeUtf8(header))}.${encodeBase64Url(encodeUtf8(payload))}`;
  requireWebCrypto("sign token");
  const signature = await counted(crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, encodeUtf8(signed)));
  const token = `${signed}.${encodeBase64Url(new Uint8Array(signature))}`;
  if (token.length > MAX_TOKEN_LENGTH) {
    cannotSign(
      `it has ${token.length} characters, expected at most ${MAX_TOKEN_LENGTH} (shorten the claims)`,
    );
  }
  return token;
}
