/**
 * The local gateway: a faithful, single-process stand-in for the product's own, for development and tests.
 *
 * @module
 */

import { checkNumber } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { messageOf } from "../base/text/message.ts";
import { LateAbortController, systemClock } from "../base/signal.ts";
import {
  createPairTransport,
  type IncomingSession,
  type WebTransportConstructor,
  type WebTransportLike,
} from "../transport/mod.ts";
import { Cluster } from "./cluster/cluster.ts";
import { Archive } from "./storage/archive.ts";
import type { StateChange, StoredState } from "./storage/state.ts";
import { BootstrapSecret } from "./auth/bootstrap_secret.ts";
import { callIn, type InboundCall, type SimulateInboundCallOptions } from "./simulated_inbound.ts";
import { Connection } from "./session/connection.ts";
import { endings } from "./session/endings.ts";
import { ExpiryWatch } from "./auth/expiry.ts";
import { FairQueue } from "./fair_queue.ts";
import { fetchPolicy } from "./fetch_policy.ts";
import type { GatewayContext } from "./context.ts";
import { Issuers } from "./auth/issuer.ts";
import { resolveLimits } from "./limits.ts";
import { type GatewayListener, type GatewayListenOptions, startListener } from "./listener.ts";
import { PendingSessions } from "./session/pending_sessions.ts";
import { Counters, createLog, type GatewayStats } from "./log.ts";
import type { Gateway, GatewayOptions, RevokeResult } from "./options.ts";
import { type Faults, FaultTable, type FaultTarget } from "./call/faults/faults.ts";
import { inspectGateway } from "./inspect.ts";
import type { GatewaySnapshot, GatewayWatch, WatchOptions } from "./observe/records.ts";
import { Watchers } from "./observe/watchers.ts";
import { type GatewayPhones, Phones } from "./phones/phones.ts";
import { recordInto } from "./storage/recorder.ts";
import { readRules, refuseEmpty, refuseTwoStores } from "./check_options.ts";
import {
  KeyRegistry,
  type PublishServiceAccountOptions,
  type RevokeServiceAccountOptions,
} from "./auth/key_registry.ts";
import { directoryStorage } from "./storage/directory.ts";
import { UsedTokens } from "./auth/used_tokens.ts";
import { Tenants } from "./tenant/tenants.ts";
import { type AddTrunkOptions, readTrunk } from "./tenant/trunk.ts";

// Far beyond this many, opening a session takes longer and more memory.
const MAX_STREAMS = 10_000;

/**
 * Makes a gateway.
 *
 * @param options Clock, limits, where to keep state, and how strict to be.
 * @throws {TypeError} for an option of the wrong type; `ERR_VALUE_INVALID` for an unknown limit.
 *
 * @example A gateway in memory, and a client on it
 * ```ts
 * import { generateServiceAccount, TeleQuickClient } from "@telequick/sdk";
 * import { createGateway } from "@telequick/sdk/gateway";
 *
 * await using gateway = createGateway();
 * const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
 * const { tenantId, privateKeyId } = account;
 * await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
 * await gateway.addTrunk({ tenantId, trunkId: "main" });
 *
 * const { webTransport } = gateway;
 * await using client = new TeleQuickClient("https://gateway.test", account, false, { webTransport });
 * const call = await client.dial({ trunkId: "main", to: "+15550100" });
 * ```
 */
export function createGateway(options: GatewayOptions = {}): Gateway {
  return new LocalGateway(options);
}

