/**
 * A key as gateways keep it in a shared store: kind `key`, named by its tenant and its id, as JSON.
 *
 * @module
 */

import { KEY_ID, TENANT_ID } from "../credentials/mod.ts";
import type { SharedEntry } from "../base/store/shared_store.ts";
import type { KeyRole } from "./policy.ts";

/** The kind of the entries. */
export const KEY_KIND = "key";

/** A service account's key, as a registry keeps it. */
export interface RegisteredKey {
  readonly tenantId: string;
  readonly keyId: string;
  /** Its modulus, base64url. */
  readonly publicKey: string;
  /** Its RFC 7638 thumbprint. */
  readonly thumbprint: string;
  readonly role: KeyRole;
  /** Unix milliseconds; 0 for never. */
  readonly expiresAtMs: number;
  readonly isRevoked: boolean;
  /** When it was revoked, Unix milliseconds; 0 where that is not known, or it is not. */
  readonly revokedAtMs: number;
}

/** A key as it is shared. */
export interface SharedKey extends RegisteredKey {
  /** The admin key for which a gateway signs browser tokens with this one, by its id: it ends with it. */
  readonly parent?: string | undefined;
}

/** The fields that are kept, of a key that has more. */
export function registeredKey(key: RegisteredKey): RegisteredKey {
  const { tenantId, keyId, publicKey, thumbprint, role, expiresAtMs } = key;
  const { isRevoked, revokedAtMs } = key;
  return { tenantId, keyId, publicKey, thumbprint, role, expiresAtMs, isRevoked, revokedAtMs };
}

/** Whether fields that were read are those of a key. */
export function isRegisteredKey(
  fields: { readonly [name in keyof RegisteredKey]?: unknown },
): fields is RegisteredKey {
  const { tenantId, keyId, publicKey, thumbprint, role } = fields;
  const texts = [tenantId, keyId, publicKey, thumbprint];
  return texts.every((text) => typeof text === "string") && (role === "sdk" || role === "admin") &&
    isTime(fields.expiresAtMs) && typeof fields.isRevoked === "boolean" &&
    isTime(fields.revokedAtMs);
}

/** The name of a key's entry: neither id can hold a slash. */
export function keyName(tenantId: string, keyId: string): string {
  return `${tenantId}/${keyId}`;
}

/** The text of a key's entry. */
export function formatSharedKey(key: SharedKey): string {
  const { tenantId: _tenantId, keyId: _keyId, ...fields } = registeredKey(key);
  return JSON.stringify({ ...fields, parent: key.parent });
}

/** Reads an entry. Throws `Error` for one that is not a key's; what it says holds no part of it. */
export function readSharedKey({ key: name, value }: SharedEntry): SharedKey {
  const [tenantId = "", keyId = "", ...rest] = name.split("/");
  const { parent, ...fields } = JSON.parse(value) as Record<string, unknown>;
  const key = { ...fields, tenantId, keyId };
  const isSound = rest.length === 0 && TENANT_ID.test(tenantId) && KEY_ID.test(keyId) &&
    isRegisteredKey(key) && (parent === undefined || typeof parent === "string");
  if (!isSound) throw new Error("A key in the shared store is malformed");
  return { ...registeredKey(key), parent };
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
