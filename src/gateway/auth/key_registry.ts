/**
 * The key registry: which `kid` is which public key, whose, with what role, until when. Nothing is ever un-revoked.
 *
 * Look-up and revocation cost the same for one key and for a million: keys are indexed by tenant, and imported when a token asks for them.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import type { StateChange, StoredKey } from "../storage/state.ts";
import type { KeyRecord } from "../../token/mod.ts";
import type { KeyAtRevision } from "../../token/shared.ts";
import type { Limits } from "../limits.ts";
import { family, isLive, type KeyEntry, type KeyHolder } from "./key_entry.ts";
import { checkKeyId, checkTenantId } from "../validate.ts";
import { KeyCache } from "./key_cache.ts";
import {
  checkPublication,
  entryOf,
  keyInUse,
  type MutableEntry,
  type PublishServiceAccountOptions,
  readPem,
  type RevokeServiceAccountOptions,
  storedKey,
  tooManyKeys,
  unknownKey,
} from "./key_publication.ts";
import type { SharedKeyring } from "./shared_keyring.ts";

export type {
  PublishServiceAccountOptions,
  RevokeServiceAccountOptions,
} from "./key_publication.ts";

/** The keys of one tenant. */
interface TenantKeys {
  readonly entries: Map<string, MutableEntry>;
  /** How many were published and are not revoked. */
  live: number;
  /** Those that are revoked, in the order of revocation. */
  readonly revoked: Set<MutableEntry>;
}

/** Options of a {@linkcode KeyRegistry}. */
export interface KeyRegistryOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Writes changes to disk; resolves when they are there. */
  readonly save: (changes: readonly StateChange[]) => Promise<void>;
  /** The keys that several gateways share; this registry then holds those in use. Default: none, it holds all. */
  readonly shared?: SharedKeyring | undefined;
}

// Of shared keys so many are in memory, at about 5 KB each, and beyond them only those on which something lives.
const SHARED_CAPACITY = 10_000;
// How many of the longest unused ones are looked at for one that can go.
const EVICTION_TRIES = 16;

// A revoked key is remembered at least for as long as a token can live that was signed before.
const LONGEST_TOKEN_MS = 3_600_000;

