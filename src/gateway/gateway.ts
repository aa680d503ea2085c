/**
 * The local gateway: a faithful, single-process stand-in for the product's own, for development and tests.
 *
 * @module
 */

import { TeleQuickError } from "../errors.ts";
import { type Clock, systemClock } from "../signal.ts";
import { createReplayStore } from "../token/mod.ts";
import {
  createPairTransport,
  type IncomingSession,
  type WebTransportConstructor,
  type WebTransportLike,
} from "../transport/mod.ts";
import { Archive, type GatewayStorage } from "./archive.ts";
import { BootstrapSecret } from "./bootstrap_secret.ts";
import { Connection } from "./connection.ts";
import { ExpiryWatch } from "./expiry.ts";
import type { House } from "./house.ts";
import { Issuers } from "./issuer.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { type GatewayListener, type GatewayListenOptions, startListener } from "./listener.ts";
import { Lobby } from "./lobby.ts";
import { Counters, createLog, type GatewayLogRecord, type GatewayStats } from "./log.ts";
import {
  type PublishServiceAccountOptions,
  Registry,
  type RevokeServiceAccountOptions,
} from "./registry.ts";
import { directoryStorage } from "./store.ts";
import { Tenants } from "./tenant.ts";
import type { HouseRules } from "./tools.ts";
import { type AddTrunkOptions, readTrunk } from "./trunk.ts";

/** Options of {@linkcode createGateway}. */
export interface GatewayOptions {
  /** Where time comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Makes the far end repeat itself: 32 bits. Default: a fresh one. */
  readonly seed?: number;
  /** Takes a record of everything that happens. No key and no token is ever in one. Default: none. */
  readonly log?: (record: GatewayLogRecord) => void;
  /** Other values for some of `limits`. Default: the table's. */
  readonly limits?: Partial<Limits>;
  /** A folder in which keys, revocations and trunks are kept. Default: none, they live in memory. */
  readonly directory?: string;
  /** The same with a storage of the caller's own, in place of `directory`. Default: none. */
  readonly storage?: GatewayStorage;
  /** Whether a live session ends with its token, 0 to 5 s after it, or outlives it. Default: `"token"`. */
  readonly sessionExpiry?: "token" | "connection";
  /** Whether replies have a frame around them, as the product's documentation says, or are bare, as its code does. Default: `false`. */
  readonly framedReplies?: boolean;
  /** The only `aud` that a token may have. Default: tokens with an `aud` are refused. */
  readonly audience?: string;
  /** Whether a token must have it. Default: `false`. */
  readonly requireAudience?: boolean;
  /** Whether a browser token that is pinned to an origin is refused where the runtime does not show the session's. Default: `false`. */
  readonly requireOrigin?: boolean;
  /** Whether a token may come as `token=` in the URL, in place of the first stream. URLs end up in logs. Default: `false`. */
  readonly acceptQueryToken?: boolean;
  /** The web origin that `SessionAuth` pins a tenant's browser tokens to, by tenant id. Default: none. */
  readonly tenantOrigins?: Readonly<Record<string, string>>;
  /** The secret with which `BootstrapOrg` makes a tenant, once. Default: none, it never does. */
  readonly bootstrapSecret?: string;
}

/** A gateway. Its owner closes it. */
export interface Gateway extends AsyncDisposable {
  /** Resolves when keys and trunks are loaded; rejects when they cannot be. Everything else waits for it. */
  readonly ready: Promise<void>;
  /**
   * Sessions in memory: hand it to a client as its `webTransport` option, with any https: endpoint.
   */
  readonly webTransport: WebTransportConstructor;
  /** Registers a service account's public key. Resolves when it is on disk, where there is one. */
  publishServiceAccount(options: PublishServiceAccountOptions): Promise<void>;
  /** Revokes a key: its live sessions end within one round trip, its tokens are refused from now on. */
  revokeServiceAccount(options: RevokeServiceAccountOptions): Promise<void>;
  /** Adds a tenant's trunk, or replaces its whole record. */
  addTrunk(options: AddTrunkOptions): Promise<void>;
  /** Serves an accepted session. Resolves when it is over. */
  serve(session: WebTransportLike | IncomingSession): Promise<void>;
  /** Accepts WebTransport sessions, where the runtime can: with a certificate of its own, told by its hash. */
  listen(options?: GatewayListenOptions): Promise<GatewayListener>;
  /** What it has counted. */
  stats(): GatewayStats;
  /** Tells every session that it goes, gives the words time to arrive, and closes. Calls end with it. */
  close(): Promise<void>;
}

