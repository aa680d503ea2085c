import assert from "node:assert/strict";
import { verifyWebhook } from "../../../../src/webhook/mod.ts";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import type { GatewayOptions } from "../../../../src/gateway/mod.ts";
import { InboundRule, methods, type SetInboundRoutingRequest } from "../../../../src/wire/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const URLS = {
  audioUrl: "https://x.example/hello.wav",
  webhookUrl: "https://hooks.example/call",
  aiQuicUrl: "quic://ai.example:9090",
};

async function withTrunk(options: Omit<GatewayOptions, "clock"> = {}) {
  const setup = new TestGateway(options);
  const acme = await setup.addTenant("acme");
  const client = await setup.connect(acme, { clientId: "c" });
  return {
    ...{ setup, client },
    async route(request: Partial<SetInboundRoutingRequest>) {
      const { fault } = await client.rpc(methods.SetInboundRouting, {
        trunkId: "main",
        ...request,
      });
      return [fault.errorCode, fault.errorMessage];
    },
    ring: (callSid?: string) =>
      setup.gateway.simulateInboundCall({
        ...{ tenantId: "acme", trunkId: "main", from: "+442071838750" },
        ...(callSid === undefined ? {} : { callSid }),
      }),
    statuses: () =>
      client.events.splice(0).map(({ status, q850Cause }) => `${status}${q850Cause || ""}`),
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

describe("inbound rules", () => {
  it("a trunk rejects until its rule is changed, with its own SIP status", async () => {
    await using trunk = await withTrunk();
    assert.deepEqual(await trunk.ring().then(({ sipStatus, callSid }) => [sipStatus, callSid]), [
      603,
      "",
    ]);
    await trunk.setup.gateway.addTrunk({ tenantId: "acme", trunkId: "main", rejectSipCode: 480 });
    assert.equal((await trunk.ring()).sipStatus, 480);
    await settle();
    assert.deepEqual(trunk.statuses(), []);
    assert.equal(trunk.setup.gateway.stats().calls.total, 0);
  });

  it("a trunk that was removed takes its rule along", async () => {
    await using setup = new TestGateway();
    const admin = await setup.addTenant("acme", { name: "admin", role: "admin" });
    const client = await setup.connect(admin);
    const adminToken = await setup.token(admin);
    const rule = InboundRule.NOTIFY_AND_HANGUP;
    await client.rpc(methods.SetInboundRouting, { trunkId: "main", rule, ...URLS });
    await client.rpc(methods.RemoveTrunk, { adminToken, trunkId: "main" });
    await client.rpc(methods.AddTrunk, { adminToken, trunkId: "main" });
    const { sipStatus } = await setup.gateway.simulateInboundCall({
      tenantId: "acme",
      trunkId: "main",
    });
    assert.equal(sipStatus, 603);
  });

  it("a trunk's record has a rule of its own, and SetInboundRouting goes before it", async () => {
    await using trunk = await withTrunk();
    await trunk.setup.gateway.addTrunk({
      ...{ tenantId: "acme", trunkId: "main", rejectIncomingCalls: false },
      inboundRule: InboundRule.HANDLE_AI,
    });
    assert.equal((await trunk.ring()).sipStatus, 200);
    await trunk.route({ rule: InboundRule.REJECT });
    assert.equal((await trunk.ring()).sipStatus, 603);
  });

  it("PLAY_AND_HANGUP answers, plays for 3 s and hangs up", async () => {
    await using trunk = await withTrunk();
    assert.deepEqual(await trunk.route({ rule: InboundRule.PLAY_AND_HANGUP, ...URLS }), [0, ""]);
    const { sipStatus } = await trunk.ring();
    assert.equal(sipStatus, 200);
    await trunk.setup.clock.advance(3_000);
    assert.deepEqual(trunk.statuses(), ["RINGING", "ANSWERED", "COMPLETED16"]);
  });

  it("HANDLE_AI answers at once and leaves the talking to the client", async () => {
    await using trunk = await withTrunk();
    await trunk.route({ rule: InboundRule.HANDLE_AI, aiQuicUrl: URLS.aiQuicUrl });
    const { callSid, hangUp } = await trunk.ring("in-1");
    assert.equal(callSid, "in-1");
    await trunk.setup.clock.advance(0);
    const uplink = await trunk.client.openAudio();
    await uplink.send({ callSid, codec: "PCMU", payload: new Uint8Array([7]) });
    await settle();
    assert.deepEqual(trunk.client.audio.map(({ payload }) => payload[0]), [7]);
    hangUp();
    hangUp();
    await settle();
    assert.deepEqual(trunk.statuses(), ["RINGING", "ANSWERED", "COMPLETED16"]);
  });

  it("NOTIFY_AND_HANGUP rings for 30 s, is listed, and can be taken by a client id", async () => {
    await using trunk = await withTrunk();
    const { setup, client } = trunk;
    await trunk.route({ rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl: URLS.webhookUrl });
    const { callSid: missed, sipStatus } = await trunk.ring();
    assert.equal(sipStatus, 180);
    await setup.clock.advance(10_000);
    const { callSid: taken } = await trunk.ring();
    const list = async () =>
      (await client.rpc(methods.GetIncomingCalls, { trunkId: "main" })).reply!.calls;
    assert.deepEqual(await list(), [
      { callSid: missed, callFrom: "+442071838750", startTimestampMs: setup.clock.now() - 10_000 },
      { callSid: taken, callFrom: "+442071838750", startTimestampMs: setup.clock.now() },
    ]);
    const taker = await setup.connect(await setup.addTenant("acme"), { clientId: "taker" });
    const answer = (callSid: string) =>
      client.rpc(methods.AnswerIncomingCall, { callSid, clientId: "taker" });
    const { reply } = await answer(taken);
    assert.deepEqual([reply?.callSid, reply?.status, reply?.errorCode], [taken, "ANSWERED", 0]);
    assert.deepEqual(
      (await answer(taken)).reply?.errorMessage,
      "The call does not wait to be answered",
    );
    assert.deepEqual((await list()).map(({ callSid }) => callSid), [missed]);
    await setup.clock.advance(20_000);
    assert.deepEqual(trunk.statuses(), ["RINGING", "RINGING", "NO_ANSWER19"]);
    assert.deepEqual(taker.events.map(({ status, callSid }) => [status, callSid]), [
      ["ANSWERED", taken],
      ["NO_ANSWER", missed],
    ]);
  });

  it("a caller who gives up before the answer leaves an unanswered call", async () => {
    await using trunk = await withTrunk();
    await trunk.route({ rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl: URLS.webhookUrl });
    (await trunk.ring()).hangUp();
    await settle();
    assert.deepEqual(trunk.statuses(), ["RINGING", "NO_ANSWER16"]);
    assert.equal(trunk.setup.clock.pending, 1, "only the session's end is waited for");
  });

  it("SetInboundRouting wants what its rule needs, and only known rules", async () => {
    await using trunk = await withTrunk();
    const refused = async (request: Partial<SetInboundRoutingRequest>) =>
      (await trunk.route(request))[1];
    assert.equal(await refused({ rule: 1 }), "audio_url is empty");
    assert.equal(await refused({ rule: 2 }), "webhook_url is empty");
    assert.equal(
      await refused({ rule: 2, webhookUrl: "ftp://x" }),
      "webhook_url is malformed, expected an http: or https: URL",
    );
    assert.equal(await refused({ rule: 3 }), "ai_websocket_url and ai_quic_url are empty");
    assert.equal(await refused({ rule: 4 }), "rule is unknown");
    assert.equal(await refused({ rule: -1 }), "rule is unknown");
  });

  it("simulateInboundCall() refuses what no caller could do", async () => {
    await using trunk = await withTrunk();
    const call = (more: object) =>
      trunk.setup.gateway.simulateInboundCall({ tenantId: "acme", trunkId: "main", ...more });
    assert.equal((await call({ trunkId: "none" })).sipStatus, 404);
    assert.equal((await call({ tenantId: "other" })).sipStatus, 404);
    await assert.rejects(call({ from: "anonymous" }), { code: "ERR_VALUE_INVALID" });
    await assert.rejects(call({ callSid: "a b" }), { code: "ERR_VALUE_INVALID" });
    await trunk.route({ rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl: URLS.webhookUrl });
    await call({ callSid: "x" });
    await assert.rejects(call({ callSid: "x" }), { message: /callSid is in use/ });
    await trunk.setup.gateway.addTrunk({ tenantId: "acme", trunkId: "main", channelLimit: 1 });
    assert.equal((await call({})).sipStatus, 486, "no channel left");
  });
});

describe("webhooks", () => {
  type Answer = number | "hangs" | "fails";

  /** Replaces fetch: what was posted, and what is answered. */
  async function posted(answers: readonly Answer[], work: () => Promise<void>) {
    const { fetch } = globalThis;
    const posts: { at: string; headers: Headers; body: string; redirect: string | undefined }[] =
      [];
    globalThis.fetch = (input, init) => {
      const answer = answers[posts.length] ?? 500;
      const headers = new Headers(init?.headers);
      posts.push({
        at: String(input),
        headers,
        body: String(init?.body),
        redirect: init?.redirect,
      });
      if (answer === "fails") return Promise.reject(new TypeError("no route"));
      if (answer === "hangs") {
        return new Promise((_, reject) =>
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason))
        );
      }
      return Promise.resolve(new Response(null, { status: answer }));
    };
    try {
      await work();
    } finally {
      globalThis.fetch = fetch;
    }
    return posts;
  }

  async function ringWith(answers: readonly Answer[], options: Omit<GatewayOptions, "clock"> = {}) {
    const events: string[] = [];
    await using trunk = await withTrunk({
      allowFetch: ["https://hooks.example"],
      log: ({ event, code, reason }) =>
        void (event.startsWith("webhook") && events.push(`${event} ${code ?? reason}`)),
      ...options,
    });
    await trunk.route({ rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl: URLS.webhookUrl });
    const start = trunk.setup.clock.now();
    const posts = await posted(answers, async () => {
      await trunk.ring("in-1");
      // A signature is made elsewhere, in its own time.
      for (let turn = 0; turn < 500 && events.length === 0; turn++) {
        await trunk.setup.clock.advance(40);
      }
    });
    return { posts, events, start };
  }

  it("are posted once when they are answered, with a body and a signature", async () => {
    const { posts, events, start } = await ringWith([204], { webhookSecret: "shh" });
    assert.equal(posts.length, 1);
    const [{ at, headers, body, redirect }] = posts as [typeof posts[0]];
    assert.deepEqual([at, redirect], [URLS.webhookUrl, "manual"]);
    assert.deepEqual(JSON.parse(body), {
      event: "voice.call.incoming",
      call_sid: "in-1",
      call_from: "+442071838750",
      trunk_id: "main",
      tenant_id: "acme",
      timestamp_ms: start,
    });
    const seconds = Math.floor(start / 1_000);
    const v1 = createHmac("sha256", "shh").update(`${seconds}.${body}`).digest("hex");
    assert.equal(headers.get("x-telequick-signature"), `t=${seconds},v1=${v1}`);
    const webhook = await verifyWebhook(body, headers, "shh", { now: start });
    assert.equal(webhook.event, "voice.call.incoming");
    assert.deepEqual(events, ["webhook.sent 204"]);
  });

  it("are tried three times, with a time limit each, and then given up", async () => {
    const { posts, events } = await ringWith(["fails", "hangs", 503]);
    assert.equal(posts.length, 3);
    assert.equal(posts[0]!.headers.has("x-telequick-signature"), false);
    assert.deepEqual(events, ["webhook.failed 503"]);
    assert.deepEqual((await ringWith([302, 500, 200])).events, ["webhook.sent 200"]);
  });

  it("are not posted to a host that the owner has not named", async () => {
    const { posts, events } = await ringWith([200], { allowFetch: [] });
    assert.deepEqual([posts, events], [[], ["webhook.failed Its host is not in allowFetch"]]);
  });
});

