/**
 * A shared store in the memory of one process: for tests, and for several gateways of one program.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { type Clock, systemClock } from "../base/signal.ts";
import type {
  SharedEntry,
  SharedPage,
  SharedQuery,
  SharedStore,
  SharedWrite,
} from "../base/store/shared_store.ts";

/** Options of {@linkcode createMemoryStore}. */
export interface MemoryStoreOptions {
  /** Whose time claims count. Default: the machine's clock. */
  readonly clock?: Clock;
}

interface Claim {
  readonly owner: string;
  /** On the monotonic clock. */
  readonly until: number;
}

// Claims whose time is over are dropped each time this many were added.
const PURGE_AFTER = 1_024;

/**
 * Makes a store in memory, which keeps every rule of the interface but one: it does not survive its process.
 *
 * @example Two gateways that share keys
 * ```ts
 * import { createGateway } from "@telequick/sdk/gateway";
 * import { createMemoryStore } from "@telequick/sdk/testing";
 *
 * const store = createMemoryStore();
 * await using first = createGateway({ cluster: { store, gatewayId: "first" } });
 * await using second = createGateway({ cluster: { store, gatewayId: "second" } });
 * ```
 */
export function createMemoryStore({ clock = systemClock }: MemoryStoreOptions = {}): SharedStore {
  const kinds = new Map<string, Map<string, SharedEntry>>();
  const claims = new Map<string, Claim>();
  const listeners = new Set<() => void>();
  // Nothing sets it back: another history is another store.
  const mark = crypto.randomUUID();
  let newest = 0;
  let added = 0;

  const entriesOf = (kind: string): Map<string, SharedEntry> => kinds.get(kind) ?? new Map();

  const commit = (writes: readonly SharedWrite[]): number | undefined => {
    for (const { kind, key, ifRevision } of writes) {
      const entry = entriesOf(kind).get(key);
      if (entry?.isFinal) return undefined;
      if (ifRevision !== undefined && (entry?.revision ?? 0) !== ifRevision) return undefined;
    }
    for (const { kind, key, value, isFinal = false } of writes) {
      const entries = entriesOf(kind);
      kinds.set(kind, entries);
      // Written last, it is last in the order of the map.
      entries.delete(key);
      entries.set(key, { key, value, revision: ++newest, isFinal });
    }
    for (const listener of [...listeners]) listener();
    return newest;
  };

  const read = (query: SharedQuery): SharedPage => {
    const { kind, after = 0, key, limit = 1_000 } = query;
    const history = { mark, isSetBack: query.mark !== undefined && query.mark !== mark };
    const entries = entriesOf(kind);
    if (key !== undefined) {
      const entry = entries.get(key);
      const isWanted = entry !== undefined && entry.revision > after;
      return { entries: isWanted ? [entry] : [], revision: newest, hasMore: false, ...history };
    }
    const found = after >= newest ? [] : [...entries.values()].filter((e) => e.revision > after);
    const page = found.slice(0, limit);
    const hasMore = found.length > page.length;
    const revision = hasMore ? page.at(-1)!.revision : newest;
    return { entries: page, revision, hasMore, ...history };
  };

  const claim = (kind: string, key: string, owner: string, ttlMs: number): string => {
    const now = clock.monotonic();
    const name = JSON.stringify([kind, key]);
    const held = claims.get(name);
    if (held !== undefined && now < held.until) return held.owner;
    claims.set(name, { owner, until: now + ttlMs });
    if (++added % PURGE_AFTER === 0) {
      for (const [name, { until }] of claims) if (now >= until) claims.delete(name);
    }
    return owner;
  };

  return {
    commit: (writes) => Promise.resolve().then(() => commit(writes)),
    read: (query) => Promise.resolve().then(() => read(query)),
    claim: (kind, key, owner, ttlMs) =>
      Promise.resolve().then(() => claim(kind, key, owner, ttlMs)),
    onHint(listener) {
      // An own function for each call, so that one listener can be added twice.
      const call = (): void => void Promise.resolve().then(listener).catch(ignore);
      listeners.add(call);
      return () => void listeners.delete(call);
    },
  };
}
