/**
 * The compact JWS form (RFC 7515 section 3.1), read strictly: one byte string, one text.
 *
 * @module
 */

import { decodeBase64Url } from "../base64.ts";
import { decodeUtf8 } from "../bytes.ts";
import { type RefusalReason, TeleQuickError, type TeleQuickErrorCode } from "../errors.ts";
import { parseStrictJson } from "../json.ts";

/** Shortest and longest token looked at, in characters; a real one has about 650. */
export const MIN_TOKEN_LENGTH = 64;
/** Longest token taken or made, in characters. */
export const MAX_TOKEN_LENGTH = 4096;

/** The parts of a compact JWS, decoded. */
export interface CompactJws {
  /** The header's segment as it was received. */
  readonly headerSegment: string;
  /** Header and payload as they were received: what the signature is over. */
  readonly signed: string;
  /** The payload's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The signature's bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/**
 * An error about a token that was received. The message is for the log of whoever checks it, and quotes nothing of the token;
 * `refusal` is all that may be told outside.
 */
export function badToken(
  found: string,
  code: TeleQuickErrorCode = "ERR_TOKEN_INVALID",
  refusal: RefusalReason = "rejected",
): TeleQuickError {
  return new TeleQuickError(code, `Cannot accept token: ${found}`, { refusal });
}

/** Steps 1 and 2 of the verifier profile (security.md section 4): length, alphabet, two dots, canonical base64url. */
export function splitCompact(token: string): CompactJws {
  if (token.length < MIN_TOKEN_LENGTH || token.length > MAX_TOKEN_LENGTH) {
    throw badToken(
      `it has ${token.length} characters, expected ${MIN_TOKEN_LENGTH} to ${MAX_TOKEN_LENGTH}`,
    );
  }
  // The payload may be empty here (RFC 7515 allows it); as claims it fails later.
  if (!/^[\w-]+\.[\w-]*\.[\w-]+$/.test(token)) {
    throw badToken("it is not three base64url segments with dots between");
  }
  const first = token.indexOf(".");
  const last = token.lastIndexOf(".");
  return {
    headerSegment: token.slice(0, first),
    signed: token.slice(0, last),
    payload: decodeSegment(token.slice(first + 1, last), "payload"),
    signature: decodeSegment(token.slice(last + 1), "signature"),
  };
}

function decodeSegment(segment: string, part: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64Url(segment);
  if (bytes === undefined) throw badToken(`its ${part} is not canonical base64url`);
  return bytes;
}

/** Reads a JSON object from strict UTF-8: no byte order mark, no member twice, at most four levels (steps 3 and 6). */
export function readObject(bytes: Uint8Array, part: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseStrictJson(decodeUtf8(bytes), 4);
  } catch (error) {
    throw badToken(`its ${part} ${error instanceof SyntaxError ? error.message : "is not UTF-8"}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badToken(`its ${part} is not an object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Decodes a header segment. */
export function decodeHeader(segment: string): Readonly<Record<string, unknown>> {
  const bytes = decodeSegment(segment, "header");
  if (bytes.length > 512) throw badToken("its header is longer than 512 bytes");
  return readObject(bytes, "header");
}

/** Step 3: the header names RS256 and nothing that could bring a key, a URL or an extension. Returns its `kid` as it stands. */
export function checkHeader(header: Readonly<Record<string, unknown>>): unknown {
  for (const name of Object.keys(header)) {
    if (name !== "alg" && name !== "kid" && name !== "typ") {
      throw badToken("its header has a member other than alg, kid and typ");
    }
  }
  if (ownMember(header, "alg") !== "RS256") throw badToken("its alg is not RS256");
  const type = ownMember(header, "typ");
  if (type !== undefined && type !== "JWT") throw badToken("its typ is not JWT");
  return ownMember(header, "kid");
}

/** An own member of an object that came from outside, never one of a polluted prototype. */
export function ownMember(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