describe("buckets", () => {
  it("list parked calls, waiting calls and campaigns, and take or skip the next", async () => {
    await using trunk = await withTrunk();
    const { client, setup } = trunk;
    await trunk.route({ rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl: URLS.webhookUrl });
    const buckets = async () =>
      Object.fromEntries(
        (await client.rpc(methods.GetActiveBuckets, {})).reply!.buckets
          .map(({ bucketId, pendingCount }) => [bucketId, pendingCount]),
      );
    const act = async (bucketId: string, action: number) =>
      (await client.rpc(methods.ExecuteBucketAction, { bucketId, action })).reply?.processedCount;
    assert.deepEqual(await buckets(), {});
    for (const sid of ["in-1", "in-2", "in-3"]) await trunk.ring(sid);
    const dial = { trunkId: "main", to: "+15550100", defaultApp: 1 };
    await client.rpc(methods.Originate, { ...dial, callSid: "out-1" });
    await setup.clock.advance(200);
    assert.deepEqual(await buckets(), { "parked": 1, "incoming:main": 3 });
    const calls = await client.rpc(methods.GetBucketCalls, { bucketId: "incoming:main" });
    assert.equal(calls.reply?.callSids, "in-1,in-2,in-3");
    trunk.statuses();
    assert.equal(await act("incoming:main", 0), 1);
    assert.equal(await act("incoming:main", 1), 1);
    await settle();
    assert.deepEqual(
      client.events.splice(0).map(({ callSid, status }) => `${callSid} ${status}`),
      ["in-1 ANSWERED", "in-2 FAILED"],
    );
    assert.equal(await act("parked", 0), 1);
    assert.deepEqual(await buckets(), { "incoming:main": 1 });
    assert.equal(await act("parked", 0), 0);
    assert.equal(await act("nothing", 0), 0);
    const { fault } = await client.rpc(methods.ExecuteBucketAction, {
      bucketId: "parked",
      action: 9,
    });
    assert.deepEqual([fault.errorCode, fault.errorMessage], [6, "action is unknown"]);
  });
});

describe("AllocateWt", () => {
  it("names the gateway's own address for a live call", async () => {
    await using trunk = await withTrunk();
    const dial = { trunkId: "main", to: "+15550100", defaultApp: 1, callSid: "s" };
    await trunk.client.rpc(methods.Originate, dial);
    const { reply } = await trunk.client.rpc(methods.AllocateWt, { callSid: "s" });
    const { mediaToken, ...rest } = reply!;
    assert.match(mediaToken, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      ...{ host: "gateway.test", port: 9090, nodeId: "local", status: "OK" },
      ...{ errorMessage: "", errorCode: 0, timestampMs: trunk.setup.clock.now() },
    });
  });
});
