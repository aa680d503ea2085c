/**
 * What a token with a scope can do, at every door of the gateway: RPCs, events, audio in and out, client ids, lists, supervision.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { mintBrowserToken } from "../../src/token/mod.ts";
import type { WebTransportConstructor, WebTransportLike } from "../../src/transport/mod.ts";
import {
  DialplanAction,
  encodeRequest,
  EventType,
  InboundRule,
  methods,
  ReplyReader,
  SupervisionMode,
} from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import type { RawClient } from "../support/raw_client.ts";
import { type TestAccount, TestGateway } from "../support/tenant_kit.ts";

const WORDS = [
  ...["call.dial", "call.barge", "call.answer", "call.listen", "call.speak", "call.read"],
  "telephony:supervise",
] as const;
// What is not in the table.
const UNKNOWN = ["call", "call.*", "*", "admin", "CALL.DIAL", "telephony:supervise2", "__proto__"];
const FRAME = { codec: "PCMU", payload: new Uint8Array(160).fill(1) };

/** A gateway with one tenant, a backend that may do everything, and as many pages as wanted. */
class Stage implements AsyncDisposable {
  readonly setup = new TestGateway();
  acme!: TestAccount;
  backend!: RawClient;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    stage.acme = await stage.setup.addTenant("acme");
    stage.backend = await stage.setup.connect(stage.acme, { clientId: "backend" });
    return stage;
  }

  async page(
    scope: string | undefined,
    options: { readonly endUser?: string; readonly clientId?: string } = {},
  ): Promise<RawClient> {
    const { endUser, clientId = crypto.randomUUID() } = options;
    const { setup, acme } = this;
    const client = setup.dial();
    const token = await mintBrowserToken(acme.signer, {
      now: setup.clock.now(),
      ...(scope === undefined ? {} : { scope }),
      ...(endUser === undefined ? {} : { endUser }),
    });
    const reply = await client.authenticate(token);
    assert.equal(reply?.status, "OK", reply?.errorMessage);
    const { fault } = await client.rpc(methods.StreamEvents, { clientId });
    assert.equal(fault.errorCode, 0, fault.errorMessage);
    return client;
  }

  /** A call that is answered, with its audio. */
  async dial(by: RawClient, callSid: string, clientId: string): Promise<number | undefined> {
    const { reply } = await by.rpc(methods.Originate, {
      ...{ trunkId: "main", to: "+15550106", callSid, clientId, defaultApp: 1 },
    });
    await this.setup.clock.advance(2_000);
    return reply?.errorCode;
  }

  async ring(callSid: string): Promise<void> {
    await this.backend.rpc(methods.SetInboundRouting, {
      ...{ trunkId: "main", rule: InboundRule.NOTIFY_AND_HANGUP },
      webhookUrl: "https://x.test/",
    });
    await this.setup.gateway.simulateInboundCall({ tenantId: "acme", trunkId: "main", callSid });
    await settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.setup[Symbol.asyncDispose]();
  }
}

