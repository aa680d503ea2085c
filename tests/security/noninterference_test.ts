/**
 * The isolation rules as one property. A sequence of steps of two tenants is played twice: once with both, and once in a world in which the other tenant
 * does not exist. Everything that the first tenant can see has to be the same to the byte and at the same time: each reply, event, audio
 * frame, count and close.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { methods, SupervisionMode } from "../../src/wire/mod.ts";
import { QuickClock, turn } from "../support/quick_clock.ts";
import type { RawAudio, RawClient } from "../support/raw_client.ts";
import { seed } from "../support/seed.ts";
import { type TestAccount, testAccount, TestGateway } from "../support/tenant_kit.ts";

// Both tenants draw from the same few names, so that they meet all the time.
const sids = ["s0", "s1"] as const;
const trunks = ["main", "main", "a-only", "b-only", "none"] as const;
const clientIds = ["c0", "c1", ""] as const;
const campaigns = ["k0", "k1"] as const;
const buckets = ["parked", "incoming:main", "incoming:b-only", ...campaigns] as const;
const numbers = [
  ...["+15550100", "+15550101", "+15550105", "+15550106", "+15550107", "+15550108", "+15550102"],
  "not a number",
] as const;

const pick = <T extends readonly string[]>(values: T) => fc.constantFrom(...values);
const sid = pick(sids);

/** Bytes as a string, one character each. */
function exact(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

type Act = (player: Player) => Promise<unknown>;

/** One tenant in one world, with what it holds and what it knows how to do. */
class Player {
  readonly setup: TestGateway<QuickClock>;
  readonly account: TestAccount;
  readonly adminToken: string;
  readonly replies: string[] = [];
  /** Counts the sequences of a world: each has names of its own. */
  round = 0;
  client!: RawClient;
  #uplink: RawAudio | undefined;

  constructor(setup: TestGateway<QuickClock>, account: TestAccount, adminToken: string) {
    this.setup = setup;
    this.account = account;
    this.adminToken = adminToken;
  }

  async connect(clientId: string): Promise<void> {
    this.client?.close();
    this.#uplink = undefined;
    this.client = this.setup.dial();
    const reply = await this.client.authenticate(this.adminToken);
    assert.equal(reply?.status, "OK");
    await this.call(methods.StreamEvents, { clientId });
  }

  async call(...[method, request]: Parameters<RawClient["rpc"]>): Promise<void> {
    const { bytes, isReset } = await this.client.rpc(method, request);
    this.replies.push(`${method.name} ${isReset ? "reset" : exact(bytes)}`);
  }

  /** A name in this round. */
  name(name: string): string {
    return `${name}.${this.round}`;
  }

  bucket(bucketId: string): string {
    return bucketId.startsWith("k") ? this.name(bucketId) : bucketId;
  }

  async speak(callSid: string, frames: number): Promise<void> {
    try {
      this.#uplink ??= await this.client.openAudio();
      for (let i = 0; i < frames; i++) {
        const payload = new Uint8Array(20).fill(this.setup.clock.monotonic() + i);
        const sequenceNumber = this.setup.clock.monotonic() * 10 + i;
        await this.#uplink.send({ callSid, codec: "PCMU", payload, sequenceNumber });
      }
    } catch {
      this.#uplink = undefined;
      this.replies.push("uplink stopped");
    }
  }
}

const dialSteps = fc.record({
  trunkId: pick(trunks),
  to: pick(numbers),
  callSid: fc.oneof(sid, fc.constant("")),
  clientId: pick(clientIds),
  defaultApp: fc.constantFrom(0, 1, 3, 5, 14),
});

/** What a tenant may do. The names of both tenants' things are in reach of each. */
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: dialSteps.map((request): Act => (p) => p.call(methods.Originate, request)),
  },
  {
    weight: 2,
    arbitrary: sid.map((callSid): Act => (p) =>
      p.call(methods.Terminate, { callSid: p.name(callSid) })
    ),
  },
  sid.map((callSid): Act => (p) => p.call(methods.Barge, { callSid: p.name(callSid) })),
  {
    weight: 4,
    arbitrary: fc.tuple(sid, fc.nat(15), fc.constantFrom("", "s1", "5", "wire", "+15550101"))
      .map(([callSid, action, appArgs]): Act => (p) =>
        p.call(methods.ExecuteDialplan, {
          callSid: p.name(callSid),
          action,
          appArgs: appArgs === "s1" ? p.name("s1") : appArgs,
        })
      ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(sid, fc.integer({ min: 1, max: 60 }))
      .map(([callSid, frames]): Act => (p) => p.speak(p.name(callSid), frames)),
  },
  pick(clientIds).map((clientId): Act => (p) => p.call(methods.StreamEvents, { clientId })),
  fc.tuple(sid, fc.constantFrom(...Object.values(SupervisionMode)))
    .map(([callSid, mode]): Act => (p) =>
      p.call(methods.SuperviseSubscribe, {
        callSid: p.name(callSid),
        mode,
        authToken: p.adminToken,
      })
    ),
  sid.map((callSid): Act => (p) =>
    p.call(methods.AnswerIncomingCall, { callSid: p.name(callSid) })
  ),
  sid.map((callSid): Act => (p) =>
    p.call(methods.AllocateWt, { callSid: p.name(callSid), tenantId: "b" })
  ),
  pick(trunks).map((trunkId): Act => (p) => p.call(methods.GetIncomingCalls, { trunkId })),
  fc.tuple(pick(trunks), fc.nat(4)).map(([trunkId, rule]): Act => (p) =>
    p.call(methods.SetInboundRouting, {
      ...{
        trunkId,
        rule,
        audioUrl: "x",
        webhookUrl: "https://x.test/",
        aiQuicUrl: "quic://x.test",
      },
    })
  ),
  fc.tuple(pick(trunks), sid).map(([trunkId, callSid]): Act => async (p) => {
    const { tenantId } = p.account;
    const call = await p.setup.gateway.simulateInboundCall({
      tenantId,
      trunkId,
      callSid: p.name(callSid),
    })
      .catch((error: Error) => ({ sipStatus: error.message }));
    p.replies.push(`inbound ${call.sipStatus}`);
  }),
  fc.constant<Act>((p) => p.call(methods.GetActiveBuckets, {})),
  pick(buckets).map((bucketId): Act => (p) =>
    p.call(methods.GetBucketCalls, { bucketId: p.bucket(bucketId) })
  ),
  fc.tuple(pick(buckets), fc.nat(2)).map(([bucketId, action]): Act => (p) =>
    p.call(methods.ExecuteBucketAction, { bucketId: p.bucket(bucketId), action })
  ),
  fc.tuple(pick(campaigns), pick(trunks), sid).map(
    ([campaignId, templateTrunkId, sid]): Act => (p) =>
      p.call(methods.OriginateBulk, {
        campaignId: p.name(campaignId),
        ...{ templateTrunkId, templateDefaultApp: 1, callsPerSecond: 20 },
        csvUrl: `data:,to,call_sid%0A%2B15550101,%0A%2B15550100,${p.name(sid)}%0A%2B15550104,`,
      }),
  ),
  pick(campaigns).map((campaignId): Act => (p) =>
    p.call(methods.AbortBulk, { campaignId: p.name(campaignId) })
  ),
  pick(trunks).map((trunkId): Act => (p) =>
    p.call(methods.GetTrunk, { adminToken: p.adminToken, trunkId })
  ),
  pick(trunks).map((trunkId): Act => (p) =>
    p.call(methods.RemoveTrunk, { adminToken: p.adminToken, trunkId })
  ),
  fc.tuple(pick(trunks), fc.constantFrom(1, 50)).map(([trunkId, channelLimit]): Act => (p) =>
    p.call(methods.AddTrunk, { adminToken: p.adminToken, trunkId, channelLimit })
  ),
  fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("b-key", "a-key", "x"))
    .map(([tenantId, privateKeyId]): Act => (p) =>
      p.call(methods.RevokeServiceAccount, { adminToken: p.adminToken, tenantId, privateKeyId })
    ),
  fc.constantFrom("a", "b", "c").map((tenantId): Act => (p) =>
    p.call(methods.SessionAuth, { adminToken: p.adminToken, tenantId, subject: "u", ttlSeconds: 0 })
  ),
  pick(clientIds).map((clientId): Act => (p) => p.connect(clientId)),
);