/** The keys of one gateway. */
export class KeyRegistry {
  readonly #options: KeyRegistryOptions;
  // By tenant: what one tenant registers never changes what another one can register.
  readonly #tenants = new Map<string, TenantKeys>();
  readonly #byThumbprint = new Map<string, MutableEntry>();
  readonly #imported = new KeyCache();
  /** Shared keys, the longest unused first. */
  readonly #used = new Set<MutableEntry>();
  #size = 0;
  // Publishing takes turns, so that two of the same kid cannot both pass the check.
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeyRegistryOptions) {
    this.#options = options;
  }

  /** A tenant's key, revoked ones included. */
  get(tenantId: string, keyId: string): KeyEntry | undefined {
    return this.#tenants.get(tenantId)?.entries.get(keyId);
  }

  /**
   * The same as the verifier takes it. At once where the registry holds all keys and this one is imported. `onKey` is called with the entry that
   * was found; `peer` is the address that asks. Throws or rejects with `ERR_UNAVAILABLE` when shared keys cannot be looked up now.
   */
  resolve(
    tenantId: string,
    keyId: string,
    onKey: (entry: KeyEntry) => void,
    peer?: string,
  ): KeyRecord | undefined | Promise<KeyRecord | undefined> {
    const { shared } = this.#options;
    if (shared === undefined) return this.#resolve(tenantId, keyId, onKey);
    shared.check();
    const known = this.#tenants.get(tenantId)?.entries.get(keyId);
    if (known !== undefined) this.#touch(known);
    const isRead = known === undefined;
    const found = isRead ? shared.find(tenantId, keyId, peer) : Promise.resolve();
    const confirm = (): Promise<void> => shared.confirm(tenantId, keyId, isRead, peer);
    return found
      .then(() => this.#resolve(tenantId, keyId, onKey))
      .then((record) => record && { ...record, confirm });
  }

  /** Why nothing can be said about an entry that was found before; `undefined` when it still can. */
  doubt(entry: KeyEntry): string | undefined {
    const { shared } = this.#options;
    if (shared === undefined) return undefined;
    // One that was dropped meanwhile no longer hears of its revocation.
    if (this.get(entry.tenantId, entry.keyId) !== entry) return "Its key was dropped meanwhile";
    return shared.doubt;
  }

  #resolve(
    tenantId: string,
    keyId: string,
    onKey: (entry: KeyEntry) => void,
  ): KeyRecord | undefined | Promise<KeyRecord | undefined> {
    const entry = this.get(tenantId, keyId);
    if (entry === undefined) {
      return this.#imported.pretend(`${tenantId}\0${keyId}`).then(() => undefined);
    }
    onKey(entry);
    const { role } = entry;
    const record = (key: CryptoKey): KeyRecord => ({
      ...{ tenantId, role, key, revoked: !isLive(entry, this.#options.clock.now()) },
    });
    const key = this.#imported.get(entry.publicKey);
    // Not by the class, which jest's jsdom lacks.
    return "then" in key ? key.then(record) : record(key);
  }

  /** Puts something on a key, so that it is called when the key's state changes. Returns what takes it off. */
  hold(entry: KeyEntry, holder: KeyHolder): () => void {
    const holders = (entry as MutableEntry).holders ??= new Set();
    holders.add(holder);
    return () => void holders.delete(holder);
  }

  /** How many keys are registered, revoked ones included. */
  get size(): number {
    return this.#size;
  }

  /** All keys, as they are kept. */
  stored(): StoredKey[] {
    const stored: StoredKey[] = [];
    for (const { entries } of this.#tenants.values()) {
      for (const entry of entries.values()) {
        if (entry.parent === undefined) stored.push(storedKey(entry));
      }
    }
    return stored;
  }

  /** All of them, those that the gateway signs with itself included. */
  *all(): IterableIterator<KeyEntry> {
    for (const { entries } of this.#tenants.values()) yield* entries.values();
  }

  /** Whether a tenant has or had keys. */
  hasTenant(tenantId: string): boolean {
    return this.#tenants.has(tenantId);
  }

  /** Puts back what was kept. */
  async restore(keys: readonly StoredKey[]): Promise<void> {
    for (const stored of keys) {
      const { thumbprint, publicKey } = stored;
      this.#add(entryOf(thumbprint === "" ? { ...stored, ...await readPem(publicKey) } : stored));
    }
  }

  /**
   * Registers a key, or repeats a registration with another role or expiry.
   *
   * @param options The key.
   * @param also Changes that are written together with it.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a malformed id, for a `kid` or key that is or was in use; `ERR_KEY_UNSUPPORTED` for a key that is not RSA of 2048 to 4096 bits; `ERR_LIMIT` for one too many.
   */
  async publish(
    options: PublishServiceAccountOptions,
    also: readonly StateChange[] = [],
  ): Promise<void> {
    checkPublication(options);
    const { tenantId, privateKeyId: keyId, publicKeyPem, role = "sdk", expiresAtMs = 0 } = options;
    const { key, publicKey, thumbprint } = await readPem(publicKeyPem);
    const added: StoredKey = {
      ...{ tenantId, keyId, publicKey, thumbprint, role, expiresAtMs },
      isRevoked: false,
      revokedAtMs: 0,
    };
    const { shared } = this.#options;
    if (shared !== undefined) {
      this.put(await shared.publish(added, also));
      this.#imported.set(publicKey, key);
      return;
    }
    await this.#inTurn(async () => {
      const known = this.#claim(tenantId, keyId, thumbprint);
      const forgotten = known === undefined ? this.#makeRoom(tenantId) : [];
      const before = known && { role: known.role, expiresAtMs: known.expiresAtMs };
      const entry = known ?? entryOf(added);
      Object.assign(entry, { role, expiresAtMs });
      if (known === undefined) this.#add(entry);
      this.#imported.set(publicKey, key);
      this.#call(entry);
      try {
        await this.#options.save([...forgotten, { key: storedKey(entry) }, ...also]);
      } catch (error) {
        if (before === undefined) this.#remove(entry);
        else Object.assign(entry, before);
        this.#call(entry);
        throw error;
      }
    });
  }

  /**
   * Revokes a key for good: its sessions are ended at once, its tokens refused from now on. Resolves when that is on disk, or in the store.
   *
   * @returns The revision of a shared key; 0 for others.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` when the tenant has no such key.
   */
  async revoke(options: RevokeServiceAccountOptions): Promise<number> {
    const { tenantId, privateKeyId: keyId } = options;
    checkTenantId(tenantId, "revoke service account");
    checkKeyId(keyId, "revoke service account");
    const { shared } = this.#options;
    if (shared !== undefined) {
      const key = await shared.revoke(tenantId, keyId);
      this.put(key);
      return key.revision;
    }
    const keys = this.#tenants.get(tenantId);
    const entry = keys?.entries.get(keyId);
    if (keys === undefined || entry === undefined) {
      // It can be in the middle of being published.
      await this.#inTurn(() => Promise.resolve());
      if (this.get(tenantId, keyId) !== undefined) return await this.revoke(options);
      throw unknownKey();
    }
    if (!entry.isRevoked) {
      entry.isRevoked = true;
      entry.revokedAtMs = Math.floor(this.#options.clock.now());
      if (entry.parent === undefined) keys.live--;
      keys.revoked.add(entry);
      this.#call(entry);
    }
    // What the gateway makes itself ends with the process.
    if (entry.parent === undefined) await this.#options.save([{ key: storedKey(entry) }]);
    return 0;
  }

  /**
   * Registers the public half of a key that the gateway itself signs browser tokens with, on behalf of an admin key.
   *
   * @param expiresAtMs When it ends, in Unix milliseconds; 0 for never.
   */
  async addIssuer(
    parent: KeyEntry,
    keyId: string,
    publicKeyPem: string,
    expiresAtMs = 0,
  ): Promise<void> {
    const { publicKey, thumbprint } = await readPem(publicKeyPem);
    const { tenantId } = parent;
    const added: StoredKey = {
      ...{ tenantId, keyId, publicKey, thumbprint, role: "sdk", expiresAtMs },
      isRevoked: false,
      revokedAtMs: 0,
    };
    const { shared } = this.#options;
    if (shared !== undefined) {
      // The owner's own key, for the phones, is in no registry.
      const key = parent.keyId === "" ? added : { ...added, parent: parent.keyId };
      return this.put(await shared.publishIssuer(key));
    }
    this.#addChild(entryOf(added), parent);
  }

  /** Whether a key is in memory. */
  has(tenantId: string, keyId: string): boolean {
    return this.get(tenantId, keyId) !== undefined;
  }

  /** Takes a shared key as it is in the store. What is older than what is known of it is ignored, but for a revocation, which stays for good. */
  put(key: KeyAtRevision): void {
    const { tenantId, keyId, role, expiresAtMs, isRevoked, revokedAtMs, revision } = key;
    const known = this.#tenants.get(tenantId)?.entries.get(keyId);
    if (known === undefined) {
      const entry = Object.assign(entryOf(key), { revision });
      const parent = key.parent === undefined ? undefined : this.get(tenantId, key.parent);
      if (key.parent !== undefined && parent === undefined) return;
      // Without a child yet, it could be the one that goes.
      if (parent !== undefined) this.#touch(parent as MutableEntry);
      this.#evict();
      if (parent === undefined) this.#add(entry);
      else this.#addChild(entry, parent);
      this.#used.add(entry);
    } else if (revision > known.revision || (isRevoked && !known.isRevoked)) {
      Object.assign(known, { role, expiresAtMs, revision });
      if (isRevoked) Object.assign(known, { isRevoked, revokedAtMs });
      this.#call(known);
    }
  }

  /** Takes every shared key again as it is in the store: it is older than it was, so revisions that are known say nothing. */
  forgetRevisions(): void {
    for (const entry of this.#used) entry.revision = 0;
  }

  /** Ends what lives on a shared key whose entry cannot be read, and forgets the key. */
  drop(tenantId: string, keyId: string): void {
    const entry = this.#tenants.get(tenantId)?.entries.get(keyId);
    if (entry === undefined) return;
    entry.isRevoked = true;
    this.#call(entry);
    this.#remove(entry);
  }

  #touch(entry: MutableEntry): void {
    this.#used.delete(entry);
    this.#used.add(entry);
  }

  /** Makes room for a shared key: the longest unused one goes, unless something lives on it. */
  #evict(): void {
    if (this.#used.size < SHARED_CAPACITY) return;
    let tries = EVICTION_TRIES;
    for (const entry of this.#used) {
      if (!entry.holders?.size && !entry.children?.size) {
        const { isRevoked } = entry;
        this.#remove(entry);
        // It is not revoked, only dropped: `doubt` says so to who still has it.
        entry.isRevoked = isRevoked;
        return;
      }
      if (--tries === 0) return;
      this.#touch(entry);
    }
  }

  #addChild(entry: MutableEntry, parent: KeyEntry): void {
    this.#add(Object.assign(entry, { parent }));
    ((parent as MutableEntry).children ??= new Set()).add(entry);
  }

  /** The entry that a publication repeats, if it does. Throws when this `kid` or key is or was in use. */
  #claim(tenantId: string, keyId: string, thumbprint: string): MutableEntry | undefined {
    const known = this.#tenants.get(tenantId)?.entries.get(keyId);
    const sameKey = this.#byThumbprint.get(thumbprint);
    if (known === undefined && sameKey === undefined) return undefined;
    if (known !== undefined && known === sameKey && !known.isRevoked) return known;
    throw keyInUse();
  }

  /** Makes room for one more key of a tenant: forgets those whose revocation is the oldest. Throws when there is no room. */
  #makeRoom(tenantId: string): StateChange[] {
    const keys = this.#tenants.get(tenantId);
    if (keys === undefined) return [];
    const { limits: { keysPerTenant, revokedKeysPerTenant }, clock } = this.#options;
    const now = clock.now();
    const isFull = keys.live >= keysPerTenant &&
      [...keys.entries.values()].filter((entry) => entry.parent === undefined && isLive(entry, now))
          .length >= keysPerTenant;
    // Keys that have expired can be extended, so they are kept; but not more than there are revoked ones.
    if (isFull || keys.live >= keysPerTenant + revokedKeysPerTenant) {
      throw tooManyKeys(keysPerTenant);
    }
    const forgotten: StateChange[] = [];
    for (const entry of keys.revoked) {
      if (keys.revoked.size < revokedKeysPerTenant) break;
      if (now - entry.revokedAtMs < LONGEST_TOKEN_MS) {
        throw new TeleQuickError(
          "ERR_LIMIT",
          `Cannot publish service account: the tenant revoked ${revokedKeysPerTenant} keys within an hour, expected fewer (try again later)`,
          { retryable: true },
        );
      }
      this.#remove(entry);
      forgotten.push({ forgottenKey: { tenantId, keyId: entry.keyId } });
    }
    return forgotten;
  }

  #add(entry: MutableEntry): void {
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

  /** Forgets a key, and those that the gateway made for it. */
  #remove(entry: MutableEntry): void {
    const keys = this.#tenants.get(entry.tenantId)!;
    for (const each of family(entry) as readonly MutableEntry[]) {
      if (!each.isRevoked && each.parent === undefined) keys.live--;
      each.isRevoked = true;
      keys.revoked.delete(each);
      this.#used.delete(each);
      keys.entries.delete(each.keyId);
      this.#byThumbprint.delete(each.thumbprint);
      this.#imported.delete(each.publicKey);
      this.#size--;
    }
    entry.parent?.children?.delete(entry);
    if (keys.entries.size === 0) this.#tenants.delete(entry.tenantId);
  }

  /** Calls what lives on a key, and on the keys that hang on it. */
  #call(entry: KeyEntry): void {
    for (const { holders } of family(entry)) {
      for (const holder of [...holders ?? []]) holder.keyChanged();
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(ignore);
    return done;
  }
}
