/**
 * What ids, numbers and texts may look like when they come from outside: one place for all of it.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { KEY_ID, TENANT_ID } from "../token/mod.ts";

const CALL_SID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
// ITU-T E.164: at most fifteen digits, no leading zero.
const E164 = /^\+[1-9][0-9]{2,14}$/;
// RFC 3261 section 25.1, the part that identifies somebody: user, host, port, parameters.
const SIP_URI =
  /^sips?:[A-Za-z0-9\-_.!~*'()&=+$,;?/%]{1,128}@(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:;[A-Za-z0-9\-_.!~*'()%=]{1,128}){0,8}$/;
// C0, DEL, C1, the two line separators and what reverses text (Unicode UAX #9 sections 2.1 to 2.5): what breaks a header, a log line or a
// terminal, or makes it show other words than are there.
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;
const MAX_TEXT = 512;
const MAX_LONG_TEXT = 4_096;

/** Whether text is a phone number in E.164 or a SIP URI. */
export function isDestination(text: string): boolean {
  return E164.test(text) || SIP_URI.test(text);
}

/** Whether text can be the id of a call. */
export function isCallSid(text: string): boolean {
  return CALL_SID.test(text);
}

/** Whether text is free of control characters and not longer than an id or a number ever is. */
export function isPlainText(text: string): boolean {
  return text.length <= MAX_TEXT && !CONTROL.test(text);
}

/** The same for URLs and arguments, which may be longer. */
export function isPlainLongText(text: string): boolean {
  return text.length <= MAX_LONG_TEXT && !CONTROL.test(text);
}

/** Whether text is empty or a URL of one of the schemes, without a password in it. */
export function isUrlOrEmpty(text: string, schemes: readonly string[]): boolean {
  if (text === "") return true;
  if (!isPlainLongText(text)) return false;
  try {
    const { protocol, username, password } = new URL(text);
    return schemes.includes(protocol) && username === "" && password === "";
  } catch {
    return false;
  }
}

/** Makes text safe to show: control characters escaped, cut to a length. */
export function printable(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  return cut.replace(
    new RegExp(CONTROL.source, "g"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Throws unless `tenantId` can be one. */
export function checkTenantId(tenantId: unknown, action: string): void {
  checkPattern(tenantId, TENANT_ID, action, "tenantId", "1 to 63 of a-z, 0-9 and inner hyphens");
}

/** Throws unless `keyId` can be a `kid`. */
export function checkKeyId(keyId: unknown, action: string): void {
  checkPattern(keyId, KEY_ID, action, "privateKeyId", "1 to 128 of A-Z, a-z, 0-9, dot, _ and -");
}

/** Throws unless `trunkId` can be the id of a trunk. */
export function checkTrunkId(trunkId: unknown, action: string): void {
  checkPattern(trunkId, CALL_SID, action, "trunkId", "1 to 128 of A-Z, a-z, 0-9 and ._:-");
}

function checkPattern(
  value: unknown,
  pattern: RegExp,
  action: string,
  name: string,
  expected: string,
): void {
  if (typeof value !== "string") {
    throw new TypeError(`Cannot ${action}: ${name} is a ${typeof value}, expected a string`);
  }
  if (pattern.test(value)) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot ${action}: ${name} is malformed, expected ${expected}`,
  );
}
