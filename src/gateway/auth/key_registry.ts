/**
 * The key registry: which `kid` is which public key, whose, with what role, until when. Nothing is ever un-revoked.
 *
 * @module
 */

import { importVerifyingKey, keyThumbprint } from "../../credentials/mod.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { StoredKey } from "../storage/archive.ts";
import type { KeyRole } from "../../token/mod.ts";
import type { Limits } from "../limits.ts";
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

/** Something that lives on a key: it is told when the key's state changes. */
export interface KeyHolder {
  keyChanged(): void;
}

/** A registered key. */
export interface KeyEntry {
  readonly tenantId: string;
  readonly keyId: string;
  readonly publicKeyPem: string;
  readonly thumbprint: string;
  readonly key: CryptoKey;
  readonly role: KeyRole;
  readonly expiresAtMs: number;
  readonly isRevoked: boolean;
  /** The admin key for which the gateway signs browser tokens with this one: it ends with it. Not on disk. */
  readonly parent?: KeyEntry;
  /** The sessions that were admitted by it. */
  readonly holders: Set<KeyHolder>;
}

type MutableEntry = { -readonly [name in keyof KeyEntry]: KeyEntry[name] };

/** Options of a {@linkcode KeyRegistry}. */
export interface KeyRegistryOptions {
  readonly limits: Limits;
  /** Writes the registry to disk; resolves when it is there. */
  readonly save: () => Promise<void>;
}

