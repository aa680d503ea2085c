/**
 * Scope as one property, for two principals of one tenant. A sequence of steps is played twice: once with the tenant's own service, which may
 * do everything, and once without it. What a page with a scope sees has to be the same to the byte, for all that the service does with its own
 * calls under the page's client ids, and any the page tries on the service's calls.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { mintBrowserToken } from "../../src/token/mod.ts";
import { InboundRule, methods, SupervisionMode } from "../../src/wire/mod.ts";
import { QuickClock, turn } from "../support/quick_clock.ts";
import type { RawAudio, RawClient } from "../support/raw_client.ts";
import { seed } from "../support/seed.ts";
import { testAccount, TestGateway } from "../support/tenant_kit.ts";

const clientIds = ["c0", "c1", ""] as const;
// No number whose far end draws from the tenant's random numbers: those are one sequence for the whole tenant.
const numbers = ["+15550100", "+15550101", "+15550105", "+15550106", "+15550108"] as const;
const acme = await testAccount("acme");

function exact(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** One principal, with names of its own and those of the other one in reach. */
class Player {
  readonly client: RawClient;
  readonly name: "page" | "service";
  readonly replies: string[] = [];
  #audio: RawAudio | undefined;

  constructor(client: RawClient, name: "page" | "service") {
    this.client = client;
    this.name = name;
  }

  async call(...[method, request]: Parameters<RawClient["rpc"]>): Promise<void> {
    const { bytes, isReset } = await this.client.rpc(method, request);
    this.replies.push(`${method.name} ${isReset ? "reset" : exact(bytes)}`);
  }

  async speak(callSid: string, count: number): Promise<void> {
    try {
      this.#audio ??= await this.client.openAudio();
      for (let i = 0; i < count; i++) {
        const payload = new Uint8Array(20).fill(i);
        await this.#audio.send({ callSid, codec: "PCMU", payload, sequenceNumber: i });
      }
    } catch {
      this.#audio = undefined;
      this.replies.push("stopped");
    }
  }
}

type Act = (player: Player) => Promise<void>;

const sid = fc.constantFrom("s0", "s1");
const own = (name: string) => (player: Player) => `${player.name}-${name}`;

/** What each may do with calls of its own. */
const ownActs: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(sid, fc.constantFrom(...numbers), fc.constantFrom(...clientIds)).map(
      ([name, to, clientId]): Act => (p) =>
        p.call(methods.Originate, {
          ...{ trunkId: "main", to, callSid: own(name)(p), clientId, defaultApp: 1 },
        }),
    ),
  },
  sid.map((name): Act => (p) => p.call(methods.Terminate, { callSid: own(name)(p) })),
  sid.map((name): Act => (p) => p.call(methods.Barge, { callSid: own(name)(p) })),
  fc.tuple(sid, fc.nat(15)).map(([name, action]): Act => (p) =>
    p.call(methods.ExecuteDialplan, { callSid: own(name)(p), action, appArgs: "" })
  ),
  fc.tuple(sid, fc.integer({ min: 1, max: 30 })).map(([name, count]): Act => (p) =>
    p.speak(own(name)(p), count)
  ),
  fc.constantFrom(...clientIds).map((clientId): Act => (p) =>
    p.call(methods.StreamEvents, { clientId })
  ),
  fc.constant<Act>((p) => p.call(methods.GetActiveBuckets, {})),
  fc.constant<Act>((p) => p.call(methods.GetBucketCalls, { bucketId: "parked" })),
  fc.constant<Act>((p) =>
    p.call(methods.OriginateBulk, {
      ...{ campaignId: own("k")(p), templateTrunkId: "main", callsPerSecond: 20 },
      templateDefaultApp: 1,
      csvUrl: `data:,to,call_sid%0A%2B15550101,${own("r0")(p)}%0A%2B15550105,${own("r1")(p)}`,
    })
  ),
);

/** What the page tries on the service's calls. */
const attacks: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(
    sid,
    fc.constantFrom(
      ...[methods.Terminate, methods.Barge, methods.AnswerIncomingCall, methods.AllocateWt],
    ),
  ).map(([name, method]): Act => (p) =>
    p.call(method as typeof methods.Terminate, { callSid: `service-${name}` })
  ),
  fc.tuple(sid, fc.nat(15)).map(([name, action]): Act => (p) =>
    p.call(methods.ExecuteDialplan, { callSid: `service-${name}`, action, appArgs: "page-s0" })
  ),
  fc.tuple(sid, fc.integer({ min: 1, max: 30 })).map(([name, count]): Act => (p) =>
    p.speak(`service-${name}`, count)
  ),
  sid.map((name): Act => (p) =>
    p.call(methods.SuperviseSubscribe, { callSid: `service-${name}`, mode: SupervisionMode.BARGE })
  ),
  fc.constant<Act>((p) => p.call(methods.GetIncomingCalls, { trunkId: "main" })),
  fc.constantFrom("service-k", "parked", "incoming:main").map((bucketId): Act => (p) =>
    p.call(methods.GetBucketCalls, { bucketId })
  ),
  fc.constantFrom("service-k", "incoming:main").chain((bucketId) =>
    fc.nat(1).map((action): Act => (p) => p.call(methods.ExecuteBucketAction, { bucketId, action }))
  ),
  fc.constant<Act>((p) => p.call(methods.AbortBulk, { campaignId: "service-k" })),
);

