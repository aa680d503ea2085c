/**
 * The keys in memory, found by their tenant and id or by their thumbprint, and how many of each tenant are live or revoked.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { Limits } from "../limits.ts";
import { family, isLive, type KeyEntry, type MutableEntry } from "./key_entry.ts";
import { keyInUse, tooManyKeys } from "./key_publication.ts";

/** The keys of one tenant. */
interface TenantKeys {
  readonly entries: Map<string, MutableEntry>;
  /** How many were published and are not revoked. */
  live: number;
  /** Those that are revoked, in the order of revocation. */
  readonly revoked: Set<MutableEntry>;
}

// A revoked key is remembered at least for as long as a token can live that was signed before.
const LONGEST_TOKEN_MS = 3_600_000;

/** The keys of one gateway that are in memory. */
export class KeyIndex {
  // By tenant: what one tenant registers never changes what another one can register.
  readonly #tenants = new Map<string, TenantKeys>();
  readonly #byThumbprint = new Map<string, MutableEntry>();
  #size = 0;

  /** How many there are, revoked ones included. */
  get size(): number {
    return this.#size;
  }

  /** A tenant's key, revoked ones included. */
  get(tenantId: string, keyId: string): MutableEntry | undefined {
    return this.#tenants.get(tenantId)?.entries.get(keyId);
  }

  /** All of them. */
  *all(): IterableIterator<KeyEntry> {
    for (const { entries } of this.#tenants.values()) yield* entries.values();
  }

  /** Whether a tenant has or had keys. */
  hasTenant(tenantId: string): boolean {
    return this.#tenants.has(tenantId);
  }

  /** The entry that a publication repeats, if it does. Throws when this `kid` or key is or was in use. */
  claim(tenantId: string, keyId: string, thumbprint: string): MutableEntry | undefined {
    const known = this.get(tenantId, keyId);
    const sameKey = this.#byThumbprint.get(thumbprint);
    if (known === undefined && sameKey === undefined) return undefined;
    if (known !== undefined && known === sameKey && !known.isRevoked) return known;
    throw keyInUse();
  }

  /** The keys to forget before one more of a tenant is added: those whose revocation is the oldest. Throws when there is no room. */
  expendable(tenantId: string, limits: Limits, nowMs: number): readonly MutableEntry[] {
    const keys = this.#tenants.get(tenantId);
    if (keys === undefined) return [];
    const { keysPerTenant, revokedKeysPerTenant } = limits;
    const isFull = keys.live >= keysPerTenant &&
      [...keys.entries.values()]
          .filter((entry) => entry.parent === undefined && isLive(entry, nowMs))
          .length >= keysPerTenant;
    // Keys that have expired can be extended, so they are kept; but not more than there are revoked ones.
    if (isFull || keys.live >= keysPerTenant + revokedKeysPerTenant) {
      throw tooManyKeys(keysPerTenant);
    }
    const tooMany = Math.max(0, keys.revoked.size - revokedKeysPerTenant + 1);
    const oldest = [...keys.revoked].slice(0, tooMany);
    if (oldest.some(({ revokedAtMs }) => nowMs - revokedAtMs < LONGEST_TOKEN_MS)) {
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot publish service account: the tenant revoked ${revokedKeysPerTenant} keys within an hour, expected fewer (try again later)`,
        { retryable: true },
      );
    }
    return oldest;
  }

  /** Adds a key. */
  add(entry: MutableEntry): void {
    const { tenantId, keyId, thumbprint } = entry;
    let keys = this.#tenants.get(tenantId);
    if (keys === undefined) {
      keys = { entries: new Map(), live: 0, revoked: new Set() };
      this.#tenants.set(tenantId, keys);
    }
    keys.entries.set(keyId, entry);
    this.#byThumbprint.set(thumbprint, entry);
    this.#size++;
    if (entry.isRevoked) keys.revoked.add(entry);
    else if (entry.parent === undefined) keys.live++;
  }

  /** Adds a key that the gateway made for another one, with which it ends. */
  addChild(entry: MutableEntry, parent: KeyEntry): void {
    this.add(Object.assign(entry, { parent }));
    ((parent as MutableEntry).children ??= new Set()).add(entry);
  }

  /** Marks a key as revoked. */
  revoke(entry: MutableEntry, nowMs: number): void {
    const keys = this.#tenants.get(entry.tenantId)!;
    entry.isRevoked = true;
    entry.revokedAtMs = Math.floor(nowMs);
    if (entry.parent === undefined) keys.live--;
    keys.revoked.add(entry);
  }

  /** Removes a key, and those that the gateway made for it. Returns all of them. */
  remove(entry: MutableEntry): readonly MutableEntry[] {
    const keys = this.#tenants.get(entry.tenantId)!;
    const removed = family(entry) as readonly MutableEntry[];
    for (const each of removed) {
      if (!each.isRevoked && each.parent === undefined) keys.live--;
      each.isRevoked = true;
      keys.revoked.delete(each);
      keys.entries.delete(each.keyId);
      this.#byThumbprint.delete(each.thumbprint);
      this.#size--;
    }
    entry.parent?.children?.delete(entry);
    if (keys.entries.size === 0) this.#tenants.delete(entry.tenantId);
    return removed;
  }
}
