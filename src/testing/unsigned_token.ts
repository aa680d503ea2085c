/**
 * A token for gateways that do not verify it.
 *
 * @module
 */

import { encodeBase64Url } from "../base/base64.ts";

// A signature of RSA with 2048 bits has this many characters (RFC 7518 section 3.3).
const SIGNATURE = "A".repeat(342);

/**
 * Makes a token in the form that a client presents, a compact JWS (RFC 7515), with a signature that verifies nowhere: for a
 * {@linkcode scriptedGateway}, which accepts any.
 *
 * @param claims The claims. Default: none.
 * @example
 * ```ts
 * import { TeleQuickClient } from "@telequick/sdk";
 * import { scriptedGateway, unsignedToken } from "@telequick/sdk/testing";
 *
 * const client = new TeleQuickClient(
 *   "https://gateway.test",
 *   () => unsignedToken(),
 *   true,
 *   scriptedGateway(),
 * );
 * await client.connect();
 * await client.close();
 * ```
 */
export function unsignedToken(claims: Readonly<Record<string, unknown>> = {}): string {
  const part = (value: object): string =>
    encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${SIGNATURE}`;
}
