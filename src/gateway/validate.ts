/**
 * What ids, numbers and texts may look like when they come from outside: one place for all of it.
 *
 * @module
 */

import { checkString } from "../base/check.ts";
import { escapeControl, hasControl } from "../base/text/control.ts";
import { TeleQuickError } from "../base/errors.ts";
import { KEY_ID, TENANT_ID } from "../token/mod.ts";
import { isCallSid } from "../wire/mod.ts";

const MAX_TEXT = 512;
const MAX_LONG_TEXT = 4_096;

/** Whether text is free of control characters and not longer than an id or a number ever is. */
export function isPlainText(text: string): boolean {
  return text.length <= MAX_TEXT && !hasControl(text);
}

/** Whether text is free of control characters and not longer than a URL or an argument ever is. */
export function isPlainLongText(text: string): boolean {
  return text.length <= MAX_LONG_TEXT && !hasControl(text);
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
  return escapeControl(cut);
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
  checkPattern(
    trunkId,
    { test: isCallSid },
    action,
    "trunkId",
    "1 to 128 of A-Z, a-z, 0-9 and ._:-",
  );
}

function checkPattern(
  value: unknown,
  pattern: { readonly test: (text: string) => boolean },
  action: string,
  name: string,
  expected: string,
): void {
  if (pattern.test(checkString(action, name, value))) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot ${action}: ${name} is malformed, expected ${expected}`,
  );
}

/** Whether the address is one that every process of a machine shares: then it does not tell peers apart. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}
