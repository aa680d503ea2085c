import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes } from "../../src/base/bytes.ts";
import { DialplanAction, encodeFrame, type Method, methods } from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import type { RawClient } from "../support/raw_client.ts";
import { TestGateway } from "../support/tenant_kit.ts";

const SID = "7c3cc8f2-5d0e-4d6e-9d0c-d5b2a9f0aaaa";
const GHOST = "7c3cc8f2-5d0e-4d6e-9d0c-d5b2a9f0bbbb";
const dial = { trunkId: "main", to: "+15550100", defaultApp: 1 } as const;

/** Tenants a and b, each with a session; b has a call, a trunk and a campaign of its own that a knows the ids of. */
async function twoTenants(setup: TestGateway): Promise<{ a: RawClient; b: RawClient }> {
  const a = await setup.connect(await setup.addTenant("a"), { clientId: "client-a" });
  const b = await setup.connect(await setup.addTenant("b", { name: "first" }), {
    clientId: "client-b",
  });
  await setup.gateway.addTrunk({ tenantId: "b", trunkId: "b-only" });
  await b.rpc(methods.Originate, {
    ...dial,
    trunkId: "b-only",
    callSid: SID,
    clientId: "client-b",
  });
  await b.rpc(methods.OriginateBulk, {
    csvUrl: "data:text/csv,to%0A%2B15550102%0A%2B15550102%0A%2B15550102",
    templateTrunkId: "b-only",
    templateDefaultApp: 1,
    callsPerSecond: 1,
    campaignId: "b-campaign",
  });
  await setup.clock.advance(200);
  return { a, b };
}

/** Replies to the same request about another tenant's object and about nothing are the same bytes, but for the id in them. */
function assertSameBytes(
  foreign: Uint8Array,
  unknown: Uint8Array,
  ids: readonly [string, string],
): void {
  const swap = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(ids[0], ids[1]);
  assert.equal(swap(foreign), swap(unknown));
  assert.equal(foreign.length, unknown.length);
}

describe("G-10 subscriptions", () => {
  it("G-10 gives another tenant nothing for a client id that it knows", async () => {
    await using setup = new TestGateway();
    const { a, b } = await twoTenants(setup);
    await a.rpc(methods.StreamEvents, { clientId: "client-b" });
    b.events.length = 0;
    await b.rpc(methods.Originate, { ...dial, clientId: "client-b" });
    await setup.clock.advance(300);
    assert.deepEqual([a.events.length, b.events.length], [0, 3]);
  });

  it("G-10 lets the last of a tenant's sessions hold a client id, and the one before when it goes", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const first = await setup.connect(acme, { clientId: "c" });
    const second = await setup.connect(acme, { clientId: "c" });
    const heard = async () => {
      first.events.length = second.events.length = 0;
      await (first.isClosed ? second : first).rpc(methods.Originate, {
        ...dial,
        to: "+15550101",
        clientId: "c",
      });
      await setup.clock.advance(100);
      return [first.events.length, second.events.length];
    };
    assert.deepEqual(await heard(), [0, 2]);
    second.close();
    await settle();
    assert.deepEqual(await heard(), [2, 0]);
  });

  it("G-10 delivers what was queued before the takeover where it was queued", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const first = await setup.connect(acme, { clientId: "c" });
    const second = await setup.connect(acme);
    // No turn in between: the events of the dial are queued, and not yet written, when the subscription moves.
    const dialled = second.rpc(methods.Originate, { ...dial, clientId: "c" });
    const taken = second.rpc(methods.StreamEvents, { clientId: "c" });
    await Promise.all([dialled, taken]);
    await setup.clock.advance(200);
    assert.deepEqual(first.events.map(({ status }) => status), ["INITIATED", "RINGING"]);
    assert.deepEqual(second.events.map(({ status }) => status), ["ANSWERED"]);
  });

  it("G-10 sends every subscriber of a call without a holder, and the empty client id of everything", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const [one, two, all, none] = [
      await setup.connect(acme, { clientId: "one" }),
      await setup.connect(acme, { clientId: "two" }),
      await setup.connect(acme, { clientId: "" }),
      await setup.connect(acme),
    ];
    const heard = async (clientId: string) => {
      const clients = [one, two, all, none];
      for (const client of clients) client.events.length = 0;
      await none.rpc(methods.Originate, { ...dial, to: "+15550101", clientId });
      await setup.clock.advance(100);
      return clients.map(({ events }) => events.length);
    };
    assert.deepEqual(await heard("one"), [2, 0, 2, 0]);
    assert.deepEqual(await heard(""), [2, 2, 2, 0]);
    assert.deepEqual(await heard("other"), [2, 2, 2, 0]);
  });

  it("G-10 bounds the client ids of a session", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"));
    for (let i = 0; i < 8; i++) {
      assert.equal(
        (await client.rpc(methods.StreamEvents, { clientId: `c${i}` })).fault.errorCode,
        0,
      );
    }
    const { fault } = await client.rpc(methods.StreamEvents, { clientId: "c8" });
    assert.deepEqual([fault.errorCode, fault.errorMessage], [
      6,
      "Too many client_ids for one session",
    ]);
    assert.equal((await client.rpc(methods.StreamEvents, { clientId: "c7" })).fault.errorCode, 0);
  });
});

