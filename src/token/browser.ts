/**
 * Tokens for browsers: minted at the application's backend, handed to the page, dead within five minutes.
 *
 * @module
 */

import type { Signer } from "../credentials/mod.ts";
import { MAX_BROWSER_LIFETIME_SECONDS } from "./claims.ts";
import type { Instant } from "./instant.ts";
import type { ScopeWord } from "./scope.ts";
import { signClaims } from "./sign.ts";

/** Options of {@linkcode mintBrowserToken}. */
export interface MintBrowserTokenOptions {
  /** The time of signing, Unix milliseconds. Default: the machine's clock. */
  readonly now?: Instant;
  /** How long the token lives, in whole seconds, at most 300. Default: 300. */
  readonly lifetimeSeconds?: number;
  /**
   * What the page may do: an array of words, or a string of words with spaces between; at most 512 characters together. A token without a
   * scope may do everything in its tenant. Default: no claim `scope`.
   */
  readonly scope?: readonly ScopeWord[] | string;
  /** The page's origin, such as `https://app.example`: a gateway that sees another one refuses. Default: no claim `origin`. */
  readonly origin?: string;
  /** The user of the page, free-form, usually an id; at most 512 characters. Default: no claim `end_user`. */
  readonly endUser?: string;
  /** An id of this token, so that a gateway takes it once; at most 512 characters. Default: no claim `jti`. */
  readonly jti?: string;
}

/**
 * Mints a token for a browser which signs in with it and never sees the private key.
 *
 * @param signer From `importSigner`.
 * @param options Lifetime and the browser claims.
 * @returns The token: the second argument of `TeleQuickClient` in the page, with `true` as the third.
 * @throws `ERR_TOKEN_LIFETIME` for more than 300 seconds, `ERR_TOKEN_INVALID` for a malformed claim, or a token over 4096 characters.
 */
export async function mintBrowserToken(
  signer: Signer,
  options: MintBrowserTokenOptions = {},
): Promise<string> {
  const { scope: words, origin, endUser, jti } = options;
  const isList = Array.isArray(words) &&
    words.every((word) => /^\S+$/.test(word) && word === `${word}`);
  const scope = isList ? words.join(" ") : words;
  const claims = { scope, origin, end_user: endUser, jti };
  return await signClaims(signer, { ...options, claims }, MAX_BROWSER_LIFETIME_SECONDS);
}
