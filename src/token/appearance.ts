/**
 * Judges what is about to be presented as a token by its form alone, and says what it looks like when it is not one.
 *
 * @module
 */

import { decodeBase64Url } from "../base/base64.ts";
import { kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";

/** Names under which backends put a token into JSON. */
const TOKEN_MEMBERS = ["token", "access_token", "accessToken", "id_token", "idToken", "jwt"];
/** Longest text looked into; a longer one is not a token of any gateway. */
const MAX_LENGTH = 65_536;

/**
 * Returns the compact JWS (RFC 7515 section 7.1) that a token function or an endpoint returned, without the white space around it.
 *
 * Only the form is judged: three segments of base64url, the first of which holds a JSON object. No claim is looked at.
 *
 * @param value What was returned.
 * @param from What returned it, for the message. Default: `"the token function"`.
 * @throws `ERR_TOKEN_INVALID`, retryable, for anything else. The message says what it looks like, such as an HTML page or a JSON object
 * with a member `token`, and quotes nothing that can be a secret.
 *
 * @example
 * ```ts
 * import { tokenOf } from "@telequick/sdk/token";
 *
 * export async function fetchToken(): Promise<string> {
 *   const response = await fetch("/telequick-token", { method: "POST" });
 *   if (!response.ok) throw new Error(`Token endpoint answered ${response.status}`);
 *   return tokenOf(await response.text(), "the token endpoint");
 * }
 * ```
 */
export function tokenOf(value: unknown, from = "the token function"): string {
  const token = typeof value === "string" ? value.trim() : "";
  if (isCompactJws(token)) return token;
  throw new TeleQuickError(
    "ERR_TOKEN_INVALID",
    `Cannot present token: ${from} returned ${
      appearanceOf(value)
    }, expected a token: three base64url segments with dots between`,
    { retryable: true },
  );
}

function isCompactJws(text: string): boolean {
  if (text.length > MAX_LENGTH || !/^[\w-]+\.[\w-]*\.[\w-]+$/.test(text)) return false;
  const [header = ""] = text.split(".", 1);
  // The decoded text begins with a brace; white space before it is allowed (RFC 8259 section 2).
  return String.fromCharCode(...(decodeBase64Url(header) ?? []).slice(0, 32)).trimStart()
    .startsWith("{");
}

/** What a value that is not a token looks like. */
function appearanceOf(value: unknown): string {
  if (typeof value === "string") return appearanceOfText(value.trim());
  if (value === undefined) return "undefined (is a return or an await missing?)";
  if (typeof value !== "object" || value === null) return kindOf(value);
  if (Array.isArray(value)) return "an array";
  const { text, headers } = value as { readonly text?: unknown; readonly headers?: unknown };
  if (typeof text === "function" && headers !== undefined) {
    return "a Response (return await response.text(), after looking at response.ok)";
  }
  return `an object${adviceFor(value)}`;
}

function appearanceOfText(text: string): string {
  if (text === "") return "an empty text";
  if (text === "undefined" || text === "null") return `the text "${text}" (is the variable set?)`;
  if (text.startsWith("[object ")) return 'the text "[object Object]" (return its token instead)';
  if (text.length > MAX_LENGTH) return `a text of ${text.length} characters`;
  const page = /^<(!doctype|html|\?xml)/i.exec(text);
  if (page !== null) {
    return `an HTML page beginning ${page[0]} (look at the address and at response.ok)`;
  }
  if (text.startsWith("<")) return "a page in HTML or XML (look at the address and at response.ok)";
  const scheme = /^(bearer|basic|token)\s+\S/i.exec(text);
  if (scheme !== null) {
    return `a text with "${scheme[1]} " before the token (return the token alone)`;
  }
  if (text.startsWith("{") || text.startsWith("[")) return appearanceOfJson(text);
  if (/^["'`]/.test(text)) return "a text in quotes (return await response.json(), or parse it)";
  if (text.startsWith("-----BEGIN")) {
    return "a PEM key (a token is signed with it, at your backend)";
  }
  if (text.includes("%2E") || text.includes("%2e")) return "a text that is URL-encoded (decode it)";
  if (!/^[\w.=+/-]*$/.test(text)) return "a text with white space or punctuation in it";
  const segments = text.split(".").length;
  if (segments === 5) return "a text of 5 segments, as an encrypted token (JWE) has";
  if (segments !== 3) return `a text of ${segments} ${segments === 1 ? "segment" : "segments"}`;
  return "a text whose first segment is not a token's header";
}

function appearanceOfJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? "a JSON array" : `a JSON object${adviceFor(value as object)}`;
  } catch {
    return "a text that begins like JSON and is cut off or damaged";
  }
}

/** What to do with an object: take its token, or look at its error. Quotes no value. */
function adviceFor(value: object): string {
  const name = TOKEN_MEMBERS.find((name) => Object.hasOwn(value, name));
  if (name !== undefined) return `: return its member ${name}`;
  if (Object.hasOwn(value, "private_key")) {
    return " with a private key: sign a token with it at your backend, and never send it to a page";
  }
  const fault = ["error", "errors", "message", "detail"].find((name) => Object.hasOwn(value, name));
  return fault === undefined ? "" : ` with a member ${fault} (look at response.ok)`;
}