type Step =
  | { readonly who: "a" | "b"; readonly act: Act }
  | { readonly advance: number };

const dialNow = (callSid: string, to: string, clientId: string): Act => (p) =>
  p.call(methods.Originate, {
    ...{ trunkId: "main", callSid: p.name(callSid), to, clientId },
    defaultApp: 1,
  });

const freeSteps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: acts.map((act): Step => ({ who: "a", act })) },
    { weight: 4, arbitrary: acts.map((act): Step => ({ who: "b", act })) },
    { weight: 2, arbitrary: fc.constantFrom(20, 60, 200).map((advance): Step => ({ advance })) },
  ),
  { minLength: 3, maxLength: 9 },
);

/** Both have a call when it begins, as often as not under the same id. */
const steps: fc.Arbitrary<Step[]> = fc.tuple(
  ...[pick(numbers), pick(clientIds), sid, pick(numbers), pick(clientIds)] as const,
  freeSteps,
).map(([toA, clientA, sidB, toB, clientB, rest]): Step[] => [
  { who: "b", act: dialNow(sidB, toB, clientB) },
  { who: "a", act: dialNow("s0", toA, clientA) },
  { advance: 200 },
  ...rest,
]);

const accounts = {
  a: await testAccount("a", "key"),
  b: await testAccount("b", "key"),
};
const tokens: Map<string, Promise<string>> = new Map();

