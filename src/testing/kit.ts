/**
 * A gateway, a client on it and everything that can happen between them.
 *
 * @module
 */

import { ignore } from "../base/ignore.ts";
import { createRandom } from "../base/random.ts";
import { type Clock, systemClock } from "../base/signal.ts";
import type { Call, ClientOptions, TeleQuickClient } from "../client/mod.ts";
import type { ServiceAccount } from "../credentials/mod.ts";
import type { ChooseFarEnd, GatewayOptions } from "../gateway/mod.ts";
import type { WebTransportConstructor } from "../transport/mod.ts";
import { CountingClock, type TestClock } from "./counting_clock.ts";
import { FakeClock } from "./fake_clock.ts";
import type { HeardCall } from "./heard.ts";
import { Network, type NetworkConditions } from "./network.ts";
import { scriptedGateway } from "./scripted_gateway.ts";
import { settle } from "./settle.ts";
import { RestartableGateway, type TestGateway } from "./test_gateway.ts";
import { watchRejections } from "./rejections.ts";

// The gateway waits 250 ms.
const GRACE_MS = 1_000;

/** Options of {@linkcode testGateway}. */
export interface TestGatewayOptions<C extends "real" | "fake" = "real"> {
  /** The tenant of `client`. Default: `acme`. */
  readonly tenantId?: string;
  /** Its trunk. Default: `trunk-1`. */
  readonly trunkId?: string;
  /** Whether time passes by itself, or only when the test says so. Default: `"real"`. */
  readonly clock?: C;
  /** Chooses the phone at the far end of each call. Default: the test numbers of the local gateway. */
  readonly farEnd?: ChooseFarEnd;
  /** Makes the far end and the network repeat themselves. Default: 1. */
  readonly seed?: number;
  /** Options of `client`. */
  readonly client?: Omit<ClientOptions, "clock" | "webTransport">;
  /** Options of the gateway. */
  readonly gateway?: Omit<GatewayOptions, "storage" | "directory" | "farEnd" | "clock" | "seed">;
}

/** One session between a client and the gateway. */
export interface TestSession {
  /** Whether it has not ended. */
  readonly isOpen: boolean;
  /** Loses the connection: both sides notice at once, without a code. */
  drop(): void;
  /** Nothing passes for `ms` milliseconds, and neither side notices. From 10 s on the connection is lost. */
  stall(ms: number): void;
}

/** A gateway in memory, a client on it, and what a test does to both. Close it at the end of the test. */
export interface TestKit<C extends "real" | "fake" = "real"> extends AsyncDisposable {
  /** The gateway. */
  readonly gateway: TestGateway;
  /** A client of the tenant; it connects when it is used first. */
  readonly client: TeleQuickClient;
  /** The time of all of them. */
  readonly clock: C extends "fake" ? FakeClock : TestClock;
  /** What `client` signs in with. */
  readonly account: ServiceAccount;
  /** The tenant of `client`. */
  readonly tenantId: string;
  /** Its trunk. */
  readonly trunkId: string;
  /** Give it to clients of your own, with `clock` and any `https:` endpoint. */
  readonly webTransport: WebTransportConstructor;
  /** The sessions that are connected, the oldest first. */
  readonly sessions: readonly TestSession[];
  /** The newest session. Throws when no session is open. */
  readonly session: TestSession;
  /** Sets what the network does to what passes; what is left out has its default, so `{}` repairs it. */
  network(conditions: NetworkConditions): void;
  /** Ends the tenant's sessions as if their tokens had expired; the client signs in anew. */
  expireToken(): void;
  /** Revokes the tenant's key: its sessions end, and nothing signed with it is accepted again. */
  revokeKey(): Promise<void>;
  /** Kills the gateway and starts it again with the same keys and trunks; `isGraceful` lets it say goodbye. Calls are gone. */
  restartGateway(options?: { readonly isGraceful?: boolean }): Promise<void>;
  /** What the far end of a call has heard so far. */
  hears(call: Pick<Call, "sid"> | string): HeardCall;
  /**
   * Closes the kit's clients, then throws unless everything has ended: a session of a client that was not closed, a call that goes on, a
   * timer, and where the runtime reports them as events (Deno, browsers) a rejection of the SDK that was not handled.
   */
  assertSettled(): Promise<void>;
  /** Ends everything. Throws when a client that the test made itself was not closed. */
  close(): Promise<void>;
}

/**
 * Makes a gateway in memory, a tenant with a trunk, and a client of it.
 *
 * @param options Names, the clock, and the far end.
 *
 * @example A call that is not answered
 * ```ts
 * import { testGateway } from "@telequick/sdk/testing";
 *
 * const kit = await testGateway({ clock: "fake" });
 * const call = await kit.client.dial({ to: "+15550101", trunkId: kit.trunkId });
 * const { cause } = await kit.clock.runUntil(call.ended);
 * console.log(cause); // "user busy"
 * await kit.close();
 * ```
 */
export async function testGateway<C extends "real" | "fake" = "real">(
  options: TestGatewayOptions<C> = {},
): Promise<TestKit<C>> {
  const kit = new Kit(options as TestGatewayOptions<"real" | "fake">);
  await kit.open();
  return kit as unknown as TestKit<C>;
}

