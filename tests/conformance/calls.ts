import {
  type Call,
  type ClientOptions,
  type ClientStatus,
  type Clock,
  generateServiceAccount,
  importSigner,
  type ServiceAccount,
  type Signer,
  signToken,
  type SignTokenOptions,
  TeleQuickClient,
} from "@telequick/sdk";
import { createGateway, createSessionPair, type Gateway } from "@telequick/sdk/gateway";
import { mintBrowserToken } from "@telequick/sdk/token";
import { type Check, equal, ok, refused } from "./check.ts";
import { isEcho, isEchoInAnyOrder, sayAndHear, speech } from "./talk.ts";

const ENDPOINT = "https://gateway.test:9090";
const ECHO = "+15550100";
// On a clock that runs fast the usual limits are too short for a machine that is busy with something else.
const PATIENCE_MS = 60_000;

/** A clock that runs faster than the machine's, so that a second of ringing or of audio does not take one. */
function fastClock(speed: number): Clock {
  const [wall, start] = [Date.now(), performance.now()];
  const elapsed = (): number => (performance.now() - start) * speed;
  return {
    now: () => Math.floor(wall + elapsed()),
    monotonic: elapsed,
    schedule(ms, callback) {
      const timer = setTimeout(callback, Math.min(ms / speed, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
}

/** A tenant's key in both its halves. */
interface Key {
  readonly account: ServiceAccount;
  readonly publicKeyPem: string;
  readonly signer: Signer;
}

const keys = new Map<string, Promise<Key>>();

/** A key by its id, made once: making RSA keys is slow. */
function keyOf(tenantId: string, privateKeyId: string): Promise<Key> {
  const make = async (): Promise<Key> => {
    const { account, publicKeyPem } = await generateServiceAccount({ tenantId, privateKeyId });
    // A page has to insist: there the library wants tokens, which is what the clients here get.
    const signer = await importSigner(account, { allowInBrowser: true });
    return { account, publicKeyPem, signer };
  };
  const id = `${tenantId}/${privateKeyId}`;
  const key = keys.get(id) ?? make();
  keys.set(id, key);
  return key;
}

/** A gateway with the tenants acme and globex, each with a trunk of its own, and clients of acme. */
class GatewayContext implements AsyncDisposable {
  readonly clock = fastClock(5);
  readonly gateway: Gateway = createGateway({
    clock: this.clock,
    seed: 1,
    limits: { handshakeMs: PATIENCE_MS },
  });

  static async open(): Promise<GatewayContext> {
    const setup = new GatewayContext();
    for (const tenantId of ["acme", "globex"]) {
      const { publicKeyPem } = await keyOf(tenantId, "first");
      await setup.gateway.publishServiceAccount({ tenantId, privateKeyId: "first", publicKeyPem });
      await setup.gateway.addTrunk({ tenantId, trunkId: `${tenantId}-trunk` });
    }
    return setup;
  }

  /** A client whose tokens are signed for each session anew: by the published key, or by a signer that was made before, for that can take seconds. */
  client(
    options: ClientOptions = {},
    by: Partial<SignTokenOptions & { signer: Signer }> = {},
  ): TeleQuickClient {
    const { signer, ...rest } = by;
    const token = async (): Promise<string> =>
      signToken(signer ?? (await keyOf("acme", "first")).signer, {
        now: this.clock.now(),
        ...rest,
      });
    return this.clientWith(token, options);
  }

  clientWith(
    token: string | (() => Promise<string>),
    options: ClientOptions = {},
  ): TeleQuickClient {
    const { clock, gateway: { webTransport } } = this;
    return new TeleQuickClient(ENDPOINT, token, true, {
      ...{ clock, webTransport, connectTimeoutMs: PATIENCE_MS, requestTimeoutMs: PATIENCE_MS },
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.close();
  }
}

async function echoCall(client: TeleQuickClient): Promise<Call> {
  const call = await client.dial({ to: ECHO, trunkId: "acme-trunk" });
  await call.answered();
  return call;
}

export const callChecks: readonly Check[] = [
  {
    title: "a client dials, hears its own audio byte for byte, receives the events, and hangs up",
    async run() {
      await using setup = await GatewayContext.open();
      await using client = setup.client();
      const call = await client.dial({ to: ECHO, trunkId: "acme-trunk" });
      const told = (async () => {
        const statuses: string[] = [];
        for await (const { status } of call.events()) statuses.push(status);
        return statuses;
      })();
      await call.answered();
      equal(call.state, "answered");
      const spoken = speech(30);
      isEcho(await sayAndHear(call, spoken), spoken);
      await call.hangUp();
      const { q850Cause, cause } = await call.ended;
      equal([q850Cause, cause], [16, "normal call clearing"]);
      equal(await told, ["INITIATED", "RINGING", "ANSWERED", "COMPLETED"]);
    },
  },
  {
    title: "a call that is not answered ends with its cause",
    async run() {
      await using setup = await GatewayContext.open();
      await using client = setup.client();
      for (
        const [to, expected] of [["+15550101", 17], ["+15550103", 21], ["+15550104", 1]] as const
      ) {
        const call = await client.dial({ to, trunkId: "acme-trunk" });
        await refused(call.answered(), { code: "ERR_CALL_ENDED" });
        equal((await call.ended).q850Cause, expected, to);
      }
    },
  },
  {
    title:
      "the gateway's refusals arrive with its own codes, the same for another's trunk as for none",
    async run() {
      await using setup = await GatewayContext.open();
      await using client = setup.client();
      const dial = (to: string, trunkId: string): Promise<Call> => client.dial({ to, trunkId });
      const code = "ERR_RPC_REJECTED";
      const foreign = await refused(dial(ECHO, "globex-trunk"), { code, rpcCode: 1 });
      const missing = await refused(dial(ECHO, "no-trunk"), { code, rpcCode: 1 });
      equal(foreign.message, missing.message);
      await refused(dial("+15550108", "acme-trunk"), { code, rpcCode: 4, retryable: true });
      await refused(dial("+15550109", "acme-trunk"), { code, rpcCode: 3, retryable: true });
    },
  },
  {
    title: "a token is refused with the reason",
    async run() {
      await using setup = await GatewayContext.open();
      const code = "ERR_UNAUTHORIZED";
      // The right names, the wrong key.
      const { signer } = await keyOf("globex", "first");
      const forge = (): Promise<string> =>
        signToken({ ...signer, tenantId: "acme" }, { now: setup.clock.now() });
      await refused(setup.clientWith(forge).connect(), { code, refusal: "rejected" });
      const unpublished = await keyOf("acme", "unpublished");
      const stranger = setup.client({}, { signer: unpublished.signer });
      await refused(stranger.connect(), { code, refusal: "rejected" });
      const early = setup.client({}, { now: setup.clock.now() + 600_000 });
      await refused(early.connect(), { code, refusal: "not yet valid" });
      const late = setup.client({}, { now: setup.clock.now() - 7_200_000 });
      await refused(late.connect(), { code: "ERR_TOKEN_EXPIRED" });
      await setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: "first" });
      await refused(setup.client().connect(), { code, refusal: "revoked" });
    },
  },
  {
    title: "a browser token signs in without a function, once",
    async run() {
      await using setup = await GatewayContext.open();
      const { signer } = await keyOf("acme", "first");
      const token = await mintBrowserToken(signer, { now: setup.clock.now(), scope: "call.dial" });
      await using client = setup.clientWith(token);
      const call = await client.dial({ to: "+15550101", trunkId: "acme-trunk" });
      equal((await call.ended).q850Cause, 17);
    },
  },
  {
    title: "a session is renewed under a call: no frame and no event is lost",
    async run() {
      await using setup = await GatewayContext.open();
      await using client = setup.client();
      const statuses: string[] = [];
      const watching = (async () => {
        for await (const { type } of client.status()) statuses.push(type);
      })();
      const call = await echoCall(client);
      const spoken = speech(60);
      const hearing = sayAndHear(call, spoken);
      for (let renewal = 0; renewal < 3; renewal++) await client.renew();
      isEchoInAnyOrder(await hearing, spoken);
      equal(client.stats().session.opened, 4, "sessions");
      await call.hangUp();
      equal((await call.ended).q850Cause, 16);
      await client.close();
      await watching;
      equal(statuses.filter((type) => type === "renewing").length, 3, "renewals");
      equal(statuses.at(-1), "closed");
    },
  },
  {
    title: "a lost session is replaced, and the call on it goes on",
    async run() {
      await using setup = await GatewayContext.open();
      const pairs: ReturnType<typeof createSessionPair>[] = [];
      const dialer = function (): unknown {
        const pair = createSessionPair();
        pairs.push(pair);
        void setup.gateway.serve(pair.incoming);
        return pair.client;
      };
      const webTransport = dialer as unknown as NonNullable<ClientOptions["webTransport"]>;
      await using client = setup.client({ webTransport });
      const call = await echoCall(client);
      const reopened = (async () => {
        let lost = false;
        for await (const status of client.status()) {
          lost ||= status.type === "reconnecting";
          if (lost && status.type === "open") return;
        }
      })();
      pairs[0]!.sever();
      await reopened;
      const spoken = speech(5);
      isEcho(await sayAndHear(call, spoken), spoken);
      await call.hangUp();
      equal((await call.ended).q850Cause, 16);
    },
  },
  {
    title: "300 RPCs pass, one after another and many at once",
    async run() {
      await using setup = await GatewayContext.open();
      await using client = setup.client();
      for (let i = 0; i < 150; i++) await client.getActiveBuckets();
      const lanes = Array.from({ length: 10 }, async () => {
        for (let i = 0; i < 15; i++) await client.getActiveBuckets();
      });
      await Promise.all(lanes);
      equal(client.stats().session.opened, 1, "sessions");
    },
  },
  {
    title: "a signal ends a wait with its reason, and the client stays usable",
    async run() {
      await using setup = await GatewayContext.open();
      await using client = setup.client();
      const reason = new Error("enough");
      const failure = await client.connect({ signal: AbortSignal.abort(reason) }).catch((error) =>
        error
      );
      ok(failure === reason, "the reason is the signal's");
      await client.connect();
    },
  },
  {
    title: "close() ends what waits, and all that comes after it is refused",
    async run() {
      await using setup = await GatewayContext.open();
      const client = setup.client();
      const call = await echoCall(client);
      const ended = refused(call.ended, { code: "ERR_SESSION_CLOSED" });
      const last = (async () => {
        let seen: ClientStatus | undefined;
        for await (const status of client.status()) seen = status;
        return seen?.type;
      })();
      await client.close();
      await ended;
      equal(await last, "closed");
      await refused(client.getActiveBuckets(), { code: "ERR_SESSION_CLOSED", retryable: false });
      equal(setup.gateway.stats().calls.live, 1, "calls that go on at the gateway");
    },
  },
  {
    title: "no log record of client and gateway holds a token or a key",
    async run() {
      const lines: string[] = [];
      const log = (record: object): void => void lines.push(JSON.stringify(record));
      await using setup = await GatewayContext.open();
      const client = setup.client({ log });
      await echoCall(client);
      await client.renew();
      await client.close();
      const { signer } = await keyOf("acme", "unpublished");
      await setup.client({ log }, { signer }).connect().catch(() => {});
      ok(lines.length > 3, `${lines.length} records were written`);
      ok(!/eyJ|MII|PRIVATE KEY/.test(lines.join("\n")), "none holds a secret");
    },
  },
];
