/**
 * The compact JWS form (RFC 7515 section 3.1), read strictly: one byte string, one text.
 *
 * @module
 */

import { decodeBase64Url } from "../base/base64.ts";
import { type RefusalReason, TeleQuickError, type TeleQuickErrorCode } from "../base/errors.ts";
import { parseStrictJson } from "../base/text/json.ts";

/** Shortest token accepted, in characters: a signature of 2048 bits alone has 342. */
const MIN_TOKEN_LENGTH = 64;
/** Longest token accepted or made, in characters; a typical one has about 650. */
export const MAX_TOKEN_LENGTH = 4096;
/** Longest header segment: 512 bytes in base64url. */
const MAX_HEADER_LENGTH = 683;
/** How many objects and arrays may lie within each other in a header or payload. */
const MAX_DEPTH = 4;

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
 * @param found What is wrong otherwise, for the log of the verifier; quotes nothing of the token.
 * @param refusal All that may be said outside. Default: `"rejected"`.
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

/** Checks length, segments and base64url (VERIFIER.md, steps 1 and 2). */
export function splitCompact(token: string): CompactJws {
  const isInRange = token.length >= MIN_TOKEN_LENGTH && token.length <= MAX_TOKEN_LENGTH;
  const [header, payload, signature, ...more] = isInRange ? token.split(".", 4) : [];
  // A payload may be empty here (RFC 7515 allows it); as claims it fails later.
  demand(
    header && payload !== undefined && signature && more.length === 0 &&
      header.length <= MAX_HEADER_LENGTH,
    "form is not three segments in 64 to 4096 characters",
  );
  return {
    header,
    signed: `${header}.${payload}`,
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

/** Reads a JSON object from strict UTF-8: no byte order mark, no member twice, at most four levels (VERIFIER.md, steps 3 and 4). */
export function readObject(bytes: Uint8Array, part: "header" | "payload"): JsonObject {
  const value = parseStrictJson(bytes, MAX_DEPTH, (found) => refuse(`${part} ${found}`));
  demand(
    typeof value === "object" && value !== null && !Array.isArray(value),
    `${part} is not an object`,
  );
  return value as JsonObject;
}

/** A member of an object read from a token; nothing that was added to `Object.prototype`. */
export function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * Checks that the header names RS256 and has nothing that could bring a key, a URL or an extension (VERIFIER.md, step 3).
 *
 * @returns Its `kid` as it stands.
 */
export function checkHeader(segment: string): unknown {
  const header = readObject(decodeSegment(segment), "header");
  const isKnown = Object.keys(header).every((name) => ["alg", "kid", "typ"].includes(name));
  demand(isKnown, "header has members other than alg, typ and kid");
  demand(ownMember(header, "alg") === "RS256", "alg is not RS256");
  const typ = ownMember(header, "typ");
  demand(typ === undefined || typ === "JWT", "typ is not JWT");
  return ownMember(header, "kid");
}