class LocalGateway implements Gateway {
  readonly ready: Promise<void>;
  readonly webTransport: WebTransportConstructor;
  readonly #options: GatewayOptions;
  readonly #gone = new LateAbortController();
  readonly #gateway: GatewayContext;
  readonly #pending: PendingSessions;
  readonly #archive: Archive;
  readonly #phones: Phones;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #listeners = new Set<GatewayListener>();
  #number = 0;
  #isReady = false;
  #closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    refuseEmpty(options);
    refuseTwoStores(options);
    this.#options = options;
    const { clock = systemClock, storage, directory } = options;
    const limits = resolveLimits(options.limits);
    let seed = options.seed;
    this.#archive = new Archive({
      storage: storage ?? (directory === undefined ? undefined : directoryStorage(directory)),
      snapshot: () => ({
        keys: registry.stored(),
        trunks: tenants.stored(),
        used: usedTokens.stored(),
        isBootstrapped: bootstrap.isUsed,
      }),
      onFailed: (error) => log("gateway.storage-failed", { reason: messageOf(error) }),
    });
    const save = (changes: readonly StateChange[]) =>
      cluster?.save(changes) ?? this.#archive.save(changes);
    const phones = new Phones({
      numbers: options.phones ?? [],
      tenantId: options.phoneTenant ?? "phone",
      gateway: () => this.#gateway,
    });
    this.#phones = phones;
    const watchers: Watchers = new Watchers({ clock, calls: () => tenants.calls() });
    const faults: FaultTable = new FaultTable((callSid, id) =>
      tenants.callsOf(callSid, id).length > 0
    );
    const log = createLog(options.log, () => clock.now(), watchers);
    const tools = {
      ...{ clock, limits, log, rules: readRules(options), counters: new Counters() },
      ...{ watchers, faults, phones },
      turns: new FairQueue({ perTurn: limits.streamsPerTurn }),
      slices: new FairQueue({ perTurn: 1 }),
      // Drawn when it is first needed: where a Worker's module is loaded, randomness is not allowed.
      seed: () => seed ??= crypto.getRandomValues(new Uint32Array(1))[0]!,
      farEnd: options.farEnd,
      record: recordInto(options.recordings, clock, log),
    };
    const cluster = options.cluster && new Cluster(options.cluster, {
      ...{ clock, limits, log },
      registry: () => registry,
      tenants: () => tenants,
      endSessions: () => {
        for (const connection of [...this.#connections.keys()]) connection.end(endings.stale);
      },
    });
    const registry: KeyRegistry = new KeyRegistry({
      ...{ limits, clock, save },
      shared: cluster?.keyring,
    });
    const claim = cluster && ((id: string, lifeMs: number) => cluster.claimToken(id, lifeMs));
    const usedTokens = new UsedTokens({ limits, clock, save, claim });
    const tenants: Tenants = new Tenants(tools);
    const bootstrap = new BootstrapSecret(options.bootstrapSecret, clock);
    this.#pending = new PendingSessions(limits);
    this.#gateway = {
      ...{ ...tools, registry, tenants, bootstrap, usedTokens, cluster, save },
      issuers: new Issuers({
        ...{ clock, registry, origins: options.tenantOrigins ?? {} },
        isShared: cluster !== undefined,
      }),
      expiry: new ExpiryWatch(clock),
      sessions: new Set(),
      policy: fetchPolicy(options.allowFetch ?? []),
      mediaAddress: () => this.#mediaAddress(),
    };
    this.ready = this.#load();
    this.ready.catch(() => {});
    this.webTransport = createPairTransport((incoming) => void this.serve(incoming));
  }

  async publishServiceAccount(options: PublishServiceAccountOptions): Promise<void> {
    await this.ready;
    await this.#gateway.registry.publish(options);
    const { tenantId, privateKeyId: keyId } = options;
    this.#gateway.log("key.published", { tenantId, keyId });
  }

  get isReady(): boolean {
    const { cluster } = this.#gateway;
    return this.#isReady && this.#closing === undefined && cluster?.isReady !== false;
  }

  async revokeServiceAccount(options: RevokeServiceAccountOptions): Promise<RevokeResult> {
    // Without a turn in between when it can be: what is revoked is revoked when the call returns.
    if (!this.#isReady) await this.ready;
    const { cluster, log, registry } = this.#gateway;
    const revision = await registry.revoke(options);
    const { tenantId, privateKeyId: keyId } = options;
    log("key.revoked", { tenantId, keyId });
    const unconfirmed = await cluster?.unconfirmed(revision) ?? [];
    if (unconfirmed.length > 0) {
      log("key.unconfirmed", { tenantId, keyId, reason: unconfirmed.join(", ") });
    }
    return { unconfirmed };
  }

  get phones(): GatewayPhones {
    return this.#phones;
  }

  expireSessions({ tenantId }: { readonly tenantId: string }): void {
    for (const connection of [...this.#connections.keys()]) {
      if (connection.tenantId === tenantId) connection.expire();
    }
  }

  async addTrunk(options: AddTrunkOptions): Promise<void> {
    await this.ready;
    const record = readTrunk(options);
    const { tenants, save, log } = this.#gateway;
    const { tenantId } = options;
    await tenants.byOwner(tenantId).trunks.change(record.trunkId, record, save);
    log("trunk.added", { tenantId, reason: `trunk ${record.trunkId}` });
  }

  async simulateInboundCall(options: SimulateInboundCallOptions): Promise<InboundCall> {
    await this.ready;
    this.#refuseClosed("simulate inbound call");
    return callIn(options, this.#gateway, this.#phones, {
      policy: this.#gateway.policy,
      secret: this.#options.webhookSecret,
      signal: this.#gone.signal,
    });
  }

  async serve(session: WebTransportLike | IncomingSession): Promise<void> {
    const incoming = "session" in session ? session : { session };
    try {
      await this.ready;
    } catch {
      return closeUnheard(incoming, 503, "the gateway could not load its state");
    }
    if (this.#closing !== undefined) return closeUnheard(incoming, 503, "the gateway is closed");
    if (!/^\/(\?|$)/.test(incoming.path ?? "/")) return closeUnheard(incoming, 404, "not found");
    const number = ++this.#number;
    const connection = new Connection(incoming, this.#gateway, this.#pending, number);
    const served = connection.run()
      .catch((error) => {
        this.#gateway.log("session.failed", { session: number, reason: messageOf(error) });
        closeUnheard(incoming, 500, "the gateway failed");
      })
      .finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, served);
    await served;
  }

  async listen(options: GatewayListenOptions = {}): Promise<GatewayListener> {
    await this.ready;
    this.#refuseClosed("listen");
    const listener = await startListener({
      ...options,
      clock: this.#gateway.clock,
      maxStreams: Math.min(this.#gateway.limits.streams, MAX_STREAMS),
      serve: (incoming) => void this.serve(incoming),
      onLost: (endpoint, error) => {
        const reason = `${endpoint}: ${messageOf(error)}`;
        this.#gateway.log("gateway.port-lost", { reason });
      },
      onClosed: () => this.#listeners.delete(listener),
    });
    this.#listeners.add(listener);
    this.#gateway.log("gateway.listening", { reason: listener.endpoint });
    return listener;
  }

  stats(): GatewayStats {
    const { counters, sessions, tenants } = this.#gateway;
    return counters.snapshot({
      pending: this.#pending.size,
      open: sessions.size,
      liveCalls: tenants.liveCalls,
    });
  }

  inspect(): GatewaySnapshot {
    return inspectGateway(this.#gateway, {
      sessions: this.#connections.keys(),
      phones: this.#phones.snapshot,
      stats: this.stats(),
    });
  }

  watch(options?: WatchOptions): GatewayWatch {
    return this.#gateway.watchers.watch(options);
  }

  setFaults(faults: Faults | undefined, at: FaultTarget = {}): void {
    const { faults: table, log } = this.#gateway;
    table.set(faults, at);
    const { callSid, tenantId, trunkId } = at;
    log("faults.set", {
      ...(tenantId !== undefined && { tenantId }),
      ...(callSid !== undefined && { callSid }),
      reason: JSON.stringify({ ...(trunkId !== undefined && { trunkId }), ...faults }),
    });
    for (const connection of [...this.#connections.keys()]) {
      const { tenantId } = connection;
      if (tenantId !== undefined && table.of({ tenantId })?.dropSessions === true) {
        connection.drop();
      }
    }
  }

  endCall(callSid: string, q850Cause = 16, tenantId?: string): void {
    const expected = "a cause of Q.850 from 1 to 127";
    checkNumber("end call", "q850Cause", q850Cause, { min: 1, max: 127, integer: true, expected });
    const calls = this.#gateway.tenants.callsOf(callSid, tenantId);
    if (calls.length === 0) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        "Cannot end call: no live call has this callSid",
      );
    }
    for (const call of calls) call.hangUp(q850Cause);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #refuseClosed(action: string): void {
    if (this.#closing === undefined) return;
    throw new TeleQuickError("ERR_SESSION_CLOSED", `Cannot ${action}: the gateway is closed`);
  }

  /** The first port that it listens on, else the name under which its sessions in memory are known. */
  #mediaAddress(): { readonly host: string; readonly port: number } {
    const [listener] = this.#listeners;
    const { hostname, port } = new URL(listener?.endpoint ?? "https://gateway.test:9090");
    return { host: hostname, port: Number(port) };
  }

  async #load(): Promise<void> {
    await this.#gateway.cluster?.start();
    const state = await this.#archive.load();
    if (state !== undefined) await this.#restore(state);
    this.#isReady = true;
  }

  async #restore(state: StoredState): Promise<void> {
    const { bootstrap, registry, tenants, usedTokens } = this.#gateway;
    bootstrap.isUsed = state.isBootstrapped;
    usedTokens.restore(state.used);
    await registry.restore(state.keys);
    for (const { tenantId, trunk } of state.trunks) {
      tenants.byOwner(tenantId).trunks.put(readTrunk({ ...trunk, tenantId }));
    }
  }

  async #close(): Promise<void> {
    // In the next turn, so that `serve` sees that the gateway is closing.
    await this.ready.catch(() => {});
    for (const connection of this.#connections.keys()) connection.shutDown();
    this.#phones.close();
    this.#gateway.tenants.drop();
    this.#gone.abort(new Error("The gateway closed"));
    await Promise.all(this.#connections.values());
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await this.#gateway.cluster?.close();
    await this.#archive.close();
    this.#gateway.log("gateway.closed");
    this.#gateway.watchers.close();
  }
}

function closeUnheard({ session }: IncomingSession, closeCode: number, reason: string): void {
  session.closed.catch(() => {});
  session.ready.catch(() => {});
  try {
    session.close({ closeCode, reason });
  } catch {
    // Not connected yet, or not any more.
  }
}
