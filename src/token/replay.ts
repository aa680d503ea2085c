/**
 * Remembers which tokens were used, for as long as each could be used again.
 *
 * @module
 */

/** A memory of used tokens. */
export interface ReplayStore {
  /**
   * Marks a token as used.
   *
   * @param id What tells the token from all others.
   * @param until Unix seconds from which the token is dead anyway.
   * @param now Unix seconds.
   * @returns `false` when it was used before, or when no room is left to remember it.
   */
  claim(id: string, until: number, now: number): boolean;
}

/** Options of {@linkcode createReplayStore}. */
export interface ReplayStoreOptions {
  /** How many live tokens are remembered at the most; beyond, tokens are refused. Default: 65536. */
  readonly capacity?: number;
}

/** Makes a memory that holds one entry per used and still living token, and forgets each when it dies. */
export function createReplayStore(options: ReplayStoreOptions = {}): ReplayStore {
  const { capacity = 65_536 } = options;
  const used: Set<string> = new Set();
  const bySecond: Map<number, string[]> = new Map();
  let purgedAt: number | undefined;

  // Once in a second, also in one before the last: a clock that was ahead for a moment must not keep the dead for years.
  const purge = (now: number): void => {
    if (Math.floor(now) === purgedAt) return;
    purgedAt = Math.floor(now);
    for (const [second, ids] of bySecond) {
      if (second > now) continue;
      for (const id of ids) used.delete(id);
      bySecond.delete(second);
    }
  };

  return {
    claim(id, until, now) {
      purge(now);
      if (used.has(id) || used.size >= capacity) return false;
      used.add(id);
      const second = Math.ceil(until);
      const ids = bySecond.get(second);
      if (ids === undefined) bySecond.set(second, [id]);
      else ids.push(id);
      return true;
    },
  };
}
