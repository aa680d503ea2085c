/**
 * What holds between a client and a gateway over real QUIC, on any two runtimes.
 *
 * @module
 */

import {
  type Call,
  type ClientOptions,
  type ClientStatus,
  parseServiceAccount,
  TeleQuickClient,
} from "@telequick/sdk";
import { decodePcmu } from "@telequick/sdk/audio";
import { type Check, equal, ok, refused } from "../../conformance/check.ts";
import { isEcho, isEchoInAnyOrder, sayAndHear, speech } from "../../conformance/talk.ts";
import type { Desk, GatewayProcess, TokenWish } from "./desk.ts";

const TRUNK = "acme-trunk";
const IDLE_MS = 45_000;
// The slowest transport believes in a silent peer for 30 s.
const DEAD_MS = 60_000;

/** Two lists: one after another, and side by side because they mostly wait. */
export interface LiveChecks {
  readonly quick: readonly Check[];
  readonly slow: readonly Check[];
}

/** Makes clients for one gateway. */
class Clients {
  readonly #desk: Desk;
  readonly #gateway: GatewayProcess;

  constructor(desk: Desk, gateway: GatewayProcess) {
    this.#desk = desk;
    this.#gateway = gateway;
  }

  /** A client of acme as this runtime has one: from the service account, in a page with tokens that its backend signs. */
  async make(options: ClientOptions = {}): Promise<TeleQuickClient> {
    if ("document" in globalThis) return this.withTokens({}, options);
    const account = parseServiceAccount(await this.#desk.ask("account", {}));
    return new TeleQuickClient(this.#gateway.endpoint, account, false, this.#options(options));
  }

  /** A client whose tokens the desk signs. */
  withTokens(wish: TokenWish, options: ClientOptions = {}): TeleQuickClient {
    const token = (): Promise<string> => this.#desk.ask("token", wish);
    return new TeleQuickClient(this.#gateway.endpoint, token, true, this.#options(options));
  }

  #options(options: ClientOptions): ClientOptions {
    return { serverCertificateHash: this.#gateway.certificateHash, ...options };
  }
}

async function answered(client: TeleQuickClient, to = "+15550100"): Promise<Call> {
  const call = await client.dial({ to, trunkId: TRUNK });
  await call.answered();
  return call;
}

/** Resolves with the first status of a kind; rejects when the client ends before. */
async function reaches<T extends ClientStatus["type"]>(
  client: TeleQuickClient,
  type: T,
): Promise<Extract<ClientStatus, { type: T }>> {
  for await (const status of client.status()) {
    if (status.type === type) return status as Extract<ClientStatus, { type: T }>;
  }
  throw new Error(`The client never was ${type}`);
}

/**
 * The checks for a gateway that the desk opened.
 *
 * @param desk Opens more gateways, which do not survive their checks.
 * @param gateway The one that the others share.
 */
export function liveChecks(desk: Desk, gateway: GatewayProcess): LiveChecks {
  const clients = new Clients(desk, gateway);
  const quick: readonly Check[] = [
    {
      title: "a client signs in, and the gateway pins its tenant",
      async run() {
        await using client = await clients.make();
        await client.connect();
        const { status, tenantId, keyId, opened } = client.stats().session;
        equal({ status, tenantId, keyId, opened }, {
          status: "open",
          tenantId: "acme",
          keyId: "first",
          opened: 1,
        });
      },
    },
    {
      title: "a refused token is refused with its reason",
      async run() {
        const code = "ERR_UNAUTHORIZED";
        const early = clients.withTokens({ ageSeconds: -600 });
        await refused(early.connect(), { code, refusal: "not yet valid" });
        const forged = clients.withTokens({ key: "forged" });
        await refused(forged.connect(), { code, refusal: "rejected" });
      },
    },
    {
      title: "a wrong certificate is refused before any token leaves",
      async run() {
        let asked = 0;
        const wrong = btoa(String.fromCharCode(...new Uint8Array(32)));
        const client = new TeleQuickClient(
          gateway.endpoint,
          () => {
            asked++;
            return desk.ask("token", {});
          },
          true,
          wrong,
        );
        await refused(client.connect(), { code: "ERR_CONNECT_FAILED" });
        equal(client.stats().session.opened, 0, `sessions (${asked} tokens were asked for)`);
      },
    },
    {
      title: "a port where nothing listens is named within connectTimeoutMs",
      async run() {
        const endpoint = await desk.ask("closedPort", {});
        const token = await desk.ask("token", {});
        const client = new TeleQuickClient(endpoint, token, true, { connectTimeoutMs: 2_000 });
        const { message } = await refused(client.connect(), { code: "ERR_CONNECT_FAILED" });
        ok(message.includes(new URL(endpoint).host), `"${message}" names ${endpoint}`);
      },
      // Less than the 10 s that it would take by default; the desk and a busy machine take their part.
      timeoutMs: 9_000,
    },
    {
      title: "1,000 RPCs pass on one session, one after another and 20 at a time",
      async run() {
        await using client = await clients.make();
        for (let i = 0; i < 500; i++) await client.getActiveBuckets();
        const lanes = Array.from({ length: 20 }, async () => {
          for (let i = 0; i < 25; i++) await client.getActiveBuckets();
        });
        await Promise.all(lanes);
        equal(client.stats().session.opened, 1, "sessions");
      },
      timeoutMs: 120_000,
    },
    {
      title:
        "a call is rung, answered, echoed byte for byte in order, and hung up, with every event",
      async run() {
        await using client = await clients.make();
        const call = await client.dial({ to: "+15550100", trunkId: TRUNK });
        const reported = collect(call);
        await call.answered();
        const spoken = speech(100);
        isEcho(await sayAndHear(call, spoken), spoken);
        await call.hangUp();
        const { q850Cause, cause } = await call.ended;
        equal([q850Cause, cause], [16, "normal call clearing"]);
        equal(await reported, ["INITIATED", "RINGING", "ANSWERED", "COMPLETED"]);
      },
    },
    {
      title: "the far end's tone is heard, and its end is reported",
      async run() {
        await using client = await clients.make();
        await using call = await answered(client, "+15550106");
        const samples: number[] = [];
        const reader = call.audio().readable.getReader();
        while (samples.length < 8_000) {
          const { value } = await reader.read();
          samples.push(...decodePcmu(value!.payload));
        }
        let crossings = 0;
        for (let i = 1; i < 8_000; i++) if (samples[i - 1]! < 0 && samples[i]! >= 0) crossings++;
        ok(Math.abs(crossings - 440) < 10, `${crossings} periods in a second, expected about 440`);
        const short = await answered(client, "+15550105");
        equal((await short.ended).q850Cause, 16);
      },
    },
    {
      title: "a session is renewed under a call: no frame is lost, none comes twice",
      async run() {
        await using client = await clients.make();
        await using call = await answered(client);
        const spoken = speech(60);
        const hearing = sayAndHear(call, spoken);
        for (let renewal = 0; renewal < 3; renewal++) await client.renew();
        isEchoInAnyOrder(await hearing, spoken);
        equal(client.stats().session.opened, 4, "sessions");
      },
    },
    {
      title: "close() lets what was asked before it happen",
      async run() {
        const client = await clients.make();
        const call = await answered(client);
        const hanging = call.hangUp();
        await client.close();
        await hanging;
        await using other = await clients.make();
        await refused(other.barge(call.sid), { code: "ERR_RPC_REJECTED" });
      },
    },
    {
      title: "a revoked key ends its live session, and the client learns why",
      async run() {
        const own = await desk.ask("open", {});
        const client = new Clients(desk, own).withTokens({ key: "second" }, { giveUpAfterMs: 0 });
        await client.connect();
        const closed = reaches(client, "closed");
        await desk.ask("tell", {
          name: own.name,
          ...{ order: "revoke", tenantId: "acme", privateKeyId: "second" },
        });
        equal((await closed).code, "ERR_UNAUTHORIZED");
        await desk.ask("tell", { name: own.name, order: "close" });
      },
    },
    {
      title:
        "a gateway that goes down says so: the client starts to reconnect, its RPCs can be tried again",
      async run() {
        const own = await desk.ask("open", {});
        const client = await new Clients(desk, own).make();
        await client.connect();
        const lost = reaches(client, "reconnecting");
        await desk.ask("tell", { name: own.name, order: "close" });
        await lost;
        await refused(client.barge("no-call", { timeoutMs: 500 }), {
          code: "ERR_TIMEOUT",
          retryable: true,
        });
        await client.close();
      },
    },
  ];

  const slow: readonly Check[] = [
    {
      title: `a session that is idle for ${IDLE_MS / 1000} s is still the same`,
      async run() {
        await using client = await clients.make();
        await client.connect();
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
        equal(client.stats().session.status, "open", "status");
        await client.getActiveBuckets();
        equal(client.stats().session.opened, 1, "sessions");
      },
      timeoutMs: IDLE_MS + 15_000,
    },
    {
      title: "a gateway that dies is noticed, and found again when it is back",
      async run() {
        const own = await desk.ask("open", {});
        await using client = await new Clients(desk, own).make();
        await client.connect();
        await desk.ask("kill", { name: own.name });
        const lost = reaches(client, "reconnecting");
        // Where the system reports that the port is closed, the session ends first.
        const failure = await client.barge("no-call", { timeoutMs: 2_000 }).catch((error) => error);
        ok(/^ERR_(TIMEOUT|SESSION_CLOSED)$/.test(failure?.code), `the RPC fails: ${failure}`);
        await lost;
        await desk.ask("restart", { name: own.name });
        await reaches(client, "open");
        await client.getActiveBuckets();
        await desk.ask("tell", { name: own.name, order: "close" });
      },
      timeoutMs: DEAD_MS + 30_000,
    },
  ];
  return { quick, slow };
}

async function collect(call: Call): Promise<readonly string[]> {
  const statuses: string[] = [];
  for await (const { status } of call.events()) statuses.push(status);
  return statuses;
}
