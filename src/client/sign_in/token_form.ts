/**
 * Whether what a token function returned is a token, and what it is where it is not.
 *
 * @module
 */

import { decodeToken } from "../../token/mod.ts";

/** Three parts in base64url (RFC 7515 section 7.1). */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Whether a text is a compact JWS of two JSON objects, as a signed token is. */
export function isCompactToken(text: string): boolean {
  if (!COMPACT.test(text)) return false;
  try {
    decodeToken(text);
    return true;
  } catch {
    return false;
  }
}

/** What a value is that is not a token, in words, with what to do. Never quotes what could be a secret. */
export function describeNoToken(value: unknown): string {
  if (typeof value === "string") return describeText(value.trim());
  if (value === null || value === undefined) {
    return `${value} (does the function return its token?)`;
  }
  if (typeof value !== "object") return `a ${typeof value}`;
  if (typeof (value as { text?: unknown }).text === "function") {
    return "a Response (return its text: await response.text())";
  }
  return describeObject(value, "an object");
}

function describeText(text: string): string {
  if (text === "") return "an empty string (does the backend answer with a token?)";
  const page = /^<!?[a-z]{1,10}/i.exec(text);
  if (page !== null) {
    return `an HTML page beginning ${page[0]} (check response.ok before using the answer)`;
  }
  if (/^bearer\s/i.test(text)) return `a token after the word "Bearer" (return the token alone)`;
  if (text.includes("-----BEGIN")) return "a key in PEM (return a token that is signed with it)";
  const json = parse(text);
  if (json !== undefined) return describeJson(json);
  const parts = text.split(".").length;
  if (parts === 5 && /^[\w.-]+$/.test(text)) {
    return "an encrypted token of five parts (return a signed one, which has three)";
  }
  if (COMPACT.test(text)) return "three parts separated by dots that are not a signed token";
  return `a text of ${text.length} characters that is not three base64url parts separated by dots`;
}

function describeJson(json: unknown): string {
  if (typeof json === "string") return "a JSON string (parse it: await response.json())";
  if (Array.isArray(json)) return "a JSON array";
  if (typeof json === "object" && json !== null) return describeObject(json, "a JSON object");
  return `the JSON value ${typeof json === "number" ? "of a number" : json}`;
}

function describeObject(object: object, what: string): string {
  const members = Object.entries(object);
  const token = members.find(([, value]) => typeof value === "string" && isCompactToken(value));
  if (token !== undefined) return `${what}: return its member ${nameOf(token[0])}`;
  if (members.some(([name]) => name === "private_key" || name === "privateKey")) {
    return `${what} with a private key (return a token that is signed with it)`;
  }
  const error = members.find(([name]) => /^(errors?|message|code|status|detail)$/.test(name));
  return error === undefined
    ? `${what} without a token`
    : `${what} with the member ${error[0]} (the backend reports an error: check response.ok)`;
}

/** A member's name, unless it is too long for a name. */
function nameOf(name: string): string {
  return /^[\w-]{1,32}$/.test(name) ? name : "that holds the token";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