describe("G-11 another tenant's calls and campaigns", () => {
  const probes:
    readonly (readonly [string, (sid: string) => readonly [Method<unknown, unknown>, object]])[] = [
      ["Terminate", (callSid) => [methods.Terminate, { callSid }]],
      ["Barge", (callSid) => [methods.Barge, { callSid }]],
      ...Object.values(DialplanAction).map((action) =>
        [
          `ExecuteDialplan ${action}`,
          (callSid: string) =>
            [methods.ExecuteDialplan, { callSid, action, appArgs: "5" }] as const,
        ] as const
      ),
      ["AnswerIncomingCall", (callSid) => [methods.AnswerIncomingCall, { callSid }]],
      ["AllocateWt", (callSid) => [methods.AllocateWt, { callSid }]],
      ["AbortBulk", (campaignId) => [methods.AbortBulk, { campaignId }]],
      ["GetBucketCalls", (bucketId) => [methods.GetBucketCalls, { bucketId }]],
      ["ExecuteBucketAction", (bucketId) => [methods.ExecuteBucketAction, { bucketId }]],
    ];

  for (const [name, probe] of probes) {
    it(`G-11 answers ${name} for a foreign id as for one that does not exist, and touches nothing`, async () => {
      await using setup = new TestGateway();
      const { a, b } = await twoTenants(setup);
      b.events.length = 0;
      const isCampaign = name === "AbortBulk" || name.includes("Bucket");
      const ids = isCampaign ? ["b-campaign", "x-campaign"] as const : [SID, GHOST] as const;
      const [foreign, unknown] = await Promise.all(ids.map((id) => {
        const [method, request] = probe(id);
        return a.rpc(method, request);
      }));
      assertSameBytes(foreign!.bytes, unknown!.bytes, ids);
      await setup.clock.advance(100);
      assert.deepEqual([a.events.length, a.audio.length, b.events.length], [0, 0, 0]);
      assert.equal((await b.rpc(methods.Terminate, { callSid: SID })).reply?.errorCode, 0);
      const { reply } = await b.rpc(methods.AbortBulk, { campaignId: "b-campaign" });
      assert.equal(reply?.status, "OK");
    });
  }

  it("G-11 refuses to supervise a foreign call as one that does not exist", async () => {
    await using setup = new TestGateway();
    const { a } = await twoTenants(setup);
    const authToken = await setup.token(await setup.addTenant("a"));
    const ask = (callSid: string) =>
      a.rpc(methods.SuperviseSubscribe, { callSid, authToken, tenantId: "b" });
    const [foreign, unknown] = [await ask(SID), await ask(GHOST)];
    assertSameBytes(foreign.bytes, unknown.bytes, [SID, GHOST]);
    assert.equal(foreign.reply?.errorMessage, "Unknown call_sid");
  });
});

