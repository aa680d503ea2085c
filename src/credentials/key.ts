/**
 * PEM text to WebCrypto keys. The text stops here: what leaves cannot be exported.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { encodeBase64Url } from "../base/base64.ts";
import { checkString, kindOf } from "../base/check.ts";
import { requireWebCrypto, testDom } from "../base/environment.ts";
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
  /** Import the key although this is a browser page, where everyone who opens it can read the file. Default: `false`. */
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
 * `ERR_RUNTIME_UNSUPPORTED` when the environment has no Web Crypto;
 * `ERR_KEY_UNSUPPORTED` when the key is encrypted, not RSA, not of 2048 to 4096 bits or not with the exponent 65537.
 */
export async function importSigner(
  account: ServiceAccount,
  options: ImportSignerOptions = {},
): Promise<Signer> {
  const privateKey: unknown = account?.privateKey;
  if (typeof privateKey !== "string") {
    throw new TypeError(
      `Cannot import private key: account is ${
        kindOf(account)
      } without a privateKey, expected what parseServiceAccount or loadServiceAccount returns`,
    );
  }
  const { tenantId, privateKeyId: keyId } = account;
  if (isBrowserPage() && options.allowInBrowser !== true) {
    refuseKey(
      "private",
      "this is a browser page, where everyone who opens it can read the key (mint tokens at your backend with mintBrowserToken; in a test, set allowInBrowser)",
    );
  }
  requireWebCrypto("import private key");
  const der = readPrivateRsa(readPem(privateKey, "private"));
  try {
    const key = await counted(crypto.subtle.importKey("pkcs8", der, RS256, false, ["sign"]));
    return { key, keyId, tenantId };
  } catch {
    // The runtime's own error stays here: it can quote key material.
    refuseKey("private", DAMAGED);
  }
}

/** Whether this is a page or worker of a browser; a test's imitation of one (jsdom, happy-dom) is a server's process. */
function isBrowserPage(): boolean {
  const { document, WorkerGlobalScope, indexedDB } = globalThis as BrowserGlobals;
  // Edge runtimes and Deno have worker scopes too; only a browser's have IndexedDB.
  const isWorker = WorkerGlobalScope !== undefined && indexedDB !== undefined;
  return (document !== undefined || isWorker) && testDom() === undefined;
}

/**
 * Imports a public key that verifies tokens, under rules that WebCrypto does not enforce everywhere:
 * RSA, 2048 to 4096 bits, odd modulus, exponent 65537, not one of the weak keys of CVE-2017-15361 (ROCA).
 *
 * @param pem A PEM block labelled `PUBLIC KEY` (SPKI) or `RSA PUBLIC KEY` (PKCS#1).
 * @returns An extractable key with usage `verify` only.
 * @throws `ERR_CREDENTIALS_INVALID` when the text is damaged, `ERR_KEY_UNSUPPORTED` when it holds another kind of key. No message repeats the text.
 */
export async function importVerifyingKey(pem: string): Promise<CryptoKey> {
  checkString("import public key", "pem", pem);
  requireWebCrypto("import public key");
  return await importModulus(encodeBase64Url(readPublicRsa(readPem(pem, "public"))));
}

/** Imports a public key from its modulus, base64url, which {@linkcode importVerifyingKey} accepted once: nothing is checked again. */
export async function importModulus(n: string): Promise<CryptoKey> {
  const jwk = { kty: "RSA", n, e: "AQAB" };
  return await counted(crypto.subtle.importKey("jwk", jwk, RS256, true, ["verify"]));
}

/** The modulus of an extractable RSA public key, base64url. */
export async function exportModulus(key: CryptoKey): Promise<string> {
  const { n = "" } = await counted(crypto.subtle.exportKey("jwk", key));
  return n;
}