async function enter(setup: TestGateway<QuickClock>, name: "a" | "b", as = name): Promise<Player> {
  const account = accounts[as];
  if (as === name) {
    await setup.addTenant(name, { name: "key", role: "admin" });
    await setup.gateway.addTrunk({ tenantId: name, trunkId: `${name}-only`, channelLimit: 2 });
  }
  let token = tokens.get(as);
  if (token === undefined) tokens.set(as, token = setup.token(account));
  const player = new Player(setup, account, await token);
  await player.connect("c0");
  return player;
}

/** A gateway with tenant a, and with or without tenant b. */
class World implements AsyncDisposable {
  readonly setup: TestGateway<QuickClock> = new TestGateway({ clock: new QuickClock() });
  a!: Player;
  b: Player | undefined;

  static async open(b?: "a" | "b"): Promise<World> {
    const world = new World();
    world.a = await enter(world.setup, "a");
    if (b !== undefined) world.b = await enter(world.setup, "b", b);
    return world;
  }

  /** Plays the steps and returns what tenant a saw, step by step. */
  async play(steps: readonly Step[]): Promise<string[]> {
    const { a, b, setup } = this;
    for (const player of [a, b]) if (player !== undefined) player.round++;
    const seen: string[] = [];
    for (const step of steps) {
      let { client } = a;
      let chunks = client.pushed.length;
      if ("advance" in step) await setup.clock.advance(step.advance);
      else if (step.who === "a") await step.act(a).catch(() => a.replies.push("closed"));
      // The other tenant may come to its end: it revokes its own key, or is cut.
      else if (b !== undefined && !b.client.isClosed) await step.act(b).catch(() => {});
      await turn();
      if (client !== a.client) [client, chunks] = [a.client, 0];
      const pushed = client.pushed.slice(chunks).map(exact);
      seen.push(JSON.stringify([
        ...[setup.clock.monotonic(), a.replies.splice(0), pushed],
        ...[client.pushStreams, client.isClosed, client.closeInfo],
      ]));
    }
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.setup[Symbol.asyncDispose]();
  }
}

/** Two worlds that go through the same sequences, and are made anew when they are used up. */
class Worlds implements AsyncDisposable {
  readonly #b: "a" | "b";
  #both: World | undefined;
  #alone: World | undefined;
  #left = 0;

  constructor(b: "a" | "b") {
    this.#b = b;
  }

  async compare(steps: readonly Step[]): Promise<void> {
    if (this.#left-- <= 0 || this.#alone?.a.client.isClosed) await this.#renew();
    const [both, alone] = [await this.#both!.play(steps), await this.#alone!.play(steps)];
    // Worlds that have parted stay apart: what is played next begins in new ones.
    if (both.join() !== alone.join()) this.#left = 0;
    assert.deepEqual(both, alone);
  }

  async #renew(): Promise<void> {
    await this[Symbol.asyncDispose]();
    this.#both = await World.open(this.#b);
    this.#alone = await World.open();
    this.#left = 20;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#both?.[Symbol.asyncDispose]();
    await this.#alone?.[Symbol.asyncDispose]();
  }
}

const RUNS = Number(Deno.env.get("ISOLATION_RUNS") ?? 10_000);

describe("G-11, G-13, G-16 isolation", () => {
  it(`G-11, G-13, G-16 shows a tenant nothing of another one in ${RUNS} sequences`, async () => {
    await using worlds = new Worlds("b");
    await fc.assert(fc.asyncProperty(steps, (steps) => worlds.compare(steps)), {
      seed,
      numRuns: RUNS,
    });
  });

  it("G-11, G-13, G-16 would see it: a second session of the same tenant shows at once", async () => {
    await using worlds = new Worlds("a");
    const property = fc.asyncProperty(steps, (steps) => worlds.compare(steps));
    const { failed, numRuns } = await fc.check(property, {
      seed,
      numRuns: 200,
      endOnFailure: true,
    });
    assert.ok(failed, `no difference in ${numRuns} sequences`);
  });
});