describe("G-12 ids that clients choose", () => {
  it("G-12 keeps a namespace for each tenant", async () => {
    await using setup = new TestGateway();
    const { a, b } = await twoTenants(setup);
    const { reply } = await a.rpc(methods.Originate, {
      ...dial,
      to: "+15550102",
      callSid: SID,
      clientId: "client-a",
    });
    assert.deepEqual([reply?.errorCode, reply?.callSid, reply?.status], [0, SID, "QUEUED"]);
    b.events.length = 0;
    await a.rpc(methods.Terminate, { callSid: SID });
    await settle();
    assert.equal(b.events.length, 0);
    assert.deepEqual(a.events.map(({ status }) => status), ["INITIATED", "RINGING", "COMPLETED"]);
    assert.equal((await b.rpc(methods.Terminate, { callSid: SID })).reply?.errorCode, 0);
  });

  it("G-12 takes a repeated dial for the same call for 30 s, and refuses the id afterwards", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    const ask = (more = {}) =>
      client.rpc(methods.Originate, { ...dial, callSid: SID, clientId: "c", ...more });
    const first = await ask();
    await setup.clock.advance(10_000);
    assert.deepEqual((await ask()).bytes, first.bytes);
    assert.equal(setup.gateway.stats().calls.total, 1);
    const other = await ask({ to: "+15550101" });
    assert.deepEqual([other.reply?.errorCode, other.reply?.errorMessage], [
      6,
      "call_sid was used before",
    ]);
    await client.rpc(methods.Terminate, { callSid: SID });
    assert.deepEqual((await ask()).bytes, first.bytes);
    await setup.clock.advance(20_001);
    assert.equal((await ask()).reply?.errorCode, 6);
    assert.equal(setup.gateway.stats().calls.total, 1);
  });

  it("G-12 refuses an invalid id", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"));
    for (const callSid of ["-x", "a b", "a/b", "a,b", "\u00e9", "x".repeat(129)]) {
      const { reply } = await client.rpc(methods.Originate, { ...dial, callSid });
      assert.deepEqual(
        [reply?.errorCode, reply?.errorMessage],
        [6, "call_sid is malformed"],
        callSid,
      );
    }
  });
});

describe("G-13 another tenant's trunks", () => {
  const probes: readonly (readonly [
    string,
    (trunkId: string) => readonly [Method<unknown, unknown>, object],
  ])[] = [
    ["Originate", (trunkId) => [methods.Originate, { ...dial, trunkId }]],
    ["SetInboundRouting", (trunkId) => [methods.SetInboundRouting, { trunkId, rule: 0 }]],
    ["GetIncomingCalls", (trunkId) => [methods.GetIncomingCalls, { trunkId }]],
    [
      "GetBucketCalls",
      (trunkId) => [methods.GetBucketCalls, { bucketId: `incoming:${trunkId}` }],
    ],
    ["OriginateBulk", (templateTrunkId) => [methods.OriginateBulk, {
      csvUrl: "data:,to%0A%2B15550100",
      templateTrunkId,
      templateDefaultApp: 1,
      callsPerSecond: 1,
      campaignId: "x",
    }]],
  ];

  for (const [name, probe] of probes) {
    it(`G-13 answers ${name} for a foreign trunk as for one that does not exist`, async () => {
      await using setup = new TestGateway();
      const { a } = await twoTenants(setup);
      const ids = ["b-only", "x-only"] as const;
      const replies: Uint8Array[] = [];
      for (const id of ids) {
        const [method, request] = probe(id);
        replies.push((await a.rpc(method, request)).bytes);
        // A campaign of no rows is over in the next turn.
        await settle();
      }
      assertSameBytes(replies[0]!, replies[1]!, ids);
    });
  }

  it("G-13 says of both: unknown trunk_id, error code 1", async () => {
    await using setup = new TestGateway();
    const { a } = await twoTenants(setup);
    const { reply } = await a.rpc(methods.Originate, { ...dial, trunkId: "b-only" });
    assert.deepEqual([reply?.errorCode, reply?.errorMessage, reply?.callSid], [
      1,
      "Unknown trunk_id",
      "",
    ]);
  });
});

