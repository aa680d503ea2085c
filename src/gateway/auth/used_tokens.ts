/**
 * Single-use tokens (those with a `jti`) that were used: one memory for every door at which a token is shown, kept across restarts where the
 * gateway keeps anything.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";
import type { ReplayStore } from "../../token/mod.ts";
import type { Limits } from "../limits.ts";
import type { StateChange, StoredUse } from "../storage/state.ts";

/** Options of {@linkcode UsedTokens}. */
export interface UsedTokensOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** Writes changes to disk; resolves when they are there. */
  readonly save: (changes: readonly StateChange[]) => Promise<void>;
  /** Takes a token among several gateways: then nothing is remembered here. Default: none. */
  readonly claim?: ((id: string, lifeMs: number) => Promise<boolean>) | undefined;
}

/** The used tokens of all tenants, each with room of its own, so that none can use up another's. */
export class UsedTokens {
  readonly #options: UsedTokensOptions;
  readonly #tenants = new Map<string, TenantTokens>();

  constructor(options: UsedTokensOptions) {
    this.#options = options;
  }

  /** A tenant's memory. Claims reject when they cannot be written. */
  of(tenantId: string): ReplayStore {
    const { claim, save } = this.#options;
    if (claim !== undefined) return { claim: (id, untilMs, nowMs) => claim(id, untilMs - nowMs) };
    return {
      claim: async (id, untilMs) => {
        const tokens = this.#tokensOf(tenantId);
        if (!tokens.add(id, untilMs)) return false;
        try {
          await save([{ used: { tenantId, id, untilMs } }]);
        } catch (error) {
          // Nothing was accepted: the token can be shown again.
          tokens.remove(id, untilMs);
          throw error;
        }
        return true;
      },
    };
  }

  /** Everything that is remembered, as it is kept. */
  stored(): StoredUse[] {
    return [...this.#tenants].flatMap(([tenantId, tokens]) =>
      tokens.list().map(({ id, untilMs }) => ({ tenantId, id, untilMs }))
    );
  }

  /** Puts back what was kept. */
  restore(used: readonly StoredUse[]): void {
    for (const { tenantId, id, untilMs } of used) this.#tokensOf(tenantId).add(id, untilMs);
  }

  #tokensOf(tenantId: string): TenantTokens {
    let tokens = this.#tenants.get(tenantId);
    if (tokens === undefined) {
      const { clock, limits } = this.#options;
      tokens = new TenantTokens(clock, limits.usedTokens);
      this.#tenants.set(tenantId, tokens);
    }
    return tokens;
  }
}

interface Second {
  readonly ids: Set<string>;
  /** When the last of them can be forgotten, on the monotonic clock. */
  forgetAt: number;
}

// The longest life of a token with a jti, the longest tolerance of a verifier, and how far the signer's clock can be ahead.
const LONGEST_LIFE_MS = 390_000;

/**
 * One tenant's used tokens. A token is forgotten when the wall clock says that it has expired, and the monotonic clock says that it has been
 * remembered for as long as such a token can live: a wall clock that is wrong for a moment must not make room for a second use.
 */
class TenantTokens {
  readonly #clock: Clock;
  readonly #capacity: number;
  readonly #used = new Set<string>();
  // By the second in which they expire.
  readonly #seconds = new Map<number, Second>();
  #purgedAt = NaN;

  constructor(clock: Clock, capacity: number) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  /** Returns `false` when it is there already, or there is no room. */
  add(id: string, untilMs: number): boolean {
    this.#purge();
    const at = Math.ceil(untilMs / 1_000);
    const second = this.#seconds.get(at) ?? { ids: new Set<string>(), forgetAt: 0 };
    if (this.#used.has(id) || this.#used.size >= this.#capacity) return false;
    this.#used.add(id);
    second.ids.add(id);
    const lifeMs = Math.max(LONGEST_LIFE_MS, untilMs - this.#clock.now());
    second.forgetAt = Math.max(second.forgetAt, this.#clock.monotonic() + lifeMs);
    this.#seconds.set(at, second);
    return true;
  }

  remove(id: string, untilMs: number): void {
    this.#used.delete(id);
    this.#seconds.get(Math.ceil(untilMs / 1_000))?.ids.delete(id);
  }

  list(): { readonly id: string; readonly untilMs: number }[] {
    return [...this.#seconds].flatMap(([at, { ids }]) =>
      [...ids].map((id) => ({ id, untilMs: at * 1_000 }))
    );
  }

  /** Once in a second, also in one before the last. */
  #purge(): void {
    const wall = this.#clock.now();
    const second = Math.floor(wall / 1_000);
    if (second === this.#purgedAt) return;
    this.#purgedAt = second;
    const monotonic = this.#clock.monotonic();
    for (const [at, { ids, forgetAt }] of this.#seconds) {
      if (wall < at * 1_000 || monotonic < forgetAt) continue;
      this.#seconds.delete(at);
      for (const id of ids) this.#used.delete(id);
    }
  }
}
