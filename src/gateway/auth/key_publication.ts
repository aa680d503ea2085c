/**
 * Keys as they are published and revoked: what is given, what is checked, and the errors.
 *
 * @module
 */

import { checkNumber, checkString } from "../../base/check.ts";
import { exportModulus, importVerifyingKey, keyThumbprint } from "../../credentials/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import type { KeyRole } from "../../token/mod.ts";
import { checkKeyId, checkTenantId } from "../validate.ts";

/** A public key to register. */
export interface PublishServiceAccountOptions {
  /** The tenant that its tokens speak for: lower-case letters, digits and inner hyphens, at most 63. */
  readonly tenantId: string;
  /** The `kid` of its tokens: letters, digits, `.`, `_`, `-`, at most 128. Unique within the tenant, for good. */
  readonly privateKeyId: string;
  /** SPKI PEM, `BEGIN PUBLIC KEY`, RSA of 2048 to 4096 bits. */
  readonly publicKeyPem: string;
  /** Default: `"sdk"`. */
  readonly role?: KeyRole;
  /** From then on it counts as revoked, in Unix milliseconds. Default: 0, never. */
  readonly expiresAtMs?: number;
}

/** Which key to revoke. */
export interface RevokeServiceAccountOptions {
  /** The key's tenant. */
  readonly tenantId: string;
  /** Its `kid`. */
  readonly privateKeyId: string;
}

/** Throws unless a key can be published. */
export function checkPublication(options: PublishServiceAccountOptions): void {
  const { tenantId, privateKeyId, publicKeyPem, role = "sdk", expiresAtMs = 0 } = options;
  const action = "publish service account";
  checkTenantId(tenantId, action);
  checkKeyId(privateKeyId, action);
  checkRole(role);
  checkNumber(action, "expiresAtMs", expiresAtMs, {
    ...{ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
    expected: "0 (never) or a positive integer in milliseconds",
  });
  checkString(action, "publicKeyPem", publicKeyPem);
}

/** The error for a `kid` or key that cannot be published: one sentence for all cases, so that it does not say whose key it is. */
export function keyInUse(): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot publish service account: this private_key_id or this key is or was in use, expected new ones (generate a new key pair)",
  );
}

/** The error for a tenant with as many keys as it can have. */
export function tooManyKeys(limit: number): TeleQuickError {
  return new TeleQuickError(
    "ERR_LIMIT",
    `Cannot publish service account: the tenant has ${limit} keys, expected fewer (revoke one first)`,
  );
}

/** The error for a key that is to be revoked and is not there. */
export function unknownKey(): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot revoke service account: the tenant has no key with this private_key_id",
  );
}

/** Imports a key, and its modulus and thumbprint as they are kept. */
export async function readPem(
  publicKeyPem: string,
): Promise<{ readonly key: CryptoKey; readonly publicKey: string; readonly thumbprint: string }> {
  const key = await importVerifyingKey(publicKeyPem);
  return { key, publicKey: await exportModulus(key), thumbprint: await keyThumbprint(key) };
}

function checkRole(role: unknown): void {
  if (role === "sdk" || role === "admin") return;
  checkString("publish service account", "role", role);
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    'Cannot publish service account: role is unknown, expected "sdk" or "admin"',
  );
}