describe("G-14 tenant_id in requests", () => {
  it("G-14 gives it no authority, counts and logs a difference", async () => {
    const mismatches: (string | undefined)[] = [];
    await using setup = new TestGateway({
      log: ({ event, tenantId }) => void (event === "tenant.mismatch" && mismatches.push(tenantId)),
    });
    const { a, b } = await twoTenants(setup);
    b.events.length = 0;
    const { reply } = await a.rpc(methods.Originate, {
      ...dial,
      tenantId: "b",
      clientId: "client-a",
    });
    assert.equal(reply?.errorCode, 0);
    await settle();
    assert.deepEqual([a.events[0]?.tenantId, b.events.length], ["a", 0]);
    await a.rpc(methods.AllocateWt, { callSid: SID, tenantId: "b" });
    await a.rpc(methods.OriginateBulk, { templateTenantId: "b" });
    await a.rpc(methods.Originate, { ...dial, tenantId: "a" });
    assert.equal(setup.gateway.stats().tenantMismatches, 3);
    assert.deepEqual(mismatches, ["a", "a", "a"]);
  });
});

describe("G-15 audio for calls that are not there", () => {
  const frame = (sid: string, sequenceNumber: number, fill = 1) => ({
    callSid: sid,
    codec: "PCMU",
    sequenceNumber,
    payload: new Uint8Array(160).fill(fill),
  });

  it("G-15 stops a stream after 50 frames for a foreign call, exactly as for one that does not exist", async () => {
    await using setup = new TestGateway();
    const { a, b } = await twoTenants(setup);
    for (const sid of [SID, GHOST]) {
      const uplink = await a.openAudio();
      for (let i = 0; i < 49; i++) await uplink.send(frame(sid, i));
      await settle();
      let isStopped = false;
      void uplink.stopped.then(() => isStopped = true);
      await settle();
      assert.equal(isStopped, false);
      await uplink.send(frame(sid, 49));
      assert.ok(await uplink.stopped instanceof Error);
    }
    assert.deepEqual([a.audio.length, b.audio.length], [0, 0]);
    assert.equal(setup.gateway.stats().audio.refused, 100);
    // What b hears is what b says, to the byte.
    const uplink = await b.openAudio();
    await uplink.send(frame(SID, 0, 77));
    await settle();
    assert.deepEqual(b.audio.map(({ payload }) => payload), [new Uint8Array(160).fill(77)]);
  });

  it("G-15 drops and counts what a call cannot use", async () => {
    await using setup = new TestGateway();
    const { b } = await twoTenants(setup);
    const uplink = await b.openAudio();
    const heard = async (...frames: Parameters<typeof uplink.send>[0][]) => {
      b.audio.length = 0;
      for (const frame of frames) await uplink.send(frame);
      await settle();
      return b.audio.length;
    };
    assert.equal(await heard(frame(SID, 0), frame(SID, 0), frame(SID, 1)), 2, "a replay");
    assert.equal(await heard(frame(SID, 5), frame(SID, 3), frame(SID, 3)), 2, "late, once");
    assert.equal(
      await heard({ ...frame(SID, 6), codec: "OPUS" }, { ...frame(SID, 7), codec: "" }),
      0,
    );
    assert.equal(await heard({ ...frame(SID, 8), payload: new Uint8Array(8_193) }), 0, "too large");
    assert.equal(await heard(frame(SID, 2 ** 40)), 1, "a leap");
    assert.equal(
      await heard({ ...frame(SID, 2 ** 40 + 1), endOfStream: true }, frame(SID, 2 ** 40 + 2)),
      1,
    );
    assert.equal(setup.gateway.stats().audio.refused, 6);
  });

  it("G-15 takes audio of one call from two streams, and frames of unknown methods from none", async () => {
    await using setup = new TestGateway();
    const { b } = await twoTenants(setup);
    const [one, two] = [await b.openAudio(), await b.openAudio()];
    await one.send(frame(SID, 0, 1));
    await settle();
    await two.send(frame(SID, 1, 2));
    await settle();
    await two.write(encodeFrame(methods.CallEvent, { callSid: SID }));
    await one.send(frame(SID, 2, 3));
    await settle();
    assert.deepEqual(b.audio.map(({ payload }) => payload[0]), [1, 2, 3]);
  });

  it("G-15 drops audio for a call that has ended, without harm to the stream's others", async () => {
    await using setup = new TestGateway();
    const { b } = await twoTenants(setup);
    await b.rpc(methods.Originate, { ...dial, callSid: GHOST, clientId: "client-b" });
    await setup.clock.advance(200);
    const uplink = await b.openAudio();
    await uplink.send(frame(SID, 0));
    await uplink.send(frame(GHOST, 0));
    await settle();
    await b.rpc(methods.Terminate, { callSid: SID });
    b.audio.length = 0;
    for (let i = 1; i < 200; i++) {
      await uplink.send(frame(SID, i));
      await uplink.send(frame(GHOST, i));
    }
    await settle();
    assert.equal(b.audio.length, 199);
    assert.ok(b.audio.every(({ callSid }) => callSid === GHOST));
  });
});