class Kit implements TestKit<"real" | "fake"> {
  readonly gateway: RestartableGateway;
  readonly clock: FakeClock | TestClock;
  readonly tenantId: string;
  readonly trunkId: string;
  account!: ServiceAccount;
  client!: TeleQuickClient;
  readonly #options: TestGatewayOptions<"real" | "fake">;
  readonly #network: Network;
  readonly #gatewayClock: CountingClock;
  readonly #networkClock: CountingClock;
  readonly #clients = new Set<TeleQuickClient>();
  readonly #rejections = watchRejections();
  #closing: Promise<void> | undefined;

  constructor(options: TestGatewayOptions<"real" | "fake">) {
    const { tenantId = "acme", trunkId = "trunk-1", seed = 1, farEnd, gateway = {} } = options;
    this.#options = options;
    this.tenantId = tenantId;
    this.trunkId = trunkId;
    const clock = options.clock === "fake" ? new FakeClock() : new CountingClock(systemClock);
    this.clock = clock;
    this.#gatewayClock = new CountingClock(clock);
    this.#networkClock = new CountingClock(clock);
    this.#network = new Network({
      clock: this.#networkClock,
      random: createRandom(seed),
      accept: (incoming, session) => {
        const onRefused = (reason: string): void => void (session.refusalReason = reason);
        this.gateway.serve({ ...incoming, onRefused }).catch(ignore);
      },
    });
    const refusing = scriptedGateway({
      scripts: { Authenticate: () => ({ status: "ERROR", errorCode: 7, errorMessage: "revoked" }) },
    });
    const dial = (url: string) => {
      // A client that was not closed would try to reconnect for ever: it is refused instead.
      const { webTransport } = this.#closing === undefined ? this.#network : refusing;
      return new webTransport(url);
    };
    this.webTransport = function Dialled(url: string) {
      return dial(url);
    } as unknown as WebTransportConstructor;
    this.gateway = new RestartableGateway({
      gateway: { ...gateway, seed },
      farEnd,
      clock: this.#gatewayClock,
      clientClock: clock as Clock,
      webTransport: this.webTransport,
      onClient: (client) => this.#clients.add(client),
      sever: () => this.#network.sever(),
    });
  }

  readonly webTransport: WebTransportConstructor;

  async open(): Promise<void> {
    const { tenantId, trunkId } = this;
    const { account } = await this.gateway.addTenant({ tenantId, trunkId });
    this.account = account;
    this.client = this.gateway.makeClient(account, { ...this.#options.client });
  }

  get sessions(): readonly TestSession[] {
    return this.#network.sessions;
  }

  get session(): TestSession {
    const session = this.sessions.at(-1);
    if (session !== undefined) return session;
    throw new Error("No session is open, expected one (connect the client first)");
  }

  network(conditions: NetworkConditions): void {
    this.#network.conditions = conditions;
  }

  expireToken(): void {
    this.gateway.expireSessions({ tenantId: this.tenantId });
  }

  async revokeKey(): Promise<void> {
    const { tenantId, account: { privateKeyId } } = this;
    await this.gateway.revokeServiceAccount({ tenantId, privateKeyId });
  }

  async restartGateway(options?: { readonly isGraceful?: boolean }): Promise<void> {
    await this.#run(this.gateway.restart(options));
  }

  hears(call: Pick<Call, "sid"> | string): HeardCall {
    return this.gateway.hears(typeof call === "string" ? call : call.sid);
  }

  async assertSettled(): Promise<void> {
    const calls = this.gateway.stats().calls.live;
    await this.#closeClients();
    await this.#untilEnded();
    const faults = [
      ...this.#leftOpen(),
      ...calls === 0
        ? []
        : [`${plural(calls, "call is", "calls are")} live (hang up, or wait for the end)`],
      ...this.#timers === 0
        ? []
        : [`${plural(this.#timers, "timer is", "timers are")} armed (a client or a wait goes on)`],
      ...this.#rejections.seen.map((message) => `a rejection was not handled: ${message}`),
    ];
    if (faults.length > 0) throw new Error(`Not settled: ${faults.join("; ")}`);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#network.connects = "open";
    this.#network.conditions = {};
    this.#network.heal();
    await this.#closeClients();
    await this.#untilEnded();
    const left = this.#leftOpen();
    this.#rejections.stop();
    this.#network.sever();
    await this.#run(this.gateway.close());
    if (left.length > 0) throw new Error(`Test gateway is closed: ${left.join("; ")}`);
  }

  async #closeClients(): Promise<void> {
    const closing = [...this.#clients].map((client) => client.close());
    this.#clients.clear();
    await this.#run(Promise.all(closing));
  }

  /** Waits for something that may need time to pass. */
  async #run<T>(work: Promise<T>): Promise<T> {
    return this.clock instanceof FakeClock ? await this.clock.runUntil(work) : await work;
  }

  /** The gateway closes a session that it ends only after a moment. */
  async #untilEnded(): Promise<void> {
    await settle();
    if (this.sessions.length === 0) return;
    const ended = this.#network.sessions.map(({ transport }) => transport.closed.catch(ignore));
    const clock = this.#networkClock;
    const grace = new Promise<void>((resolve) => clock.schedule(GRACE_MS, resolve));
    await this.#run(Promise.race([Promise.all(ended), grace]));
  }

  /** Timers of the SDK's clients. */
  get #timers(): number {
    return this.clock.pending - this.#gatewayClock.pending - this.#networkClock.pending;
  }

  #leftOpen(): readonly string[] {
    const { length } = this.sessions;
    if (length === 0) return [];
    return [
      `${
        plural(length, "session is", "sessions are")
      } still open (call close() on every client that the test made)`,
    ];
  }
}

function plural(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
