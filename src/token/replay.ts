/**
 * Remembers which tokens were used, for as long as each could be used again.
 *
 * @module
 */

import { checkNumber } from "../base/check.ts";
import type { ReplayStore } from "./policy.ts";
import { createStoreReplay, type StoreReplayOptions } from "./store_replay.ts";

/** The store that {@linkcode createReplayStore} makes: in memory, so it answers at once. */
export interface MemoryReplayStore extends ReplayStore {
  /** As {@linkcode ReplayStore.claim}, without a promise. */
  claim(id: string, untilMs: number, nowMs: number): boolean;
}

/** Options of {@linkcode createReplayStore}. */
export interface ReplayStoreOptions {
  /** How many live tokens are remembered at most; further ones are refused until one expires. Default: 65536. */
  readonly capacity?: number;
}

/**
 * Makes a memory that holds one entry per used and still living token, and forgets each when it expires.
 *
 * @throws `ERR_VALUE_INVALID` for a `capacity` that is not a whole number from 1.
 */
export function createReplayStore(options?: ReplayStoreOptions): MemoryReplayStore;
/**
 * Makes a memory on a store that several verifiers share: a token that one of them accepted is refused by all others. A claim that the store does
 * not answer rejects, so that `verifyToken` rejects with `ERR_UNAVAILABLE`.
 *
 * @throws `TypeError` when `store` is not one, `ERR_VALUE_INVALID` for a time out of range.
 */
export function createReplayStore(options: StoreReplayOptions): ReplayStore;
export function createReplayStore(
  options: ReplayStoreOptions | StoreReplayOptions = {},
): MemoryReplayStore | ReplayStore {
  if ("store" in options) return createStoreReplay(options);
  const { capacity = 65_536 } = options;
  checkNumber("create replay store", "capacity", capacity, {
    min: 1,
    integer: true,
    expected: "a whole number from 1",
  });
  const used: Set<string> = new Set();
  const bySecond: Map<number, string[]> = new Map();
  let purgedAt: number | undefined;

  // Once in a second, also in one before the last: a clock that was ahead for a moment must not keep dead entries for years.
  const purge = (nowMs: number): void => {
    const now = Math.floor(nowMs / 1000);
    if (now === purgedAt) return;
    purgedAt = now;
    for (const [second, ids] of bySecond) {
      if (second > now) continue;
      for (const id of ids) used.delete(id);
      bySecond.delete(second);
    }
  };

  return {
    claim(id, untilMs, nowMs) {
      purge(nowMs);
      if (used.has(id) || used.size >= capacity) return false;
      used.add(id);
      const second = Math.ceil(untilMs / 1000);
      const ids = bySecond.get(second);
      if (ids === undefined) bySecond.set(second, [id]);
      else ids.push(id);
      return true;
    },
  };
}