/**
 * Makes a gateway.
 *
 * @param options Clock, limits, where to keep state, and how strict to be.
 * @throws {TypeError} for an option of the wrong type; `ERR_VALUE_INVALID` for a limit that is none.
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
  readonly #house: House;
  readonly #archive: Archive;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #listeners = new Set<GatewayListener>();
  #number = 0;
  #closing: Promise<void> | undefined;

  constructor(options: GatewayOptions) {
    const { clock = systemClock, storage, directory } = options;
    const limits = resolveLimits(options.limits);
    const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!;
    this.#archive = new Archive({
      storage: storage ?? (directory === undefined ? undefined : directoryStorage(directory)),
      snapshot: () => ({
        keys: registry.stored(),
        trunks: tenants.stored(),
        isBootstrapped: bootstrap.isUsed,
      }),
    });
    const save = () => this.#archive.save();
    const tools = {
      ...{ clock, limits, seed, rules: readRules(options), counters: new Counters() },
      log: createLog(options.log, () => clock.now()),
    };
    const registry = new Registry({ limits, save });
    const tenants = new Tenants(tools);
    const bootstrap = new BootstrapSecret(options.bootstrapSecret, clock);
    this.#house = {
      ...{ ...tools, registry, tenants, bootstrap, save },
      replay: createReplayStore({ capacity: limits.usedTokens }),
      issuers: new Issuers({ clock, registry, origins: options.tenantOrigins ?? {} }),
      lobby: new Lobby(limits),
      expiry: new ExpiryWatch(clock),
      sessions: new Set(),
    };
    this.ready = this.#load();
    this.ready.catch(() => {});
    this.webTransport = createPairTransport((incoming) => void this.serve(incoming));
  }

  async publishServiceAccount(options: PublishServiceAccountOptions): Promise<void> {
    await this.ready;
    await this.#house.registry.publish(options);
    const { tenantId, privateKeyId: keyId } = options;
    this.#house.log("key.published", { tenantId, keyId });
  }

  async revokeServiceAccount(options: RevokeServiceAccountOptions): Promise<void> {
    await this.ready;
    await this.#house.registry.revoke(options);
    const { tenantId, privateKeyId: keyId } = options;
    this.#house.log("key.revoked", { tenantId, keyId });
  }

  async addTrunk(options: AddTrunkOptions): Promise<void> {
    await this.ready;
    this.#house.tenants.byOwner(options.tenantId).putTrunk(readTrunk(options));
    await this.#house.save();
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
    const connection = new Connection(incoming, this.#house, ++this.#number);
    const served = connection.run().finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, served);
    await served;
  }

  async listen(options: GatewayListenOptions = {}): Promise<GatewayListener> {
    await this.ready;
    if (this.#closing !== undefined) {
      throw new TeleQuickError("ERR_SESSION_CLOSED", "Cannot listen: the gateway is closed");
    }
    const listener = await startListener({
      ...options,
      clock: this.#house.clock,
      serve: (incoming) => void this.serve(incoming),
      onClosed: () => this.#listeners.delete(listener),
    });
    this.#listeners.add(listener);
    this.#house.log("gateway.listening", { reason: listener.endpoint });
    return listener;
  }

  stats(): GatewayStats {
    const { counters, lobby, sessions, tenants } = this.#house;
    return counters.snapshot({
      pending: lobby.size,
      open: sessions.size,
      liveCalls: tenants.liveCalls,
    });
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #load(): Promise<void> {
    const state = await this.#archive.load();
    if (state === undefined) return;
    const { bootstrap, registry, tenants } = this.#house;
    bootstrap.isUsed = state.isBootstrapped;
    await registry.restore(state.keys);
    for (const { tenantId, trunk } of state.trunks) {
      tenants.byOwner(tenantId).putTrunk(readTrunk({ ...trunk, tenantId }));
    }
  }

  async #close(): Promise<void> {
    // In the next turn, so that `serve` sees that the gateway is closing.
    await this.ready.catch(() => {});
    for (const connection of this.#connections.keys()) connection.shutDown();
    this.#house.tenants.drop();
    await Promise.all(this.#connections.values());
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    await this.#archive.idle();
    this.#house.log("gateway.closed");
  }
}

function readRules(options: GatewayOptions): HouseRules {
  return {
    sessionExpiry: options.sessionExpiry ?? "token",
    framedReplies: options.framedReplies ?? false,
    audience: options.audience,
    requireAudience: options.requireAudience ?? false,
    requireOrigin: options.requireOrigin ?? false,
    acceptQueryToken: options.acceptQueryToken ?? false,
  };
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