const inbound: Act = async (p) => {
  await p.call(methods.SetInboundRouting, {
    ...{ trunkId: "main", rule: InboundRule.NOTIFY_AND_HANGUP },
    webhookUrl: "https://x.test/",
  });
};

type Step =
  | { readonly who: "page" | "service"; readonly act: Act }
  | { readonly advance: number }
  | { readonly rings: true };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: ownActs.map((act): Step => ({ who: "page", act })) },
    { weight: 4, arbitrary: attacks.map((act): Step => ({ who: "page", act })) },
    { weight: 5, arbitrary: ownActs.map((act): Step => ({ who: "service", act })) },
    { weight: 1, arbitrary: fc.constant<Step>({ rings: true }) },
    { weight: 3, arbitrary: fc.constantFrom(20, 200, 1_000).map((advance): Step => ({ advance })) },
  ),
  { minLength: 4, maxLength: 14 },
);

/** Plays the steps in a world with or without the service. Returns what the page saw, step by step. */
async function play(
  steps: readonly Step[],
  service: "alice" | "anyone" | undefined,
): Promise<string[]> {
  await using setup = new TestGateway<QuickClock>({ clock: new QuickClock() });
  await setup.addTenant("acme");
  await setup.gateway.addTrunk({ tenantId: "acme", trunkId: "main", channelLimit: 1_000 });
  // Packets of all calls of a tenant leave at the same ticks. A call that is there in both worlds sets their phase.
  const anchor = await setup.connect(acme, { clientId: "anchor" });
  await anchor.rpc(methods.Originate, {
    ...{ trunkId: "main", to: "+15550106", callSid: "anchor", clientId: "anchor", defaultApp: 1 },
  });
  await setup.clock.advance(2_000);
  const enter = async (name: "page" | "service", claims: object) => {
    const client = setup.dial();
    const now = setup.clock.now();
    const reply = await client.authenticate(
      await mintBrowserToken(acme.signer, { now, ...claims }),
    );
    assert.equal(reply?.status, "OK");
    await client.rpc(methods.StreamEvents, { clientId: "c0" });
    return new Player(client, name);
  };
  const other = service === undefined ? undefined : await enter(
    "service",
    // The control: another session of the same user is one that the page may see.
    service === "alice" ? { endUser: "alice", scope: "call.dial" } : { endUser: "operator" },
  );
  const page = await enter("page", { endUser: "alice", scope: "call.dial call.barge" });
  const players = { page, service: other };
  const seen: string[] = [];
  let calls = 0;
  for (const step of steps) {
    const chunks = page.client.pushed.length;
    if ("advance" in step) await setup.clock.advance(step.advance);
    else if ("rings" in step) {
      if (other === undefined) continue;
      await inbound(other);
      await setup.gateway.simulateInboundCall({
        ...{ tenantId: "acme", trunkId: "main", callSid: `in-${seen.length}-${calls++}` },
      });
    } else {
      const player = players[step.who];
      if (player !== undefined) await step.act(player);
    }
    await turn();
    const pushed = page.client.pushed.slice(chunks).map(exact).join("");
    if ("advance" in step || ("who" in step && step.who === "page") || pushed !== "") {
      seen.push(JSON.stringify([setup.clock.monotonic(), page.replies.splice(0), pushed]));
    }
  }
  seen.push(JSON.stringify([page.client.isClosed, page.client.closeInfo]));
  return seen;
}

async function compare(steps: readonly Step[], service: "alice" | "anyone"): Promise<void> {
  const [both, alone] = [await play(steps, service), await play(steps, undefined)];
  const differs = both.findIndex((line, i) => line !== alone[i]);
  assert.equal(differs, -1, `${both[differs]?.slice(0, 500)}\n${alone[differs]?.slice(0, 500)}`);
  assert.equal(both.length, alone.length);
}

const RUNS = Number(Deno.env.get("ISOLATION_RUNS") ?? 1_000) / 2;

describe("G-28 scope and two principals of one tenant", () => {
  it(`G-28 shows a page nothing of what the service does, in ${RUNS} sequences`, async () => {
    await fc.assert(fc.asyncProperty(steps, (steps) => compare(steps, "anyone")), {
      seed,
      numRuns: RUNS,
    });
  });

  it("G-28 would see it: another session of the same user shows at once", async () => {
    const property = fc.asyncProperty(steps, (steps) => compare(steps, "alice"));
    const { failed } = await fc.check(property, { seed, numRuns: 100, endOnFailure: true });
    assert.ok(failed);
  });
});
