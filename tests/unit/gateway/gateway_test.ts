import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  createGateway,
  type GatewayLogRecord,
  type GatewayStorage,
} from "../../../src/gateway/mod.ts";
import { createSessionPair } from "../../../src/transport/mod.ts";
import { InboundRule, methods } from "../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";
import { RawClient } from "../../support/raw_client.ts";
import { testAccount, TestGateway } from "../../support/tenant_kit.ts";

describe("createGateway()", () => {
  it("refuses invalid options", () => {
    assert.throws(() => createGateway({ limits: { streams: 0 } }), { code: "ERR_VALUE_INVALID" });
    for (const name of ["webhookSecret", "bootstrapSecret"]) {
      assert.throws(() => createGateway({ [name]: "" }), { code: "ERR_VALUE_INVALID" });
    }
    assert.throws(() => createGateway({ limits: { nothing: 1 } as object }), {
      code: "ERR_VALUE_INVALID",
    });
  });

  it("is ready at once without a storage, and waits for one", async () => {
    await createGateway().ready;
    let load: (text: string | undefined) => void = () => {};
    const storage: GatewayStorage = {
      read: () => new Promise((resolve) => load = resolve),
      write: () => Promise.resolve(),
    };
    const gateway = createGateway({ storage });
    let isDone = false;
    const added = gateway.addTrunk({ tenantId: "acme", trunkId: "main" }).then(() => isDone = true);
    const pair = createSessionPair();
    void gateway.serve(pair.incoming);
    await settle();
    assert.equal(isDone, false);
    load(undefined);
    await added;
    await gateway.close();
  });

  it("logs why a session failed that it was given", async () => {
    const records: GatewayLogRecord[] = [];
    await using gateway = createGateway({ log: (record) => records.push(record) });
    const { incoming } = createSessionPair();
    // Something else reads the session's streams already.
    incoming.session.incomingBidirectionalStreams.getReader();
    await gateway.serve(incoming);
    const failures = records.filter(({ event }) => event === "session.failed");
    assert.deepEqual(failures.map(({ session }) => session), [1]);
    assert.match(failures[0]!.reason!, /locked/);
    assert.deepEqual(await incoming.session.closed, {
      closeCode: 500,
      reason: "the gateway failed",
    });
  });

  it("takes trunk changes that cannot be saved back to what was saved, also when they come together", async () => {
    let isFull = false;
    let saved = "";
    const storage: GatewayStorage = {
      read: () => Promise.resolve(undefined),
      write: (_, text) => {
        if (isFull) return Promise.reject(new Error("The disk is full"));
        saved = text;
        return Promise.resolve();
      },
    };
    await using gateway = createGateway({ storage });
    const put = (trunkId: string, channelLimit: number) =>
      gateway.addTrunk({ tenantId: "acme", trunkId, channelLimit });
    await put("main", 1);
    isFull = true;
    const changes = [put("main", 2), put("main", 3), put("new", 4), put("new", 5)];
    const outcomes = await Promise.allSettled(changes);
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    isFull = false;
    await put("other", 6);
    assert.deepEqual(saved.match(/(?<="channelLimit": *)\d+/g), ["1", "6"]);
  });

  it("keeps keys and trunks across restarts, in one write for changes that come together", async () => {
    const writes: string[] = [];
    const storage: GatewayStorage = {
      read: () => Promise.resolve(writes.at(-1)),
      write: async (_, text) => {
        await settle();
        writes.push(text);
      },
    };
    const acme = await testAccount("acme");
    const first = createGateway({ storage });
    const { tenantId, keyId: privateKeyId, publicKeyPem } = acme;
    await first.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem, role: "admin" });
    await Promise.all(
      ["a", "b", "c", "d"].map((trunkId) => first.addTrunk({ tenantId, trunkId, channelLimit: 7 })),
    );
    assert.equal(writes.length, 2, "the key, then the four trunks");
    await first.close();
    await using setup = new TestGateway({ storage });
    const client = await setup.connect(acme);
    const adminToken = await setup.token(acme);
    const { reply } = await client.rpc(methods.GetTrunk, { adminToken, trunkId: "d" });
    assert.equal(reply?.channelLimit, 7);
  });

  it("close() informs every session, gives the words time, closes, and leaves nothing behind", async () => {
    const clock = new FakeClock();
    const setup = new TestGateway({ clock });
    const acme = await setup.addTenant("acme");
    const clients = [await setup.connect(acme, { clientId: "a" }), await setup.connect(acme)];
    const waiting = setup.dial();
    await clients[0]!.rpc(methods.Originate, { trunkId: "main", to: "+15550106", defaultApp: 1 });
    await clock.advance(500);
    const closing = setup.gateway.close();
    await settle();
    const reported = { code: 503, reason: "gateway is shutting down", reconnect: true };
    for (const { endings, isClosed } of clients) {
      assert.deepEqual([endings, isClosed], [[reported], false]);
    }
    assert.equal(waiting.isClosed, true);
    await clock.advance(249);
    assert.equal(clients[0]!.isClosed, false);
    await clock.advance(1);
    await closing;
    for (const { closeInfo } of clients) {
      assert.deepEqual(closeInfo, { closeCode: 503, reason: "gateway is shutting down" });
    }
    assert.equal(clock.pending, 0);
    await setup.gateway.close();
    const late = createSessionPair();
    await setup.gateway.serve(late.incoming);
    assert.deepEqual(await late.client.closed, { closeCode: 503, reason: "the gateway is closed" });
    await assert.rejects(setup.gateway.listen(), { code: "ERR_SESSION_CLOSED" });
  });

  it("lets no call come in after close()", async () => {
    const setup = new TestGateway();
    await setup.addTenant("acme");
    await setup.gateway.addTrunk({
      ...{ tenantId: "acme", trunkId: "main", rejectIncomingCalls: false },
      inboundRule: InboundRule.NOTIFY_AND_HANGUP,
    });
    await setup[Symbol.asyncDispose]();
    await assert.rejects(
      setup.gateway.simulateInboundCall({ tenantId: "acme", trunkId: "main" }),
      {
        code: "ERR_SESSION_CLOSED",
        message: /^Cannot simulate inbound call: the gateway is closed/,
      },
    );
    assert.equal(setup.clock.pending, 0);
  });

  it("close() does not wait for clients that go by themselves", async () => {
    const setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"));
    const closing = setup.gateway.close();
    await settle();
    client.close();
    await closing;
    assert.equal(setup.clock.pending, 0);
  });

  it("serves a bare session as well as one with an address", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const pair = createSessionPair();
    const served = setup.gateway.serve(pair.server);
    const client = new RawClient(pair.client);
    assert.equal((await client.authenticate(await setup.token(acme)))?.status, "OK");
    client.close();
    await served;
  });

  it("has a WebTransport of its own, in memory", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = new RawClient(new setup.gateway.webTransport("https://gateway.test:9090"));
    assert.equal((await client.authenticate(await setup.token(acme)))?.tenantId, "acme");
    assert.equal(setup.gateway.stats().sessions.open, 1);
    client.close();
    await settle();
    assert.equal(setup.gateway.stats().sessions.open, 0);
  });

  it("turns good tokens away when it is full, in words that say that trying again can help", async () => {
    await using setup = new TestGateway({ limits: { sessions: 3, sessionsPerTenant: 2 } });
    const [acme, globex] = [await setup.addTenant("acme"), await setup.addTenant("globex")];
    await setup.connect(acme);
    await setup.connect(acme);
    const knock = async (account: typeof acme) => {
      const client = setup.dial();
      const reply = await client.authenticate(await setup.token(account));
      return { client, outcome: [reply?.status, reply?.errorCode, reply?.errorMessage] };
    };
    const full = ["ERROR", 3, "Too many sessions"];
    const { client, outcome } = await knock(acme);
    assert.deepEqual(outcome, full);
    assert.deepEqual((await knock(globex)).outcome, ["OK", 0, ""]);
    assert.deepEqual((await knock(globex)).outcome, full);
    await setup.clock.advance(250);
    await settle();
    assert.deepEqual(client.closeInfo, { closeCode: 429, reason: "Too many sessions" });
  });

  it("counts what it does", async () => {
    await using setup = new TestGateway();
    const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
    await setup.dial().authenticate("x");
    await client.rpc(methods.Originate, {
      trunkId: "main",
      to: "+15550101",
      defaultApp: 1,
      clientId: "c",
    });
    await client.rpc(methods.Originate, { trunkId: "none", to: "+15550101", defaultApp: 1 });
    await setup.clock.advance(100);
    assert.deepEqual(setup.gateway.stats(), {
      sessions: {
        ...{ pending: 0, open: 1, accepted: 1, evicted: 0, ended: {} },
        refused: { "expired": 0, "not yet valid": 0, "lifetime": 0, "revoked": 0, "rejected": 1 },
      },
      rpcs: { StreamEvents: 1, Originate: 2 },
      rpcErrors: { 1: 1 },
      streams: { malformed: 0, unknownMethod: 0, limited: 0, timedOut: 0 },
      tenantMismatches: 0,
      calls: { live: 0, total: 1 },
      events: { sent: 2, unheard: 0 },
      audio: { received: 0, sent: 0, dropped: 0, refused: 0 },
    });
  });

  it("refuses invalid trunks, before it knows their tenant", async () => {
    await using gateway = createGateway();
    const add = (more: object) => gateway.addTrunk({ tenantId: "acme", trunkId: "t", ...more });
    for (
      const more of [{ tenantId: "A" }, { trunkId: "" }, { trunkId: "a b" }, { channelLimit: 0 }, {
        channelLimit: 2 ** 32,
      }, { sourcePbxPort: 70_000 }]
    ) {
      await assert.rejects(add(more), { code: "ERR_VALUE_INVALID" }, JSON.stringify(more));
    }
    for (const more of [{ tenantId: 1 }, { trunkId: null }, { channelLimit: "5" }]) {
      await assert.rejects(add(more), TypeError, JSON.stringify(more));
    }
    await add({ codecPreferences: ["PCMA"], inboundRule: 3 });
  });

  it("bounds the trunks of a tenant, replaces a record whole, and logs it", async () => {
    const added: unknown[] = [];
    await using gateway = createGateway({
      limits: { trunksPerTenant: 1 },
      log: ({ event, tenantId, reason }) => {
        if (event === "trunk.added") added.push([tenantId, reason]);
      },
    });
    await gateway.addTrunk({ tenantId: "acme", trunkId: "a", channelLimit: 3 });
    await gateway.addTrunk({ tenantId: "acme", trunkId: "a" });
    await assert.rejects(gateway.addTrunk({ tenantId: "acme", trunkId: "b" }), {
      code: "ERR_LIMIT",
    });
    await gateway.addTrunk({ tenantId: "globex", trunkId: "b" });
    assert.deepEqual(added, [["acme", "trunk a"], ["acme", "trunk a"], ["globex", "trunk b"]]);
  });
});
