/**
 * The public keys of a service that verifies tokens, from the store that gateways share.
 *
 * @module
 */

import { checkNumber, kindOf } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { report } from "../base/handled.ts";
import { Recent } from "../base/recent.ts";
import { type Clock, systemClock } from "../base/signal.ts";
import { StoreFeed, unavailable } from "../base/store/feed.ts";
import type { SharedStore } from "../base/store/shared_store.ts";
import { importModulus } from "../credentials/mod.ts";
import type { KeyRecord, KeySet, ResolveKey } from "./policy.ts";
import { KEY_KIND, keyName } from "./shared_key.ts";
import { type KeyAtRevision, StoreKeys } from "./store_keys.ts";

/** Options of {@linkcode createKeySet} with a store. */
export interface StoreKeySetOptions {
  /** The store in which gateways keep their keys. */
  readonly store: SharedStore;
  /**
   * How old the keys can be when a token is accepted or refused by them, in milliseconds, while the store does not answer. Default: 60000.
   */
  readonly admitStaleMs?: number;
  /** How old the keys can be before live sessions should end, in milliseconds. Default: 300000. */
  readonly sessionStaleMs?: number;
  /** Time between two reads of what has changed, in milliseconds. Default: 250. */
  readonly pullMs?: number;
  /** How long a read can take, in milliseconds. Default: 2000. */
  readonly timeoutMs?: number;
  /**
   * For how long after the last use changes are read, in milliseconds; the set then rests, without a timer, until the next use. It does not
   * rest while something waits for revocations. Default: 10000.
   */
  readonly idleMs?: number;
  /**
   * Called with the error of a read that failed, once for all that follow each other; when the store was restored from a backup; and with what
   * a listener throws. Default: none.
   */
  readonly onError?: (error: unknown) => void;
  /** The source of time. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A key that was revoked. */
export interface RevokedKey {
  /** The tenant that owned it. */
  readonly tenantId: string;
  /** Its id, the `kid` of tokens. */
  readonly keyId: string;
}

/** Keys for `verifyToken`, from a shared store. */
export interface StoreKeySet extends KeySet {
  /** The time since the start of the last read that succeeded, in milliseconds; `Infinity` before the first. */
  readonly ageMs: number;
  /**
   * What the age of the keys allows: `"all"`; no new sessions (`"live sessions"`), from `admitStaleMs` on; nothing (`"none"`), from `sessionStaleMs` on:
   * a service with live sessions ends them. It is current only while the set is in use.
   */
  readonly trust: "all" | "live sessions" | "none";
  /** Calls `listener` for each key that is revoked, also for keys that were never used here. Returns what stops it. */
  onRevoked(listener: (key: RevokedKey) => void): () => void;
  /** Stops reading: no timer is left, and every further token is neither accepted nor refused. */
  close(): void;
}

interface Cached {
  facts: KeyAtRevision;
  /** Imported when it is first needed. */
  imported: Promise<CryptoKey> | undefined;
}

// At 5 KB each.
const CAPACITY = 10_000;

/** Makes a key set on a store. */
export function createStoreKeySet(options: StoreKeySetOptions): StoreKeySet {
  const action = "create key set";
  const { store, clock = systemClock, onError } = options;
  if (typeof store?.read !== "function") {
    throw new TypeError(`Cannot ${action}: store is ${kindOf(store)}, expected a shared store`);
  }
  const { admitStaleMs = 60_000, sessionStaleMs = 300_000, pullMs = 250 } = options;
  const { timeoutMs = 2_000, idleMs = 10_000 } = options;
  const times = { admitStaleMs, sessionStaleMs, pullMs, timeoutMs, idleMs };
  for (const [name, value] of Object.entries(times)) {
    checkNumber(action, name, value, { min: 1, expected: "a number of milliseconds, 1 or more" });
  }

  const cache = new Recent<Cached>(CAPACITY);
  const listeners = new Set<(key: RevokedKey) => unknown>();
  let usedAt = -Infinity;
  let isClosed = false;
  let starting: Promise<unknown> | undefined;

  const reportError = (error: unknown): void => report(() => onError?.(error));
  const reportRevoked = (key: RevokedKey): void => {
    for (const listener of [...listeners]) report(() => listener(key), reportError);
  };
  const feed = new StoreFeed({
    ...{ store, clock, pullMs, timeoutMs },
    kinds: { [KEY_KIND]: "changes" },
    onEntries: (_kind, entries) => keys.take(entries),
    onSetBack(_kind, isCertain) {
      keys.forget();
      cache.clear();
      if (!isCertain) return;
      reportError(
        new TeleQuickError(
          "ERR_UNAVAILABLE",
          "Cannot rely on the keys that were read: the shared store does not have the history that was read, as after a restored backup (revoke again what was revoked since the backup)",
        ),
      );
    },
    onReachable: (failure) => failure !== undefined && reportError(failure),
    onTick: () => {
      if (listeners.size === 0 && clock.monotonic() - usedAt >= idleMs) feed.stop();
    },
  });
  const keys = new StoreKeys({
    ...{ store, clock, feed },
    cached: {
      has: (tenantId, keyId) => cache.get(keyName(tenantId, keyId)) !== undefined,
      put(facts) {
        const name = keyName(facts.tenantId, facts.keyId);
        const before = cache.peek(name);
        if (before === undefined) cache.set(name, { facts, imported: undefined });
        else if (facts.revision > before.facts.revision) before.facts = facts;
      },
      drop: (tenantId, keyId) => cache.delete(keyName(tenantId, keyId)),
    },
    onRevoked(key) {
      const { tenantId, keyId } = key;
      reportRevoked({ tenantId, keyId });
      // Sessions know the key that signed their token, which ends with its parent.
      for (const { facts } of [...cache.values()]) {
        if (facts.tenantId === tenantId && facts.parent === keyId) {
          reportRevoked({ tenantId, keyId: facts.keyId });
        }
      }
    },
  });

  /** Makes sure that changes are read, and that none is missing: while the set rests it misses some. */
  const wake = async (): Promise<void> => {
    usedAt = clock.monotonic();
    if (isClosed) throw unavailable("the key set is closed");
    if (!feed.isRunning) starting = feed.start().finally(() => starting = undefined);
    if (starting !== undefined) await starting;
    if (feed.ageMs >= admitStaleMs) throw unavailable("the keys are too old");
  };

  const isOver = ({ tenantId, isRevoked, parent }: KeyAtRevision): boolean => {
    if (isRevoked || parent === undefined) return isRevoked;
    const { facts } = cache.get(keyName(tenantId, parent)) ?? {};
    // A parent that is not cached any more: neither good nor revoked.
    if (facts === undefined) throw unavailable("a key's parent was dropped");
    return facts.isRevoked || (facts.expiresAtMs !== 0 && clock.now() >= facts.expiresAtMs);
  };

  const resolveKey: ResolveKey = async (keyId, { tenantId }) => {
    await wake();
    const name = keyName(tenantId, keyId);
    const isRead = cache.get(name) === undefined;
    if (isRead) await keys.find(tenantId, keyId);
    const found = cache.get(name);
    if (found === undefined) return undefined;
    found.imported ??= importModulus(found.facts.publicKey);
    const key = await found.imported.catch((cause) => {
      found.imported = undefined;
      throw unavailable("a key cannot be imported", cause);
    });
    const { role, expiresAtMs } = found.facts;
    const record: KeyRecord = {
      ...{ tenantId, key, role, expiresAtMs, revoked: isOver(found.facts) },
      confirm: () => keys.confirm(tenantId, keyId, isRead),
    };
    return record;
  };

  return {
    resolveKey,
    async refresh() {
      await wake();
      if (!await feed.pull()) throw unavailable("the keys could not be read");
    },
    get ageMs() {
      return feed.ageMs;
    },
    get trust() {
      if (feed.ageMs < admitStaleMs) return "all";
      return feed.ageMs < sessionStaleMs ? "live sessions" : "none";
    },
    onRevoked(listener) {
      // A function of its own for each call, so that one listener can be added twice.
      const call = (key: RevokedKey): unknown => listener(key);
      listeners.add(call);
      if (!isClosed && !feed.isRunning) {
        starting = feed.start().finally(() => starting = undefined);
      }
      return () => void listeners.delete(call);
    },
    close() {
      isClosed = true;
      feed.stop();
    },
  };
}
