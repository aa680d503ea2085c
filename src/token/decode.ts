/**
 * Looks into a token without trusting it.
 *
 * @module
 */

import { checkString } from "../base/check.ts";
import { decodeSegment, readObject, splitCompact } from "./jws.ts";

/**
 * Decodes a token without verifying it: for display and for choosing among one's own tokens, never for trusting one.
 *
 * @param token The compact JWS.
 * @returns Header and claims, frozen. Anyone can have written them.
 * @throws `ERR_TOKEN_INVALID` when the form is not a compact JWS of two JSON objects.
 */
export function decodeToken(token: string): DecodedToken {
  checkString("decode token", "token", token);
  const parts = splitCompact(token);
  return Object.freeze({
    header: readObject(decodeSegment(parts.header), "header"),
    claims: readObject(parts.payload, "payload"),
  });
}

/** What {@linkcode decodeToken} returns. */
export interface DecodedToken {
  /** The header's members. */
  readonly header: Readonly<Record<string, unknown>>;
  /** The payload's members. */
  readonly claims: Readonly<Record<string, unknown>>;
}