/** What a page gets done at every door with a call of the backend's: the doors that opened. */
async function doorsToOthers(stage: Stage, page: RawClient): Promise<string[]> {
  const { setup, backend } = stage;
  const open: string[] = [];
  const heard = { events: page.events.length, audio: page.audio.length };
  const callSid = `others-${crypto.randomUUID()}`;
  // Its client id has no holder: then events go to every subscriber, and audio to the newest one, of those that may.
  assert.equal(await stage.dial(backend, callSid, "other"), 0);
  backend.close();
  await settle();
  await setup.clock.advance(200);
  if (page.events.slice(heard.events).some((event) => event.callSid === callSid)) {
    open.push("events");
  }
  if (page.audio.slice(heard.audio).some((frame) => frame.callSid === callSid)) open.push("hear");
  stage.backend = await setup.connect(stage.acme, { clientId: "backend" });

  const before = setup.gateway.stats().audio.received;
  const audio = await page.openAudio();
  await audio.send({ callSid, sequenceNumber: 1, ...FRAME }).catch(() => {});
  await settle();
  if (setup.gateway.stats().audio.received > before) open.push("speak");
  await audio.finish().catch(() => {});

  const barge = await page.rpc(methods.Barge, { callSid });
  if (barge.fault.errorCode === 0) open.push("barge");
  if (await supervised(page, callSid, await setup.token(stage.acme))) open.push("supervise");
  const allocate = await page.rpc(methods.AllocateWt, { callSid });
  if (allocate.reply?.status === "OK") open.push("allocate");
  const { PARK } = DialplanAction;
  const park = await page.rpc(methods.ExecuteDialplan, { callSid, action: PARK });
  if (park.reply?.status === "OK") open.push("verbs");
  await backendPark(stage, callSid);
  const list = await page.rpc(methods.GetBucketCalls, { bucketId: "parked" });
  if (list.reply?.callSids.includes(callSid)) open.push("list");
  const buckets = await page.rpc(methods.GetActiveBuckets, {});
  if ((buckets.reply?.buckets.length ?? 0) > 0) open.push("count");
  const take = await page.rpc(methods.ExecuteBucketAction, { bucketId: "parked", action: 1 });
  if (take.reply?.processedCount === 1) open.push("bucket action");
  const terminate = await page.rpc(methods.Terminate, { callSid });
  if (terminate.reply?.status === "COMPLETED") open.push("terminate");
  await stage.backend.rpc(methods.Terminate, { callSid });
  await settle();
  return open.sort();
}

async function backendPark(stage: Stage, callSid: string): Promise<void> {
  const { PARK } = DialplanAction;
  await stage.backend.rpc(methods.ExecuteDialplan, { callSid, action: PARK });
}

/** Whether supervision was granted. Its stream stays open, so only the first bytes are read. */
async function supervised(page: RawClient, callSid: string, authToken: string): Promise<boolean> {
  const stream = await page.open();
  const writer = stream.writable.getWriter();
  const request = { callSid, mode: SupervisionMode.MONITOR, authToken };
  await writer.write(encodeRequest(methods.SuperviseSubscribe, request));
  const reader = stream.readable.getReader();
  const replies = new ReplyReader(methods.SuperviseSubscribe);
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return false;
      const reply = replies.push(value);
      if (reply !== undefined) return reply.status === "OK";
    }
  } catch {
    return false;
  } finally {
    await writer.close().catch(() => {});
    reader.cancel().catch(() => {});
    await settle();
  }
}

const EVERYTHING = [
  ...["allocate", "barge", "bucket action", "count", "events", "hear", "list", "speak"],
  ...["supervise", "verbs"],
];

const ON_OTHERS: Readonly<Record<string, readonly string[]>> = {
  "call.dial": [],
  "call.barge": [],
  "call.answer": [],
  "call.listen": ["hear"],
  "call.speak": ["speak"],
  "call.read": ["count", "events", "list"],
  "telephony:supervise": ["supervise"],
};

