/**
 * The compact JWS form (RFC 7515 section 3.1), read strictly: one byte string, one text.
 *
 * @module
 */

import { decodeBase64Url } from "../base/base64.ts";
import { type RefusalReason, TeleQuickError, type TeleQuickErrorCode } from "../base/errors.ts";
import { parseStrictJson } from "../base/json.ts";

/** Longest token taken or made, in characters; a real one has about 650. */
export const MAX_TOKEN_LENGTH = 4096;

/** Members of a JSON object, frozen at every level. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The parts of a compact JWS, decoded. */
export interface CompactJws {
  /** The header's segment as it was received. */
  readonly header: string;
  /** Header and payload as they were received: what the signature is over. */
  readonly signed: string;
  /** The payload's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The signature's bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/**
 * Refuses a received token unless a condition holds.
 *
 * @param holds The condition.
 * @param found What is wrong otherwise, for the log of whoever checks the token; quotes nothing of it.
 * @param refusal All that may be told outside. Default: `"rejected"`.
 * @param code The error's code. Default: `"ERR_TOKEN_INVALID"`.
 */
export function demand(
  holds: unknown,
  found: string,
  refusal?: RefusalReason,
  code?: TeleQuickErrorCode,
): asserts holds {
  if (!holds) refuse(found, refusal, code);
}

/** Refuses a received token. */
export function refuse(
  found: string,
  refusal: RefusalReason = "rejected",
  code: TeleQuickErrorCode = "ERR_TOKEN_INVALID",
): never {
  throw new TeleQuickError(code, `Cannot accept token: ${found}`, { refusal });
}

/** Steps 1 and 2 of the verifier profile (security.md section 4): length, two dots, canonical base64url. */
export function splitCompact(token: string): CompactJws {
  const [header, payload = "", signature, more] = token.split(".", 4);
  // 683 letters are 512 bytes. A payload may be empty here (RFC 7515 allows it); as claims it fails later.
  demand(
    token.length > 63 && token.length <= MAX_TOKEN_LENGTH && header && header.length < 684 &&
      signature && more === undefined,
    "form is not three segments in 64 to 4096 characters",
  );
  return {
    header,
    signed: token.slice(0, ~signature.length),
    payload: decodeSegment(payload),
    signature: decodeSegment(signature),
  };
}

/** Decodes a segment. */
export function decodeSegment(segment: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64Url(segment);
  demand(bytes, "base64url is malformed");
  return bytes;
}

/** Reads a JSON object from strict UTF-8: no byte order mark, no member twice, at most four levels (steps 3 and 6). */
export function readObject(bytes: Uint8Array, part: "header" | "payload"): JsonObject {
  const value = parseStrictJson(bytes, 4, (found) => refuse(`${part} ${found}`));
  demand(value instanceof Object && !Array.isArray(value), `${part} is no object`);
  return value as JsonObject;
}

/**
 * Step 3: the header names RS256, and has nothing that could bring a key, a URL or an extension.
 *
 * @returns Its `kid` as it stands.
 */
export function checkHeader(segment: string): unknown {
  const { alg, typ = "JWT", kid, ...others } = {
    __proto__: null,
    ...readObject(decodeSegment(segment), "header"),
  } as JsonObject;
  demand(!Object.keys(others).length, "header is not alg, typ, kid");
  demand(alg === "RS256", "alg is not RS256");
  demand(typ === "JWT", "typ is not JWT");
  return kid;
}
