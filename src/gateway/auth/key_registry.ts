/**
 * The key registry: which `kid` is which public key, whose, with what role, until when. Nothing is ever un-revoked.
 *
 * Look-up and revocation cost the same for one key and for a million: keys are indexed by tenant, and imported when a token asks for them.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import type { StateChange, StoredKey } from "../storage/state.ts";
import type { KeyRecord } from "../../token/mod.ts";
import { type KeyAtRevision, registeredKey } from "../../token/shared.ts";
import type { Limits } from "../limits.ts";
import {
  entryOf,
  family,
  isLive,
  type KeyEntry,
  type KeyHolder,
  type MutableEntry,
} from "./key_entry.ts";
import { checkKeyId, checkTenantId } from "../validate.ts";
import { KeyCache } from "./key_cache.ts";
import { KeyIndex } from "./key_index.ts";
import {
  checkPublication,
  type PublishServiceAccountOptions,
  readPem,
  type RevokeServiceAccountOptions,
  unknownKey,
} from "./key_publication.ts";
import type { SharedKeyring } from "./shared_keyring.ts";

export type {
  PublishServiceAccountOptions,
  RevokeServiceAccountOptions,
} from "./key_publication.ts";

/** Options of a {@linkcode KeyRegistry}. */
export interface KeyRegistryOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  /** Writes changes to disk; resolves when they are there. */
  readonly save: (changes: readonly StateChange[]) => Promise<void>;
  /** The keys that several gateways share; this registry then holds those in use. Default: none, it holds all. */
  readonly shared?: SharedKeyring | undefined;
}

// Shared keys in memory, at about 5 KB each. Beyond this number only those stay that a session or a campaign depends on.
const SHARED_CAPACITY = 10_000;
// How many of the longest unused ones are looked at for one that can go.
const EVICTION_TRIES = 16;

/** The keys of one gateway. */
export class KeyRegistry {
  readonly #options: KeyRegistryOptions;
  readonly #keys = new KeyIndex();
  readonly #imported = new KeyCache();
  /** Shared keys, the longest unused first. */
  readonly #used = new Set<MutableEntry>();
  // Publishing takes turns, so that two of the same kid cannot both pass the check.
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeyRegistryOptions) {
    this.#options = options;
  }

  /** A tenant's key, revoked ones included. */
  get(tenantId: string, keyId: string): KeyEntry | undefined {
    return this.#keys.get(tenantId, keyId);
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
    const known = this.#keys.get(tenantId, keyId);
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
    return this.#keys.size;
  }

  /** All keys, as they are kept. */
  stored(): StoredKey[] {
    return [...this.#keys.all()].filter(({ parent }) => parent === undefined).map(registeredKey);
  }

  /** All of them, those that the gateway signs with itself included. */
  all(): IterableIterator<KeyEntry> {
    return this.#keys.all();
  }

  /** Whether a tenant has or had keys. */
  hasTenant(tenantId: string): boolean {
    return this.#keys.hasTenant(tenantId);
  }

  /** Puts back what was kept. */
  async restore(keys: readonly StoredKey[]): Promise<void> {
    for (const stored of keys) {
      const { thumbprint, publicKey } = stored;
      this.#keys.add(
        entryOf(thumbprint === "" ? { ...stored, ...await readPem(publicKey) } : stored),
      );
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
    const { limits, clock, save, shared } = this.#options;
    if (shared !== undefined) {
      this.put(await shared.publish(added, also));
      this.#imported.set(publicKey, key);
      return;
    }
    await this.#inTurn(async () => {
      const known = this.#keys.claim(tenantId, keyId, thumbprint);
      const forgotten = known === undefined
        ? this.#keys.expendable(tenantId, limits, clock.now())
        : [];
      for (const each of forgotten) this.#remove(each);
      const before = known && { role: known.role, expiresAtMs: known.expiresAtMs };
      const entry = known ?? entryOf(added);
      Object.assign(entry, { role, expiresAtMs });
      if (known === undefined) this.#keys.add(entry);
      this.#imported.set(publicKey, key);
      this.#call(entry);
      try {
        await save([
          ...forgotten.map(({ keyId }) => ({ forgottenKey: { tenantId, keyId } })),
          { key: registeredKey(entry) },
          ...also,
        ]);
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
    const entry = this.#keys.get(tenantId, keyId);
    if (entry === undefined) {
      // It can be in the middle of being published.
      await this.#inTurn(() => Promise.resolve());
      if (this.get(tenantId, keyId) !== undefined) return await this.revoke(options);
      throw unknownKey();
    }
    if (!entry.isRevoked) {
      this.#keys.revoke(entry, this.#options.clock.now());
      this.#call(entry);
    }
    // What the gateway makes itself ends with the process.
    if (entry.parent === undefined) await this.#options.save([{ key: registeredKey(entry) }]);
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
    this.#keys.addChild(entryOf(added), parent);
  }

  /** Whether a key is in memory. */
  has(tenantId: string, keyId: string): boolean {
    return this.get(tenantId, keyId) !== undefined;
  }

  /** Takes a shared key as it is in the store. What is older than what is known of it is ignored, but for a revocation, which stays for good. */
  put(key: KeyAtRevision): void {
    const { tenantId, keyId, role, expiresAtMs, isRevoked, revokedAtMs, revision } = key;
    const known = this.#keys.get(tenantId, keyId);
    if (known === undefined) {
      const entry = Object.assign(entryOf(key), { revision });
      const parent = key.parent === undefined ? undefined : this.get(tenantId, key.parent);
      if (key.parent !== undefined && parent === undefined) return;
      // Without a child yet, it could be the one that goes.
      if (parent !== undefined) this.#touch(parent as MutableEntry);
      this.#evict();
      if (parent === undefined) this.#keys.add(entry);
      else this.#keys.addChild(entry, parent);
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
    const entry = this.#keys.get(tenantId, keyId);
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
        // It is not revoked, only dropped: `doubt` reports that to code that still has the entry.
        entry.isRevoked = isRevoked;
        return;
      }
      if (--tries === 0) return;
      this.#touch(entry);
    }
  }

  #remove(entry: MutableEntry): void {
    for (const each of this.#keys.remove(entry)) {
      this.#used.delete(each);
      this.#imported.delete(each.publicKey);
    }
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