describe("G-28 scope", () => {
  for (const word of [...WORDS, ...UNKNOWN]) {
    it(`G-28 ${word} opens only its own doors to others' calls`, async () => {
      await using stage = await Stage.open();
      for (const endUser of [undefined, "alice"]) {
        const page = await stage.page(word, endUser === undefined ? {} : { endUser });
        assert.deepEqual(await doorsToOthers(stage, page), ON_OTHERS[word] ?? [], endUser);
        page.close();
        await settle();
      }
    });
  }

  it("G-28 a token without a scope opens every door: the attacks above do reach their target", async () => {
    await using stage = await Stage.open();
    const page = await stage.page(undefined);
    assert.deepEqual(await doorsToOthers(stage, page), EVERYTHING);
  });

  it("G-28 refuses what only the tenant's service may do to every word", async () => {
    await using stage = await Stage.open();
    const page = await stage.page(WORDS.join(" "), { endUser: "alice" });
    const admin = [
      ...[methods.PublishServiceAccount, methods.RevokeServiceAccount, methods.SessionAuth],
      ...[methods.AddTrunk, methods.UpdateTrunk, methods.RemoveTrunk, methods.GetTrunk],
      ...[methods.SetInboundRouting, methods.BootstrapOrg],
    ] as const;
    for (const method of admin) {
      const { fault } = await page.rpc(method as typeof methods.GetTrunk, {});
      assert.notEqual(fault.errorCode, 0, method.name);
      assert.match(fault.errorMessage, /scope does not allow/, method.name);
    }
  });

  it("G-28 holds no client id of another space, and gets neither its events nor its audio", async () => {
    await using stage = await Stage.open();
    const thief = await stage.page("call.dial", { endUser: "mallory", clientId: "backend" });
    const alice = await stage.page("call.dial", { endUser: "alice", clientId: "phone" });
    const mallory = await stage.page("call.dial", { endUser: "mallory", clientId: "phone" });
    assert.equal(await stage.dial(stage.backend, "backends", "backend"), 0);
    assert.equal(await stage.dial(alice, "alices", "phone"), 0);
    assert.deepEqual([thief.events, thief.audio], [[], []]);
    assert.deepEqual([mallory.events, mallory.audio], [[], []]);
    assert.ok(alice.events.length > 0 && alice.events.every(({ callSid }) => callSid === "alices"));
    assert.ok(alice.audio.length > 0 && alice.audio.every(({ callSid }) => callSid === "alices"));
    const backendAudio = stage.backend.audio.filter(({ callSid }) => callSid === "backends");
    assert.ok(backendAudio.length > 0);
    for (const page of [thief, mallory]) {
      for (const callSid of ["backends", "alices"]) {
        const { reply } = await page.rpc(methods.Terminate, { callSid });
        const unknown = await page.rpc(methods.Terminate, { callSid: "no-such" });
        assert.equal(reply?.errorCode, 7);
        assert.equal(reply?.errorMessage, unknown.reply?.errorMessage);
      }
    }
  });

  it("G-28 without a user takes only client ids that cannot be guessed, and shows none to others", async () => {
    await using stage = await Stage.open();
    const clientId = crypto.randomUUID();
    const page = await stage.page("call.dial", { clientId });
    const { fault } = await page.rpc(methods.StreamEvents, { clientId: "phone" });
    assert.equal(fault.errorCode, 6);
    const reader = await stage.page("call.read");
    assert.equal(await stage.dial(page, "secret", clientId), 0);
    page.close();
    await settle();
    await stage.backend.rpc(methods.Terminate, { callSid: "secret" });
    await settle();
    assert.ok(reader.events.length > 0);
    assert.deepEqual(reader.events.map((event) => event.clientId).filter((id) => id !== ""), []);
    assert.equal(new TextDecoder().decode(reader.pushedBytes()).includes(clientId), false);
  });

  it("G-28 answers, and hears of, waiting calls with call.answer alone; what it answered is its own", async () => {
    await using stage = await Stage.open();
    const alice = await stage.page("call.answer", { endUser: "alice" });
    const bob = await stage.page("call.answer", { endUser: "bob" });
    const dialler = await stage.page("call.dial", { endUser: "carol" });
    await stage.ring("in-1");
    const list = async (page: RawClient) =>
      (await page.rpc(methods.GetIncomingCalls, { trunkId: "main" })).reply?.calls?.length ?? 0;
    assert.deepEqual([await list(alice), await list(bob), await list(dialler)], [1, 1, 0]);
    assert.equal(dialler.events.length, 0);
    const refused = await dialler.rpc(methods.AnswerIncomingCall, { callSid: "in-1" });
    assert.equal(refused.reply?.errorCode, 7);
    const early = await bob.rpc(methods.Terminate, { callSid: "in-1" });
    assert.equal(early.reply?.errorCode, 7, "a waiting call can be answered and nothing else");
    const { reply } = await alice.rpc(methods.AnswerIncomingCall, { callSid: "in-1" });
    assert.equal(reply?.status, "ANSWERED");
    await stage.setup.clock.advance(200);
    const types = (page: RawClient) => page.events.map(({ eventType }) => eventType);
    assert.deepEqual(types(alice), [EventType.CHANNEL_CREATE, EventType.CHANNEL_ANSWER]);
    assert.deepEqual(types(bob), [EventType.CHANNEL_CREATE]);
    for (const page of [bob, alice]) {
      const audio = await page.openAudio();
      await audio.send({ callSid: "in-1", sequenceNumber: 0, ...FRAME });
      await settle();
    }
    assert.deepEqual([alice.audio.length, bob.audio.length], [1, 0]);
    const foreign = await bob.rpc(methods.Terminate, { callSid: "in-1" });
    assert.equal(foreign.reply?.errorCode, 7);
    const own = await alice.rpc(methods.Terminate, { callSid: "in-1" });
    assert.equal(own.reply?.status, "COMPLETED");
  });

  it("G-28 a campaign belongs to the user who began it", async () => {
    await using stage = await Stage.open();
    const alice = await stage.page("call.dial", { endUser: "alice" });
    const bob = await stage.page("call.dial call.barge", { endUser: "bob" });
    const { reply } = await alice.rpc(methods.OriginateBulk, {
      ...{ campaignId: "k", templateTrunkId: "main", callsPerSecond: 1, templateDefaultApp: 1 },
      csvUrl: "data:,to%0A%2B15550101%0A%2B15550101%0A%2B15550101",
    });
    assert.equal(reply?.loadedNumbers, 3);
    await stage.setup.clock.advance(500);
    const buckets = async (page: RawClient) =>
      (await page.rpc(methods.GetActiveBuckets, {})).reply?.buckets?.map((each) => each.bucketId);
    assert.deepEqual([await buckets(alice), await buckets(bob)], [["k"], []]);
    const foreign = await bob.rpc(methods.AbortBulk, { campaignId: "k" });
    const unknown = await bob.rpc(methods.AbortBulk, { campaignId: "no-such" });
    assert.deepEqual(foreign.bytes, unknown.bytes);
    assert.equal((await alice.rpc(methods.AbortBulk, { campaignId: "k" })).reply?.status, "OK");
  });

  it("G-28 keeps a call of 12 minutes its own over renewals of 300 s tokens and a lost session", async () => {
    await using stage = await Stage.open();
    const { setup, acme } = stage;
    for (const endUser of [undefined, "alice"]) {
      let minted = 0;
      const token = () => {
        minted++;
        return mintBrowserToken(acme.signer, {
          now: setup.clock.now(),
          scope: ["call.dial", "call.barge"],
          ...(endUser === undefined ? {} : { endUser }),
        });
      };
      const sessions: WebTransportLike[] = [];
      class Watched {
        constructor(...options: ConstructorParameters<WebTransportConstructor>) {
          const session = new setup.gateway.webTransport(...options);
          sessions.push(session);
          return session as unknown as Watched;
        }
      }
      const client = new TeleQuickClient("https://gateway.test:9090", token, true, {
        webTransport: Watched as unknown as WebTransportConstructor,
        clock: setup.clock,
      });
      await client.connect();
      const dialling = client.dial({ trunkId: "main", to: "+15550100" });
      await setup.clock.advance(2_000);
      const call = await dialling;
      for (let minute = 0; minute < 12; minute++) {
        if (minute === 6) sessions.at(-1)!.close();
        await setup.clock.advance(60_000);
        await settle();
      }
      assert.ok(
        minted >= 3 && sessions.length >= 4,
        `${minted} tokens, ${sessions.length} sessions`,
      );
      await call.barge();
      await call.hangUp();
      await settle();
      const closing = client.close();
      await setup.clock.advance(10_000);
      await closing;
      assert.equal(setup.gateway.stats().calls.live, 0);
    }
  });
});
