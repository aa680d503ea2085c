/**
 * One gateway among several: it follows the store, admits by what it knows for as long as that is young enough, and claims what must happen once.
 *
 * @module
 */

import type { Clock } from "../../base/signal.ts";
import { StoreFeed } from "../../base/store/feed.ts";
import type { SharedEntry, SharedStore, SharedWrite } from "../../base/store/shared_store.ts";
import { claimToken, KEY_KIND, StoreKeys } from "../../token/shared.ts";
import type { KeyRegistry } from "../auth/key_registry.ts";
import type { Limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { StateChange } from "../storage/state.ts";
import type { Tenants } from "../tenant/tenants.ts";
import { readTrunk } from "../tenant/trunk.ts";
import { ClusterKeyring } from "./keyring.ts";
import { type ClusterOptions, readClusterOptions } from "./options.ts";
import { GATEWAY_KIND, Presence } from "./presence.ts";

/** What a cluster is given of its gateway. */
export interface ClusterParts {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly log: Log;
  readonly registry: () => KeyRegistry;
  readonly tenants: () => Tenants;
  /** Ends all sessions: for too long it has not been known which keys are revoked. */
  readonly endSessions: () => void;
}

const TRUNK_KIND = "trunk";
// A call_sid that another gateway has dialled, or an incoming call that it has answered, is remembered for a day.
const CALL_MS = 24 * 3_600_000;

/** A gateway's part in a group. */
export class Cluster {
  /** The keys that the gateways share. */
  readonly keyring: ClusterKeyring;
  readonly #options: Required<ClusterOptions>;
  readonly #parts: ClusterParts;
  readonly #feed: StoreFeed;
  readonly #keys: StoreKeys;
  readonly #presence: Presence;
  /** Names this process in claims: what was claimed before a restart is not its own. */
  readonly #owner: string;

  constructor(options: ClusterOptions, parts: ClusterParts) {
    this.#options = readClusterOptions(options);
    this.#parts = parts;
    const { store, gatewayId, admitStaleMs, sessionStaleMs, pullMs, timeoutMs } = this.#options;
    const { clock, limits, log } = parts;
    this.#owner = `${gatewayId} ${crypto.randomUUID()}`;
    const feed: StoreFeed = new StoreFeed({
      ...{ store, clock, pullMs, timeoutMs },
      // Keys are read when they are used; there can be millions.
      kinds: { [KEY_KIND]: "changes", [TRUNK_KIND]: "all", [GATEWAY_KIND]: "all" },
      onEntries: (kind, entries) => this.#take(kind, entries),
      onSetBack: (kind, isCertain) => {
        if (kind === KEY_KIND) this.#forget(isCertain);
      },
      onReachable: (failure) => {
        if (failure !== undefined) return log("store.lost", { reason: reasonOf(failure) });
        log("store.reached");
        this.#presence.beat();
      },
      onTick: () => this.#tick(),
    });
    this.#feed = feed;
    this.#keys = new StoreKeys({
      ...{ store, feed, clock },
      cached: {
        has: (tenantId, keyId) => parts.registry().has(tenantId, keyId),
        put: (key) => parts.registry().put(key),
        drop: (tenantId, keyId) => parts.registry().drop(tenantId, keyId),
      },
      onRevoked: ({ revision }) => this.#presence.confirm(revision),
    });
    this.keyring = new ClusterKeyring({
      ...{ store, feed, clock, admitStaleMs },
      keys: this.#keys,
      keysPerTenant: limits.keysPerTenant,
    });
    this.#presence = new Presence({
      ...{ gatewayId, clock, sessionStaleMs },
      commit: (writes) => this.#commit(writes),
      position: () => feed.position(KEY_KIND),
      onTaken: () =>
        log("store.id-taken", {
          reason: `Another gateway has the id ${gatewayId}: use another one`,
        }),
    });
  }

  /** Whether sessions are admitted. */
  get isReady(): boolean {
    return this.keyring.doubt === undefined;
  }

  /** Starts to follow the store. Resolves when it has answered once or has failed to; never rejects. */
  async start(): Promise<void> {
    await this.#feed.start();
  }

  /** Stops following it. */
  async close(): Promise<void> {
    await this.#presence.close();
    this.#feed.stop();
  }

  /** The gateways that have not confirmed a revision in time. */
  unconfirmed(revision: number): Promise<readonly string[]> {
    return this.#presence.unconfirmed(revision, this.#options.confirmMs);
  }

  /** Takes a single-use token. Returns `false` when any gateway has taken it. */
  claimToken(id: string, lifeMs: number): Promise<boolean> {
    return claimToken((...asked) => this.#claim(...asked), id, lifeMs);
  }

  /** Takes a call id for dialling. Returns `false` when another gateway has dialled it. */
  async claimCall(tenantId: string, callSid: string): Promise<boolean> {
    return await this.#claim("call", `${tenantId}/${callSid}`, this.#owner, CALL_MS) ===
      this.#owner;
  }

  /** Takes an incoming call for answering. Returns `false` when another gateway has answered it. */
  async claimAnswer(tenantId: string, callSid: string): Promise<boolean> {
    return await this.#claim("answer", `${tenantId}/${callSid}`, this.#owner, CALL_MS) ===
      this.#owner;
  }

  /** Writes changes of trunks; everything else is written by the keyring, or claimed. */
  async save(changes: readonly StateChange[]): Promise<void> {
    const writes: SharedWrite[] = [];
    for (const change of changes) {
      if ("trunk" in change) {
        const { tenantId, trunk } = change.trunk;
        const key = `${tenantId}/${trunk.trunkId}`;
        writes.push({ kind: TRUNK_KIND, key, value: JSON.stringify(trunk) });
      } else if ("removedTrunk" in change) {
        const { tenantId, trunkId } = change.removedTrunk;
        writes.push({ kind: TRUNK_KIND, key: `${tenantId}/${trunkId}`, value: "null" });
      }
    }
    if (writes.length > 0) await this.#commit(writes);
  }

  #commit(writes: readonly SharedWrite[]): Promise<number | undefined> {
    return this.#feed.ask(() => this.#options.store.commit(writes));
  }

  #claim(...asked: Parameters<SharedStore["claim"]>): Promise<string> {
    return this.#feed.ask(() => this.#options.store.claim(...asked));
  }

  #take(kind: string, entries: readonly SharedEntry[]): void {
    if (kind === KEY_KIND) this.#keys.take(entries);
    else if (kind === TRUNK_KIND) entries.forEach((entry) => this.#takeTrunk(entry));
    else this.#presence.take(entries);
  }

  /** What is known of revisions is void. */
  #forget(isSetBack: boolean): void {
    if (isSetBack) {
      this.#parts.log("store.set-back", {
        reason:
          "The store does not have the history that was read, as after a restored backup: revoke again what was revoked since the backup, then restart all gateways",
      });
    }
    this.#keys.forget();
    this.#parts.registry().forgetRevisions();
    this.#presence.forget();
  }

  #takeTrunk({ key, value }: SharedEntry): void {
    const { log, tenants } = this.#parts;
    const [tenantId = "", trunkId = ""] = key.split("/");
    try {
      const trunk = JSON.parse(value);
      const record = trunk === null ? undefined : readTrunk({ ...trunk, tenantId, trunkId });
      tenants().byOwner(tenantId).takeTrunk(trunkId, record);
    } catch (error) {
      log("store.malformed", { tenantId, reason: reasonOf(error) });
    }
  }

  #tick(): void {
    if (this.#feed.ageMs >= this.#options.sessionStaleMs) this.#parts.endSessions();
    if (this.#feed.isReachable) this.#presence.beat();
  }
}

function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
