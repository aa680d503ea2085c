/**
 * What every page is sent: the whole state first, then each change. Levels are read while a page is open.
 *
 * @module
 */

import { type Clock, systemClock } from "../base/signal.ts";
import { VERSION } from "../base/version.ts";
import type { Gateway, GatewayRecord, GatewaySnapshot } from "../gateway/mod.ts";
import { History } from "./history.ts";
import type { CallView, KeyView, Line, OverviewView, PanelState, TrunkView } from "./messages.ts";

/** What does not change while the panel is open. */
export type Facts = Pick<
  PanelState,
  "endpoint" | "certificateHashes" | "tenantId" | "trunkId" | "program"
>;

/** Options of a {@linkcode Feed}. */
export interface FeedOptions {
  readonly gateway: Pick<Gateway, "inspect" | "watch">;
  readonly facts: Facts;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

// The first line of a stream has so many live calls, the newest: what happens to others later brings them.
const MOST_LIVE_CALLS = 1_000;
// A registry of thousands of keys is not sent again for each session.
const OVERVIEW_MS = 500;

/** Follows the gateway for all pages. */
export class Feed {
  readonly #options: FeedOptions;
  readonly #history = new History();
  readonly #pages = new Set<(line: Line) => void>();
  readonly #gone = new AbortController();
  #levels: AbortController | undefined;
  #cancelOverview: (() => void) | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { gateway } = options;
    this.#history.begin(gateway.inspect().calls);
    void this.#follow(gateway.watch({ signal: this.#gone.signal }));
  }

  /** All that a page shows. */
  state(): PanelState {
    const { facts, gateway } = this.#options;
    const snapshot = gateway.inspect();
    const { numbers: [number = ""], tenantId, trunkId } = snapshot.phones;
    const { refusals } = this.#history;
    // Read each time: the certificate changes while the gateway runs.
    const { endpoint, certificateHashes, program } = facts;
    return {
      ...{ endpoint, certificateHashes, program, version: VERSION },
      ...{ tenantId: facts.tenantId, trunkId: facts.trunkId },
      phone: { number, tenantId, trunkId },
      ...overviewOf(snapshot),
      ...{ calls: newest(this.#history.calls), refusals },
    };
  }

  /** Sends a page the state, and then what changes. Returns what ends it. */
  open(send: (line: Line) => void): () => void {
    send({ type: "state", state: this.state() });
    this.#pages.add(send);
    if (this.#levels === undefined) {
      this.#levels = new AbortController();
      void this.#followLevels(this.#levels.signal);
    }
    return () => {
      this.#pages.delete(send);
      if (this.#pages.size > 0) return;
      this.#levels?.abort();
      this.#levels = undefined;
    };
  }

  /** Ends it. */
  close(): void {
    this.#gone.abort();
    this.#levels?.abort();
    this.#cancelOverview?.();
    this.#pages.clear();
  }

  async #follow(records: AsyncIterable<GatewayRecord>): Promise<void> {
    for await (const record of records) {
      const change = this.#history.take(record);
      if (change === undefined) continue;
      if (change.type !== "overview") this.#send(change);
      this.#overviewSoon();
    }
  }

  async #followLevels(signal: AbortSignal): Promise<void> {
    for await (const record of this.#options.gateway.watch({ signal, levels: true })) {
      if (record.type !== "levels") continue;
      const levels = record.calls.map(({ callSid, tenantId, levels, quality }) => ({
        ...{ callSid, tenantId, toFarEnd: levels.toFarEnd, toProgram: levels.fromFarEnd },
        ...{ lossPercent: quality.lossPercent, jitterMs: quality.jitterMs, mos: quality.mos },
      }));
      this.#send({ type: "levels", levels });
    }
  }

  #overviewSoon(): void {
    if (this.#cancelOverview !== undefined || this.#pages.size === 0) return;
    const { clock = systemClock, gateway } = this.#options;
    this.#cancelOverview = clock.schedule(OVERVIEW_MS, () => {
      this.#cancelOverview = undefined;
      this.#send({ type: "overview", overview: overviewOf(gateway.inspect()) });
    });
  }

  #send(line: Line): void {
    for (const send of this.#pages) send(line);
  }
}

/** Those that have ended, and the newest of those that live. */
function newest(calls: readonly CallView[]): readonly CallView[] {
  let left = calls.filter(({ state }) => state !== "ended").length;
  return calls.filter(({ state }) => state === "ended" || left-- <= MOST_LIVE_CALLS);
}

function overviewOf(snapshot: GatewaySnapshot): OverviewView {
  const { keys, trunks, tenants, stats: { sessions } } = snapshot;
  // A tenant whose key was published has no sessions before the first.
  const ids = new Set([...tenants, ...keys, ...trunks].map(({ tenantId }) => tenantId));
  const views = new Map([...ids].map((tenantId) => [tenantId, {
    ...{ tenantId, sessions: 0 },
    ...{ keys: [] as KeyView[], trunks: [] as TrunkView[] },
  }]));
  for (const { tenantId, sessions } of tenants) views.get(tenantId)!.sessions = sessions;
  for (const { tenantId, keyId, role, expiresAtMs, isRevoked } of keys) {
    views.get(tenantId)!.keys.push({ keyId, role, expiresAtMs, isRevoked });
  }
  for (const { tenantId, trunkId, channelLimit, liveCalls } of trunks) {
    views.get(tenantId)!.trunks.push({ trunkId, channelLimit, liveCalls });
  }
  const { phones, calls } = snapshot;
  return {
    liveCalls: calls.filter(({ tenantId }) => tenantId !== phones.tenantId).length,
    tenants: [...views.values()],
    sessions: {
      open: sessions.open,
      accepted: sessions.accepted,
      refused: Object.values(sessions.refused).reduce((sum, count) => sum + count, 0),
    },
    faults: snapshot.faults,
  };
}
