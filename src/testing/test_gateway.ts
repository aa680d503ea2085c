/**
 * A gateway for tests: one that can be restarted, and makes tenants with their keys.
 *
 * @module
 */

import {
  type AddTrunkOptions,
  type ChooseFarEnd,
  createGateway,
  type FarEndPhone,
  type Faults,
  type FaultTarget,
  type Gateway,
  type GatewayListener,
  type GatewayListenOptions,
  type GatewayLogRecord,
  type GatewayOptions,
  type GatewayPhones,
  type GatewaySnapshot,
  type GatewayStats,
  type GatewayStorage,
  type GatewayWatch,
  type InboundCall,
  type PublishServiceAccountOptions,
  type RevokeResult,
  type RevokeServiceAccountOptions,
  type SimulateInboundCallOptions,
  type WatchOptions,
} from "../gateway/mod.ts";
import { type ClientOptions, TeleQuickClient } from "../client/mod.ts";
import type { ServiceAccount } from "../credentials/mod.ts";
import type { Clock } from "../base/signal.ts";
import type {
  IncomingSession,
  WebTransportConstructor,
  WebTransportLike,
} from "../transport/mod.ts";
import { testAccount } from "./accounts.ts";
import { HeardCall } from "./heard.ts";

/** The endpoint of every gateway in memory. */
export const ENDPOINT = "https://gateway.test:9090";

/** Options of {@linkcode TestGateway.addTenant}. */
export interface AddTenantOptions {
  /** The tenant's id. Default: `tenant-2`, `tenant-3` and so on. */
  readonly tenantId?: string;
  /** The `kid` of its key. Default: `key-1`. */
  readonly privateKeyId?: string;
  /** Its trunk. Default: `trunk-1`. */
  readonly trunkId?: string;
  /** How many calls the trunk carries at once. Default: 500. */
  readonly channelLimit?: number;
}

/** A tenant of a test gateway. */
export interface TestTenant {
  /** The tenant's id. */
  readonly tenantId: string;
  /** Its trunk. */
  readonly trunkId: string;
  /** What a client signs in with. */
  readonly account: ServiceAccount;
  /** A client of this tenant on the gateway, connected. The kit closes it if the test does not. */
  connect(options?: ClientOptions): Promise<TeleQuickClient>;
}

/** The local gateway, in memory, with what tests do to it. */
export interface TestGateway extends Gateway {
  /** What it has logged, since the kit was made. */
  readonly records: readonly GatewayLogRecord[];
  /** Makes a tenant with a key, registers the key, and gives it a trunk. */
  addTenant(options?: AddTenantOptions): Promise<TestTenant>;
}

/** What a {@linkcode RestartableGateway} is made from. */
export interface RestartableGatewayParts {
  readonly gateway: Omit<GatewayOptions, "storage" | "directory" | "farEnd" | "clock">;
  readonly farEnd: ChooseFarEnd | undefined;
  readonly clock: Clock;
  /** The clock of the clients. */
  readonly clientClock: Clock;
  /** How clients dial. */
  readonly webTransport: WebTransportConstructor;
  /** Takes each client that `connect()` made. */
  readonly onClient: (client: TeleQuickClient) => void;
  /** Loses every connection at once. */
  readonly sever: () => void;
}

/** A local gateway that outlives its restarts. */
export class RestartableGateway implements TestGateway {
  readonly records: GatewayLogRecord[] = [];
  readonly #parts: RestartableGatewayParts;
  readonly #storage = memoryStorage();
  readonly #heard = new Map<string, HeardCall>();
  #inner: Gateway;
  #tenants = 1;

  constructor(parts: RestartableGatewayParts) {
    this.#parts = parts;
    this.#inner = this.#start();
  }

  get ready(): Promise<void> {
    return this.#inner.ready;
  }

  get webTransport(): WebTransportConstructor {
    return this.#parts.webTransport;
  }

