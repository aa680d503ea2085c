/**
 * PEM text to WebCrypto keys. The text stops here: what leaves cannot be exported.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { encodeBase64Url } from "../base/base64.ts";
import { readPem, refuseKey } from "./pem.ts";
import { DAMAGED, readPrivateRsa, readPublicRsa } from "./rsa.ts";
import type { ServiceAccount } from "./service_account.ts";

const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

/** A private key that can sign and nothing else, with the names that go into a token. */
export interface Signer {
  /** RSASSA-PKCS1-v1_5 with SHA-256, non-extractable, usage `sign` only. */
  readonly key: CryptoKey;
  /** The id under which the public half is registered; becomes the header's `kid`. */
  readonly keyId: string;
  /** The tenant that the token speaks for; becomes the claim `sub`. */
  readonly tenantId: string;
}

/** Options of {@linkcode importSigner}. */
export interface ImportSignerOptions {
  /** Import the key although this is a browser page, where everyone who opens it could read the file. Default: `false`. */
  readonly allowInBrowser?: boolean;
}

interface BrowserGlobals {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
  readonly indexedDB?: unknown;
}

/**
 * Imports the private key of a service account.
 *
 * @param account What `parseServiceAccount` or `loadServiceAccount` returned.
 * @param options Whether a browser page is allowed.
 * @returns A signer whose key is non-extractable.
 * @throws `ERR_CREDENTIALS_INVALID` when the PEM is damaged, its numbers do not belong together, or this is a browser page;
 * `ERR_KEY_UNSUPPORTED` when the key is encrypted, not RSA, not of 2048 to 4096 bits or not with the exponent 65537.
 */
export async function importSigner(
  account: ServiceAccount,
  options: ImportSignerOptions = {},
): Promise<Signer> {
  const { tenantId, privateKey, privateKeyId: keyId } = account;
  // An object as it stands in the file, not yet parsed, is the usual mistake.
  if (typeof privateKey !== "string") {
    throw new TypeError("Cannot import private key: account has none");
  }
  const { document, WorkerGlobalScope, indexedDB } = globalThis as BrowserGlobals;
  // Edge runtimes and Deno have worker scopes too; IndexedDB in one is only a browser's.
  if ((document ?? (WorkerGlobalScope && indexedDB)) && !options.allowInBrowser) {
    refuseKey(
      "private",
      "this is a browser page, expected a server (or allowInBrowser)",
    );
  }
  const der = readPrivateRsa(readPem(privateKey, "private"));
  try {
    const key = await counted(crypto.subtle.importKey("pkcs8", der, RS256, false, ["sign"]));
    return { key, keyId, tenantId };
  } catch {
    // The runtime's own error stays here: it may quote key material.
    refuseKey("private", DAMAGED);
  }
}

/**
 * Imports a public key that verifies tokens, under the rules of security.md section 4, which WebCrypto does not enforce everywhere:
 * RSA, 2048 to 4096 bits, odd modulus, exponent 65537, not one of the weak keys of CVE-2017-15361 (ROCA).
 *
 * @param pem A PEM block labelled `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1).
 * @returns An extractable key with usage `verify` only.
 * @throws `ERR_CREDENTIALS_INVALID` when the text is damaged, `ERR_KEY_UNSUPPORTED` when it holds another kind of key. No message repeats the text.
 */
export async function importVerifyingKey(pem: string): Promise<CryptoKey> {
  if (typeof pem !== "string") {
    throw new TypeError(`Cannot import public key: PEM is of type ${typeof pem}, expected string`);
  }
  const modulus = readPublicRsa(readPem(pem, "public"));
  const jwk = { kty: "RSA", n: encodeBase64Url(modulus), e: "AQAB" };
  return await counted(crypto.subtle.importKey("jwk", jwk, RS256, true, ["verify"]));
}
