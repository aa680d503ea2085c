/**
 * Keys in the store: published and revoked by compare-and-set, looked up when a token asks for them.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type StoreFeed, unavailable } from "../../base/store/feed.ts";
import type { SharedEntry, SharedStore, SharedWrite } from "../../base/store/shared_store.ts";
import type { Clock } from "../../base/signal.ts";
import {
  formatSharedKey,
  KEY_KIND,
  type KeyAtRevision,
  keyName,
  readSharedKey,
  type SharedKey,
  type StoreKeys,
} from "../../token/shared.ts";
import { keyInUse, tooManyKeys, unknownKey } from "../auth/key_publication.ts";
import type { SharedKeyring } from "../auth/shared_keyring.ts";
import type { StateChange, StoredKey } from "../storage/state.ts";

/** Options of a {@linkcode ClusterKeyring}. */
export interface ClusterKeyringOptions {
  readonly store: SharedStore;
  readonly feed: StoreFeed;
  readonly keys: StoreKeys;
  readonly clock: Clock;
  readonly admitStaleMs: number;
  readonly keysPerTenant: number;
}

/** Whose key a thumbprint is: a key is registered once, for one tenant. */
const THUMBPRINT_KIND = "thumbprint";
/** How many keys a tenant has that are not revoked. */
const TENANT_KIND = "tenant";
/** Whether the one-shot secret of `BootstrapOrg` is used up. */
const BOOTSTRAP = { kind: "bootstrap", key: "secret" } as const;
// Changes of one tenant's keys that meet: each of them makes the others try once more.
const TRIES = 20;

/** The keys of several gateways, in a store. */
export class ClusterKeyring implements SharedKeyring {
  readonly #options: ClusterKeyringOptions;

  constructor(options: ClusterKeyringOptions) {
    this.#options = options;
  }

  get doubt(): string | undefined {
    const { feed, admitStaleMs } = this.#options;
    return feed.ageMs < admitStaleMs ? undefined : "The shared store does not answer";
  }

  check(): void {
    if (this.doubt !== undefined) throw unavailable("the keys are too old");
  }

  find(tenantId: string, keyId: string, peer: string | undefined): Promise<void> {
    return this.#options.keys.find(tenantId, keyId, peer);
  }

  confirm(
    tenantId: string,
    keyId: string,
    isRead: boolean,
    peer: string | undefined,
  ): Promise<void> {
    return this.#options.keys.confirm(tenantId, keyId, isRead, peer);
  }

  /** Whether the one-shot secret is used up. */
  async isBootstrapped(): Promise<boolean> {
    return await this.#entry(BOOTSTRAP.kind, BOOTSTRAP.key) !== undefined;
  }

  publish(key: StoredKey, also: readonly StateChange[]): Promise<KeyAtRevision> {
    const isBootstrap = also.some((change) => "isBootstrapped" in change);
    return this.#repeat(async () => {
      const entry = await this.#entry(KEY_KIND, keyName(key.tenantId, key.keyId));
      if (entry !== undefined && !isBootstrap) return await this.#republish(entry, key);
      const tenant = await this.#entry(TENANT_KIND, key.tenantId);
      if (isBootstrap && (entry !== undefined || tenant !== undefined)) {
        throw refused("tenant_id already exists");
      }
      if (isBootstrap && await this.isBootstrapped()) throw refused("bootstrap secret invalid");
      if (await this.#entry(THUMBPRINT_KIND, key.thumbprint) !== undefined) throw keyInUse();
      const count = countOf(tenant);
      if (count >= this.#options.keysPerTenant) throw tooManyKeys(this.#options.keysPerTenant);
      return await this.#commit(key, undefined, [
        thumbprintOf(key),
        tenantWrite(key.tenantId, tenant, count + 1),
        ...(isBootstrap ? [{ ...BOOTSTRAP, value: "used", ifRevision: 0, isFinal: true }] : []),
      ]);
    });
  }

  publishIssuer(key: SharedKey): Promise<KeyAtRevision> {
    return this.#repeat(() => this.#commit(key, undefined, [thumbprintOf(key)]));
  }

  revoke(tenantId: string, keyId: string): Promise<KeyAtRevision> {
    return this.#repeat(async () => {
      const [entry, tenant] = await Promise.all([
        this.#entry(KEY_KIND, keyName(tenantId, keyId)),
        this.#entry(TENANT_KIND, tenantId),
      ]);
      if (entry === undefined) throw unknownKey();
      const key = readSharedKey(entry);
      if (key.isRevoked) return { ...key, revision: entry.revision };
      const revokedAtMs = Math.floor(this.#options.clock.now());
      const isCounted = key.parent === undefined && tenant !== undefined;
      return await this.#commit(
        { ...key, isRevoked: true, revokedAtMs },
        entry,
        isCounted ? [tenantWrite(tenantId, tenant, countOf(tenant) - 1)] : [],
      );
    });
  }

  async #republish(entry: SharedEntry, key: StoredKey): Promise<KeyAtRevision | undefined> {
    const known = readSharedKey(entry);
    const isSame = known.thumbprint === key.thumbprint && known.parent === undefined;
    if (!isSame || known.isRevoked) throw keyInUse();
    const { role, expiresAtMs } = key;
    if (known.role === role && known.expiresAtMs === expiresAtMs) {
      return { ...known, revision: entry.revision };
    }
    return await this.#commit({ ...known, role, expiresAtMs }, entry, []);
  }

  /** Writes a key in place of its entry, with other entries; `undefined` when one of them has changed meanwhile. */
  async #commit(
    key: SharedKey,
    before: SharedEntry | undefined,
    others: readonly SharedWrite[],
  ): Promise<KeyAtRevision | undefined> {
    const { feed, store } = this.#options;
    const write: SharedWrite = {
      kind: KEY_KIND,
      key: keyName(key.tenantId, key.keyId),
      value: formatSharedKey(key),
      ifRevision: before?.revision ?? 0,
      // Nothing is ever un-revoked.
      isFinal: key.isRevoked,
    };
    // Last, so that the revision is its own.
    const revision = await feed.ask(() => store.commit([...others, write]));
    return revision === undefined ? undefined : { ...key, revision };
  }

  async #entry(kind: string, key: string): Promise<SharedEntry | undefined> {
    const { feed, store } = this.#options;
    const { entries } = await feed.ask(() => store.read({ kind, key }));
    return entries[0];
  }

  async #repeat(work: () => Promise<KeyAtRevision | undefined>): Promise<KeyAtRevision> {
    for (let tries = 0; tries < TRIES; tries++) {
      const key = await work();
      if (key !== undefined) return key;
    }
    throw unavailable("the tenant's keys change too fast");
  }
}

function thumbprintOf({ thumbprint, tenantId, keyId }: SharedKey): SharedWrite {
  const value = keyName(tenantId, keyId);
  return { kind: THUMBPRINT_KIND, key: thumbprint, value, ifRevision: 0, isFinal: true };
}

function tenantWrite(
  tenantId: string,
  before: SharedEntry | undefined,
  keys: number,
): SharedWrite {
  const value = JSON.stringify({ keys: Math.max(0, keys) });
  return { kind: TENANT_KIND, key: tenantId, value, ifRevision: before?.revision ?? 0 };
}

function countOf(tenant: SharedEntry | undefined): number {
  return tenant === undefined ? 0 : Number(JSON.parse(tenant.value).keys) || 0;
}

function refused(message: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", message);
}
