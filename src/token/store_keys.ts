/**
 * Looks keys up in a shared store: one read for each key that is not cached, however many ask, and a bounded number of them.
 *
 * @module
 */

import { Recent } from "../base/recent.ts";
import type { Clock } from "../base/signal.ts";
import { type StoreFeed, unavailable } from "../base/store/feed.ts";
import type { SharedEntry, SharedStore } from "../base/store/shared_store.ts";
import { KEY_KIND, keyName, readSharedKey, type SharedKey } from "./shared_key.ts";

/** A key, and the revision of its entry. */
export interface KeyAtRevision extends SharedKey {
  readonly revision: number;
}

/** The keys that are cached. */
export interface CachedKeys {
  /** Whether a key is there. */
  has(tenantId: string, keyId: string): boolean;
  /** Takes a key that was read, or has changed. */
  put(key: KeyAtRevision): void;
  /** Drops a key whose entry cannot be read any more: tokens of it are not accepted. */
  drop(tenantId: string, keyId: string): void;
}

/** Options of {@linkcode StoreKeys}. */
export interface StoreKeysOptions {
  readonly store: SharedStore;
  /** Follows the changes of the kind `key`, and hands them to {@linkcode StoreKeys.take}. */
  readonly feed: StoreFeed;
  readonly clock: Clock;
  readonly cached: CachedKeys;
  /** Called for each key that is revoked, cached or not. */
  readonly onRevoked?: (key: KeyAtRevision) => void;
}

// Names that were sought, with whether there is a key: 10,000 names are 2 MB at most.
const REMEMBERED = 10_000;
// Reads in a second at most, and those for one peer. An engine answers 2,500 look-ups a second and more.
const READS_PER_SECOND = 1_000;
const READS_PER_PEER = 50;
// A read that is older than what the feed has brought is repeated.
const TRIES = 4;

/** Keys of a shared store that are not cached. */
export class StoreKeys {
  readonly #options: StoreKeysOptions;
  /** Names of which a token was refused, with whether there is a key: refusing another one needs no read. Forgotten when the key changes. */
  readonly #sought = new Recent<boolean>(REMEMBERED);
  readonly #reading = new Map<string, Promise<void>>();
  readonly #peers = new Map<string, number>();
  #second = NaN;
  #reads = 0;
  /** How often the store was set back. */
  #setBacks = 0;

  constructor(options: StoreKeysOptions) {
    this.#options = options;
  }

  /**
   * Reads a key that is not cached, and puts it into the cache if there is one.
   *
   * @param peer The address of the peer that asks, where it stands for one peer.
   * @throws {TeleQuickError} `ERR_UNAVAILABLE` when that cannot be done now.
   */
  async find(tenantId: string, keyId: string, peer?: string): Promise<void> {
    const name = keyName(tenantId, keyId);
    if (this.#sought.get(name) === false) return;
    await (this.#reading.get(name) ?? this.#start(tenantId, keyId, peer));
  }

  /**
   * Resolves when a token can be refused because of its signature: it costs, and comes to, the same as {@linkcode StoreKeys.find} for a key that
   * does not exist, so that neither shows which keys exist.
   *
   * @param isRead Whether the key was read for this token: then it is not read again.
   */
  async confirm(tenantId: string, keyId: string, isRead: boolean, peer?: string): Promise<void> {
    const name = keyName(tenantId, keyId);
    if (this.#sought.get(name) !== undefined) return;
    if (!isRead) await (this.#reading.get(name) ?? this.#start(tenantId, keyId, peer));
    if (this.#sought.get(name) === undefined) this.#sought.set(name, true);
  }

  /** Takes the entries that the feed brings. */
  take(entries: readonly SharedEntry[]): void {
    const { cached, onRevoked } = this.#options;
    for (const entry of entries) {
      this.#sought.delete(entry.key);
      const key = this.#parse(entry);
      if (key === undefined) continue;
      if (cached.has(key.tenantId, key.keyId)) cached.put(key);
      if (key.isRevoked) onRevoked?.(key);
    }
  }

  /** Forgets what was sought: the store is older than it was. */
  forget(): void {
    this.#setBacks++;
    this.#sought.clear();
  }

  #start(tenantId: string, keyId: string, peer: string | undefined): Promise<void> {
    if (!this.#mayRead(peer)) throw unavailable("too many unknown keys are sought");
    const name = keyName(tenantId, keyId);
    const reading = this.#read(tenantId, keyId).finally(() => this.#reading.delete(name));
    this.#reading.set(name, reading);
    return reading;
  }

  async #read(tenantId: string, keyId: string, isParent = false): Promise<void> {
    const { cached, feed, store } = this.#options;
    const name = keyName(tenantId, keyId);
    for (let tries = 0; tries < TRIES; tries++) {
      const setBacks = this.#setBacks;
      const page = await feed.ask(() => store.read({ kind: KEY_KIND, key: name }));
      // From here to the cache in one turn. What the feed has brought since the read is not in it.
      if (page.revision < feed.position(KEY_KIND) || setBacks !== this.#setBacks) continue;
      const [entry] = page.entries;
      const key = entry && this.#parse(entry);
      if (entry !== undefined && key === undefined) throw unavailable("a key is malformed");
      if (key?.parent !== undefined && isParent) throw unavailable("a key is malformed");
      if (key?.parent !== undefined && !cached.has(tenantId, key.parent)) {
        await this.#read(tenantId, key.parent, true);
        if (!cached.has(tenantId, key.parent)) throw unavailable("a key's parent is missing");
        continue;
      }
      if (key === undefined) this.#sought.set(name, false);
      else cached.put(key);
      return;
    }
    throw unavailable("keys change too fast");
  }

  #parse(entry: SharedEntry): KeyAtRevision | undefined {
    try {
      return { ...readSharedKey(entry), revision: entry.revision };
    } catch {
      const [tenantId = "", keyId = ""] = entry.key.split("/");
      this.#options.cached.drop(tenantId, keyId);
      return undefined;
    }
  }

  /** Counts in whole seconds: simple, and no more than twice as many in any second. */
  #mayRead(peer: string | undefined): boolean {
    const second = Math.floor(this.#options.clock.monotonic() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#reads = 0;
      this.#peers.clear();
    }
    const ofPeer = peer === undefined ? 0 : this.#peers.get(peer) ?? 0;
    if (this.#reads >= READS_PER_SECOND || ofPeer >= READS_PER_PEER) return false;
    this.#reads++;
    if (peer !== undefined) this.#peers.set(peer, ofPeer + 1);
    return true;
  }
}