/** The keys of one gateway. */
export class KeyRegistry {
  readonly #options: KeyRegistryOptions;
  // By tenant and key id: what one tenant registers never shows in what another one may.
  readonly #entries = new Map<string, MutableEntry>();
  readonly #byThumbprint = new Map<string, MutableEntry>();
  // Publishing takes turns, so that two of the same kid cannot both pass the check.
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeyRegistryOptions) {
    this.#options = options;
  }

  /** A tenant's key, revoked ones included. */
  get(tenantId: string, keyId: string): KeyEntry | undefined {
    return this.#entries.get(nameOf(tenantId, keyId));
  }

  /** How many keys are registered, revoked ones included. */
  get size(): number {
    return this.#entries.size;
  }

  /** All keys, as the archive keeps them. */
  stored(): StoredKey[] {
    const published = [...this.#entries.values()].filter(({ parent }) => parent === undefined);
    return published.map((entry) => {
      const { tenantId, keyId, publicKeyPem, role, expiresAtMs, isRevoked } = entry;
      return { tenantId, keyId, publicKeyPem, role, expiresAtMs, isRevoked };
    });
  }

  /** Whether a tenant has or had keys. */
  hasTenant(tenantId: string): boolean {
    for (const entry of this.#entries.values()) if (entry.tenantId === tenantId) return true;
    return false;
  }

  /** Puts back what the archive kept. */
  async restore(keys: readonly StoredKey[]): Promise<void> {
    for (const stored of keys) {
      const key = await importVerifyingKey(stored.publicKeyPem);
      this.#add({ ...stored, key, thumbprint: await keyThumbprint(key), holders: new Set() });
    }
  }

  /**
   * Registers a key, or repeats a registration with another role or expiry.
   *
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a malformed id, for a `kid` or key that is or was in use; `ERR_KEY_UNSUPPORTED` for a key that is not RSA of 2048 to 4096 bits; `ERR_LIMIT` for one too many.
   */
  async publish(options: PublishServiceAccountOptions): Promise<void> {
    const { tenantId, privateKeyId: keyId, publicKeyPem, role = "sdk", expiresAtMs = 0 } = options;
    checkTenantId(tenantId, "publish service account");
    checkKeyId(keyId, "publish service account");
    checkRole(role);
    checkTime(expiresAtMs);
    if (typeof publicKeyPem !== "string") {
      throw new TypeError("Cannot publish service account: publicKeyPem is not a string");
    }
    const key = await importVerifyingKey(publicKeyPem);
    const thumbprint = await keyThumbprint(key);
    await this.#inTurn(async () => {
      const known = this.#claim(tenantId, keyId, thumbprint);
      const before = known && { role: known.role, expiresAtMs: known.expiresAtMs };
      const entry = known ?? {
        ...{ tenantId, keyId, publicKeyPem, role, expiresAtMs, key, thumbprint },
        isRevoked: false,
        holders: new Set<KeyHolder>(),
      };
      this.#add(Object.assign(entry, { role, expiresAtMs }));
      this.#tell(entry);
      try {
        await this.#options.save();
      } catch (error) {
        if (before === undefined) this.#remove(entry);
        else Object.assign(entry, before);
        this.#tell(entry);
        throw error;
      }
    });
  }

  /**
   * Revokes a key for good: its sessions are ended at once, its tokens refused from now on. Resolves when that is on disk.
   *
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when the tenant has no such key.
   */
  async revoke(options: RevokeServiceAccountOptions): Promise<void> {
    const { tenantId, privateKeyId: keyId } = options;
    checkTenantId(tenantId, "revoke service account");
    checkKeyId(keyId, "revoke service account");
    const entry = this.#entries.get(nameOf(tenantId, keyId));
    if (entry === undefined) {
      // It may be in the middle of being published.
      await this.#inTurn(() => Promise.resolve());
      if (this.get(tenantId, keyId) !== undefined) return await this.revoke(options);
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        "Cannot revoke service account: the tenant has no key with this private_key_id",
      );
    }
    entry.isRevoked = true;
    this.#tell(entry);
    await this.#options.save();
  }

  /** Registers the public half of a key that the gateway itself signs browser tokens with, on behalf of an admin key. */
  async addIssuer(parent: KeyEntry, keyId: string, publicKeyPem: string): Promise<void> {
    const key = await importVerifyingKey(publicKeyPem);
    const thumbprint = await keyThumbprint(key);
    this.#add({
      tenantId: parent.tenantId,
      ...{ keyId, publicKeyPem, key, thumbprint, parent, role: "sdk" },
      expiresAtMs: 0,
      isRevoked: false,
      holders: new Set(),
    });
  }

  /** The entry that a publication repeats, if it does. Throws when it may not have this `kid` or key. */
  #claim(tenantId: string, keyId: string, thumbprint: string): MutableEntry | undefined {
    const known = this.#entries.get(nameOf(tenantId, keyId));
    const sameKey = this.#byThumbprint.get(thumbprint);
    if (known === undefined && sameKey === undefined) {
      const { keysPerTenant } = this.#options.limits;
      if (this.#liveKeys(tenantId) < keysPerTenant) return undefined;
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot publish service account: the tenant has ${keysPerTenant} keys, expected fewer (revoke one first)`,
      );
    }
    if (known !== undefined && known === sameKey && !known.isRevoked) return known;
    // One sentence for all cases: it does not tell whose key it is.
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      "Cannot publish service account: this private_key_id or this key is or was in use, expected new ones (generate a new key pair)",
    );
  }

  #liveKeys(tenantId: string): number {
    let count = 0;
    for (const entry of this.#entries.values()) {
      if (entry.tenantId !== tenantId || entry.isRevoked) continue;
      if (entry.parent === undefined) count++;
    }
    return count;
  }

  #add(entry: MutableEntry): void {
    this.#entries.set(nameOf(entry.tenantId, entry.keyId), entry);
    this.#byThumbprint.set(entry.thumbprint, entry);
  }

  /** Tells the sessions of a key, and of the keys that hang on it. */
  #tell(entry: KeyEntry): void {
    for (const other of this.#entries.values()) {
      if (other !== entry && other.parent !== entry) continue;
      for (const holder of [...other.holders]) holder.keyChanged();
    }
  }

  /** Takes back a key that could not be written to disk: as if it had never been there. */
  #remove(entry: MutableEntry): void {
    entry.isRevoked = true;
    this.#entries.delete(nameOf(entry.tenantId, entry.keyId));
    this.#byThumbprint.delete(entry.thumbprint);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(ignore);
    return done;
  }
}

/** Whether tokens of a key are accepted at a time: it is neither revoked nor expired. */
export function isLive(entry: KeyEntry, nowMs: number): boolean {
  return !isRevoked(entry) && nowMs < endOf(entry);
}

/** When a key ends by itself, in Unix milliseconds; `Infinity` for never. */
export function endOf({ expiresAtMs, parent }: KeyEntry): number {
  return Math.min(expiresAtMs || Infinity, parent === undefined ? Infinity : endOf(parent));
}

// A NUL is in neither.
function nameOf(tenantId: string, keyId: string): string {
  return `${tenantId}\0${keyId}`;
}

function isRevoked({ isRevoked: revoked, parent }: KeyEntry): boolean {
  return revoked || (parent !== undefined && isRevoked(parent));
}

function checkRole(role: unknown): void {
  if (role === "sdk" || role === "admin") return;
  if (typeof role !== "string") {
    throw new TypeError(`Cannot publish service account: role is a ${typeof role}`);
  }
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    'Cannot publish service account: role is unknown, expected "sdk" or "admin"',
  );
}

function checkTime(expiresAtMs: unknown): void {
  if (typeof expiresAtMs !== "number") {
    throw new TypeError(`Cannot publish service account: expiresAtMs is a ${typeof expiresAtMs}`);
  }
  if (Number.isSafeInteger(expiresAtMs) && expiresAtMs >= 0) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    "Cannot publish service account: expiresAtMs is no Unix time in milliseconds, expected 0 for never or an integer above",
  );
}