  async addTenant(options: AddTenantOptions = {}): Promise<TestTenant> {
    this.#tenants += options.tenantId === undefined ? 1 : 0;
    const { tenantId = `tenant-${this.#tenants}`, privateKeyId = "key-1" } = options;
    const { trunkId = "trunk-1", channelLimit = 500 } = options;
    const { account, publicKeyPem } = await testAccount(tenantId, privateKeyId);
    await this.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    await this.addTrunk({ tenantId, trunkId, channelLimit });
    const connect = async (options: ClientOptions = {}): Promise<TeleQuickClient> => {
      const client = this.makeClient(account, options);
      await client.connect();
      return client;
    };
    return { tenantId, trunkId, account, connect };
  }

  /** A client that is not connected yet. */
  makeClient(account: ServiceAccount, options: ClientOptions): TeleQuickClient {
    const { clientClock: clock, webTransport, onClient } = this.#parts;
    const client = new TeleQuickClient(ENDPOINT, account, false, {
      // A key in a page is what a client refuses elsewhere; here it is a test's.
      ...{ clock, webTransport, allowInBrowser: true },
      ...options,
    });
    onClient(client);
    return client;
  }

  /** What the far end of a call has heard so far. */
  hears(callSid: string): HeardCall {
    const heard = this.#heard.get(callSid);
    if (heard !== undefined) return heard;
    throw new Error(
      `The gateway has no call ${JSON.stringify(callSid)}, expected one of its calls`,
    );
  }

  /**
   * Ends the process, as it were, and starts another one that has the same keys, revocations and trunks. Calls are gone.
   *
   * @param options Whether the gateway says goodbye to its sessions first. Default: `false`, it is killed.
   */
  async restart(options: { readonly isGraceful?: boolean } = {}): Promise<void> {
    const before = this.#inner;
    if (options.isGraceful !== true) this.#parts.sever();
    const closed = before.close();
    if (options.isGraceful === true) await closed;
    else closed.catch(() => {});
    this.#inner = this.#start();
    await this.#inner.ready;
  }

  publishServiceAccount(options: PublishServiceAccountOptions): Promise<void> {
    return this.#inner.publishServiceAccount(options);
  }

  get isReady(): boolean {
    return this.#inner.isReady;
  }

  revokeServiceAccount(options: RevokeServiceAccountOptions): Promise<RevokeResult> {
    return this.#inner.revokeServiceAccount(options);
  }

  expireSessions(options: { readonly tenantId: string }): void {
    this.#inner.expireSessions(options);
  }

  addTrunk(options: AddTrunkOptions): Promise<void> {
    return this.#inner.addTrunk(options);
  }

  simulateInboundCall(options: SimulateInboundCallOptions): Promise<InboundCall> {
    return this.#inner.simulateInboundCall(options);
  }

  serve(session: WebTransportLike | IncomingSession): Promise<void> {
    return this.#inner.serve(session);
  }

  listen(options?: GatewayListenOptions): Promise<GatewayListener> {
    return this.#inner.listen(options);
  }

  stats(): GatewayStats {
    return this.#inner.stats();
  }

  get phones(): GatewayPhones {
    return this.#inner.phones;
  }

  inspect(): GatewaySnapshot {
    return this.#inner.inspect();
  }

  watch(options?: WatchOptions): GatewayWatch {
    return this.#inner.watch(options);
  }

  setFaults(faults: Faults | undefined, at?: FaultTarget): void {
    this.#inner.setFaults(faults, at);
  }

  endCall(callSid: string, q850Cause?: number, tenantId?: string): void {
    this.#inner.endCall(callSid, q850Cause, tenantId);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #start(): Gateway {
    const { gateway, farEnd, clock } = this.#parts;
    return createGateway({
      seed: 1,
      ...gateway,
      clock,
      storage: this.#storage,
      farEnd: (call) => {
        const chosen = farEnd?.(call) ?? {};
        const heard = new HeardCall();
        this.#heard.set(call.callSid, heard);
        const phone = Array.isArray(chosen) ? { script: chosen } : chosen as FarEndPhone;
        return heard.listenTo(phone);
      },
      log: (record) => {
        this.records.push(record);
        // What it rejects with is ignored, as in a gateway.
        return gateway.log?.(record);
      },
    });
  }
}

function memoryStorage(): GatewayStorage {
  const files = new Map<string, string>();
  return {
    read: (name) => Promise.resolve(files.get(name)),
    write(name, text) {
      files.set(name, text);
      return Promise.resolve();
    },
  };
}