describe("G-16 many tenants at once", () => {
  it("G-16 gives each of 20 tenants exactly the events of its own 50 calls", async () => {
    const limits = {
      callsPerSecond: Infinity,
      rpcsPerSecond: Infinity,
      rpcsPerSecondPerTenant: Infinity,
    };
    await using setup = new TestGateway({ limits });
    const tenants = await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const account = await setup.addTenant(`tenant-${i}`);
      // Every tenant uses the same ids.
      return { account, client: await setup.connect(account, { clientId: "same" }) };
    }));
    const numbers = ["+15550100", "+15550101", "+15550102", "+15550105"];
    await Promise.all(tenants.map(async ({ client }, t) => {
      for (let i = 0; i < 50; i++) {
        const to = numbers[(i + t) % numbers.length]!;
        await client.rpc(methods.Originate, {
          ...dial,
          to,
          callSid: `call-${i}`,
          clientId: "same",
        });
      }
    }));
    await setup.clock.advance(5_000);
    const steps = { "+15550100": 3, "+15550101": 2, "+15550102": 3, "+15550105": 4 };
    for (const [t, { client }] of tenants.entries()) {
      const expected = Array.from(
        { length: 50 },
        (_, i) => steps[numbers[(i + t) % numbers.length] as keyof typeof steps],
      ).reduce((sum, count) => sum + count);
      assert.equal(client.events.length, expected);
      assert.ok(client.events.every(({ tenantId }) => tenantId === `tenant-${t}`));
      const keys = client.events.map(({ callSid, eventType, status }) =>
        `${callSid}/${eventType}/${status}`
      );
      assert.equal(new Set(keys).size, keys.length);
    }
  });
});

describe("G-17 what refusals repeat", () => {
  it("G-17 never sends a canary planted in another tenant's data", async () => {
    await using setup = new TestGateway();
    const canary = "canary5f3a";
    const a = await setup.connect(await setup.addTenant("a"), { clientId: "" });
    const account = await setup.addTenant(`b-${canary}`, { trunkId: `trunk-${canary}` });
    const b = await setup.connect(account, { clientId: `client-${canary}` });
    await b.rpc(methods.Originate, {
      ...dial,
      trunkId: `trunk-${canary}`,
      callSid: `call-${canary}`,
      callFrom: canary,
      clientId: `client-${canary}`,
    });
    await setup.clock.advance(300);
    const seen: Uint8Array[] = [];
    for (const method of Object.values(methods) as Method<unknown, unknown>[]) {
      if (method.reply === undefined || method.name === "Authenticate") continue;
      for (const request of [{}, { callSid: "x" }, { trunkId: "x", to: "x", defaultApp: 1 }]) {
        seen.push((await a.rpc(method, request)).bytes);
      }
    }
    await setup.clock.advance(5_000);
    const text = new TextDecoder().decode(concatBytes([...seen, a.pushedBytes()]));
    assert.ok(text.length > 1_000);
    assert.ok(!text.includes(canary));
    assert.doesNotMatch(text, /-----BEGIN|eyJ|\.ts\b|at .+:\d+:\d+|file:/);
  });
});
