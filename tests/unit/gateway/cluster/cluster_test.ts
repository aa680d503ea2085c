/** The table of failures, row by row, on a store in memory and the fake clock. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../../../../src/base/random.ts";
import { createGateway } from "../../../../src/gateway/mod.ts";
import { mintBrowserToken } from "../../../../src/token/mod.ts";
import { ErrorCode, InboundRule, methods } from "../../../../src/wire/mod.ts";
import { TestCluster } from "../../../support/cluster_kit.ts";
import { faultyStore, restored } from "../../../support/faulty_store.ts";
import { seed } from "../../../support/seed.ts";
import { type TestAccount, testAccount, TestGateway } from "../../../support/tenant_kit.ts";

const STALE = { code: 503, reason: "stale", reconnect: true };
const REVOKED = { code: 401, reason: "key revoked", reconnect: true };
const LATER = { code: "ERR_UNAVAILABLE", retryable: true };
const UUID = "6c0f3ed0-6b7d-4f0f-9f57-8d7c2ba8a4b1";

function revoke(cluster: TestCluster, gateway: number, { tenantId, keyId }: TestAccount) {
  return cluster.gateways[gateway]!.gateway.revokeServiceAccount({
    ...{ tenantId, privateKeyId: keyId },
  });
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a cluster", () => {
  it("knows a key, a trunk and a revocation at every gateway", async () => {
    await using cluster = await new TestCluster(3).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const sessions = [];
    for (const i of [0, 1, 2]) {
      const { outcome, client } = await cluster.signIn(i, acme);
      assert.equal(outcome, "OK");
      const { fault } = await client.rpc(methods.Originate, {
        trunkId: "main",
        to: "+15550106",
        defaultApp: 1,
      });
      assert.equal(fault.errorCode, 0);
      sessions.push(client);
    }
    assert.deepEqual(await revoke(cluster, 1, acme), { unconfirmed: [] });
    await cluster.clock.advance(500);
    for (const client of sessions) {
      assert.deepEqual(client.endings.map((ending) => ({ ...ending })), [REVOKED]);
      assert.ok(client.isClosed);
    }
    for (const i of [0, 1, 2]) assert.equal(await cluster.outcome(i, acme), "revoked");
  });

  it("cuts a revoked key's sessions a pull later where hints are lost", async () => {
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const { client } = await cluster.signIn(1, acme);
    for (const view of cluster.views) view.isDeaf = true;
    const revoked = revoke(cluster, 0, acme);
    await cluster.clock.advance(250);
    assert.equal(client.endings.length, 1);
    // Heard of at its own next pull.
    await cluster.clock.advance(250);
    assert.deepEqual(await revoked, { unconfirmed: [] });
  });

  it("reads nothing for a key in use", async () => {
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    assert.equal(await cluster.outcome(1, acme), "OK");
    const before = { ...cluster.views[1]!.counts };
    for (let i = 0; i < 20; i++) assert.equal(await cluster.outcome(1, acme), "OK");
    assert.deepEqual(cluster.views[1]!.counts, before);
  });

  it("publishes a kid and a key once, and counts a tenant's keys over all gateways", async () => {
    await using cluster = await new TestCluster(2, { limits: { keysPerTenant: 2 } }).ready();
    const [one, two] = cluster.gateways.map(({ gateway }) => gateway) as [
      TestGateway["gateway"],
      TestGateway["gateway"],
    ];
    const keys = await Promise.all(["a", "b", "c"].map((name) => testAccount("acme", name)));
    const options = ({ tenantId, keyId: privateKeyId, publicKeyPem }: TestAccount) => ({
      ...{ tenantId, privateKeyId, publicKeyPem },
    });
    const [a, b, c] = keys.map(options) as [
      ReturnType<typeof options>,
      ReturnType<typeof options>,
      ReturnType<typeof options>,
    ];
    await Promise.all([one.publishServiceAccount(a), two.publishServiceAccount(b)]);
    await two.publishServiceAccount(a);
    await assert.rejects(
      two.publishServiceAccount({ ...b, privateKeyId: a.privateKeyId }),
      /in use/,
    );
    await assert.rejects(two.publishServiceAccount({ ...a, tenantId: "other" }), /in use/);
    await assert.rejects(one.publishServiceAccount(c), { code: "ERR_LIMIT" });
    await two.revokeServiceAccount(a);
    await assert.rejects(one.publishServiceAccount(a), /in use/);
    await one.publishServiceAccount(c);
    await assert.rejects(
      one.revokeServiceAccount({ tenantId: "acme", privateKeyId: "none" }),
      { code: "ERR_VALUE_INVALID" },
    );
  });

  it("makes two gateways that publish one kid at a time agree", async () => {
    await using cluster = await new TestCluster(2).ready();
    const [first, second] = await Promise.all(["a", "b"].map((name) => testAccount("acme", name)));
    const outcomes = await Promise.allSettled(
      [first!, second!].map(({ publicKeyPem }, i) =>
        cluster.gateways[i]!.gateway.publishServiceAccount({
          ...{ tenantId: "acme", privateKeyId: "same", publicKeyPem },
        })
      ),
    );
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  });

  describe("whose store is down", () => {
    it("rejects what would change something, to be tried again", async () => {
      await using cluster = await new TestCluster(2).ready();
      const acme = await cluster.gateways[0]!.addTenant("acme", { role: "admin" });
      const { client } = await cluster.signIn(0, acme);
      const adminToken = await cluster.gateways[0]!.token(acme);
      for (const view of cluster.views) view.state = "fails";
      await cluster.clock.advance(1_000);
      const { gateway } = cluster.gateways[0]!;
      const { tenantId, publicKeyPem } = await testAccount("acme", "second");
      const key = { tenantId, privateKeyId: "second" };
      await assert.rejects(gateway.publishServiceAccount({ ...key, publicKeyPem }), LATER);
      await assert.rejects(revoke(cluster, 0, acme), LATER);
      await assert.rejects(gateway.addTrunk({ tenantId: "acme", trunkId: "new" }), LATER);
      for (
        const { fault } of [
          await client.rpc(methods.PublishServiceAccount, { adminToken, ...key, publicKeyPem }),
          await client.rpc(methods.RevokeServiceAccount, { adminToken, ...key }),
          await client.rpc(methods.AddTrunk, { adminToken, trunkId: "new" }),
        ]
      ) {
        assert.deepEqual(fault, {
          errorCode: ErrorCode.ERR_RATE_LIMITED,
          errorMessage: "Cannot change this now",
        });
      }
      for (const view of cluster.views) view.state = "answers";
      await cluster.clock.advance(1_000);
      assert.equal(await cluster.outcome(0, acme), "OK");
      await assert.rejects(
        gateway.simulateInboundCall({ tenantId: "acme", trunkId: "new" }).then(({ sipStatus }) => {
          throw new Error(`${sipStatus}`);
        }),
        /404/,
      );
    });

    it("admits by known keys for 60 s, then neither accepts nor refuses; sessions end after 300 s", async () => {
      await using cluster = await new TestCluster(2, { sessionExpiry: "connection" }).ready();
      const acme = await cluster.gateways[0]!.addTenant("acme");
      const unknown = await testAccount("unknown");
      const { client } = await cluster.signIn(0, acme);
      const { gateway } = cluster.gateways[0]!;
      for (const view of cluster.views) view.state = "fails";
      await cluster.clock.advance(59_000);
      assert.equal(await cluster.outcome(0, acme), "OK");
      assert.equal(gateway.isReady, true);
      await cluster.clock.advance(1_500);
      assert.equal(gateway.isReady, false);
      assert.equal(await cluster.outcome(0, acme), "later");
      assert.equal(await cluster.outcome(0, unknown), "later");
      assert.equal(await cluster.outcome(0, acme, await cluster.forge(acme)), "later");
      assert.equal(await cluster.outcome(0, unknown, await cluster.forge(unknown)), "later");
      // Live sessions go on, with all that happens at this gateway alone.
      const dialled = cluster.gateways[0]!.gateway.stats().sessions.open;
      assert.equal(dialled, 2);
      await cluster.clock.advance(237_000);
      assert.equal(client.endings.length, 0);
      await cluster.clock.advance(4_000);
      assert.deepEqual(client.endings.map((ending) => ({ ...ending })), [STALE]);
      assert.equal(gateway.stats().sessions.open, 0);
      for (const view of cluster.views) view.state = "answers";
      await cluster.clock.advance(1_000);
      assert.equal(gateway.isReady, true);
      assert.equal(await cluster.outcome(0, acme), "OK");
      assert.equal(await cluster.outcome(0, unknown), "rejected");
      const names = cluster.records[0]!.map(({ event }) => event);
      assert.deepEqual(names.filter((event) => event.startsWith("store.")), [
        "store.reached",
        "store.lost",
        "store.reached",
      ]);
    });

    it("does not show by its answers which keys it knows, from the first moment on", async () => {
      await using cluster = await new TestCluster(2).ready();
      const acme = await cluster.gateways[0]!.addTenant("acme");
      const unknown = await testAccount("unknown");
      assert.equal(await cluster.outcome(1, acme), "OK");
      for (const state of ["fails", "answers", "fails"] as const) {
        cluster.views[1]!.state = state;
        if (state === "answers") await cluster.clock.advance(1_000);
        const known = await cluster.outcome(1, acme, await cluster.forge(acme));
        const other = await cluster.outcome(1, unknown, await cluster.forge(unknown));
        assert.equal(known, other, state);
      }
    });

    it("refuses no token because it answers slowly", async () => {
      const times = { timeoutMs: 60_000 };
      await using cluster = await new TestCluster(2, { times }).ready();
      const acme = await cluster.gateways[0]!.addTenant("acme");
      // It answers all but the look-up of the key.
      cluster.views[1]!.before = (method, what) =>
        method === "read" && what !== "" && new Promise(() => {});
      const signing = cluster.outcome(1, acme);
      // A token that does not come is refused as before.
      const silent = cluster.gateways[1]!.dial();
      for (let i = 0; i < 100; i++) await turn();
      await cluster.clock.advance(6_000);
      assert.equal(await signing, "later");
      const refusals = cluster.records[1]!.filter(({ code }) => code === 401);
      assert.deepEqual(refusals.map(({ reason }) => reason), ["No token came within 5000 ms"]);
      silent.close();
      cluster.views[1]!.before = () => {};
      await cluster.clock.advance(60_000);
      assert.equal(await cluster.outcome(1, acme), "OK");
    });

    it("starts without it, admits no session, and is ready when it comes", async () => {
      const cluster = new TestCluster(1);
      cluster.views[0]!.state = "hangs";
      const { gateway } = cluster.gateways[0]!;
      await cluster.clock.advance(2_000);
      await gateway.ready;
      assert.equal(gateway.isReady, false);
      const acme = await testAccount("acme");
      assert.equal(await cluster.outcome(0, acme), "later");
      cluster.views[0]!.state = "answers";
      await cluster.clock.advance(3_000);
      assert.equal(gateway.isReady, true);
      assert.equal(await cluster.outcome(0, acme), "rejected");
      await cluster[Symbol.asyncDispose]();
    });

    it("places no call, takes no single-use token, and does all that its own calls need", async () => {
      await using cluster = await new TestCluster(2).ready();
      const acme = await cluster.gateways[0]!.addTenant("acme");
      const { client } = await cluster.signIn(0, acme);
      const dial = { trunkId: "main", to: "+15550106", defaultApp: 1 };
      await client.rpc(methods.Originate, { ...dial, callSid: "live" });
      await cluster.clock.advance(2_000);
      const { gateway } = cluster.gateways[0]!;
      await gateway.addTrunk({
        tenantId: "acme",
        trunkId: "in",
        inboundRule: InboundRule.NOTIFY_AND_HANGUP,
        rejectIncomingCalls: false,
      });
      cluster.views[0]!.state = "hangs";
      await cluster.clock.advance(2_500);
      const incoming = await gateway.simulateInboundCall({ tenantId: "acme", trunkId: "in" });
      // At once from here on: the fake clock stands still.
      const { fault } = await client.rpc(methods.Originate, { ...dial, callSid: UUID });
      assert.deepEqual(fault, {
        errorCode: ErrorCode.ERR_RATE_LIMITED,
        errorMessage: "Cannot place the call now: it was not placed",
      });
      const answer = await client.rpc(methods.AnswerIncomingCall, { callSid: incoming.callSid });
      assert.equal(answer.fault.errorCode, ErrorCode.ERR_RATE_LIMITED);
      const token = await mintBrowserToken(acme.signer, { now: cluster.clock.now(), jti: "once" });
      assert.equal(await cluster.outcome(0, acme, token), "later");
      assert.equal(gateway.stats().calls.live, 2);
      for (const action of [6, 7]) {
        await client.rpc(methods.ExecuteDialplan, { callSid: "live", action });
      }
      assert.equal((await client.rpc(methods.Barge, { callSid: "live" })).fault.errorCode, 0);
      assert.equal(
        (await client.rpc(methods.Terminate, { callSid: "live" })).reply?.status,
        "COMPLETED",
      );
      cluster.views[0]!.state = "answers";
      await cluster.clock.advance(1_500);
      assert.equal(await cluster.outcome(0, acme, token), "OK");
      assert.equal(await cluster.outcome(1, acme, token), "rejected");
      const placed = await client.rpc(methods.Originate, { ...dial, callSid: UUID });
      assert.equal(placed.reply?.status, "QUEUED");
    });
  });

  it("names the gateways that have not confirmed a revocation, and cuts there when they are back", async () => {
    await using cluster = await new TestCluster(3).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const { client } = await cluster.signIn(2, acme);
    cluster.views[2]!.state = "hangs";
    await cluster.clock.advance(3_000);
    const revoked = revoke(cluster, 0, acme);
    await cluster.clock.advance(1_000);
    assert.deepEqual(await revoked, { unconfirmed: ["gateway-2"] });
    assert.ok(
      cluster.records[0]!.some(({ event, reason }) =>
        event === "key.unconfirmed" && reason === "gateway-2"
      ),
    );
    assert.equal(client.endings.length, 0);
    cluster.views[2]!.state = "answers";
    await cluster.clock.advance(1_500);
    assert.deepEqual(client.endings.map((ending) => ({ ...ending })), [REVOKED]);
    assert.deepEqual(await revoke(cluster, 0, acme), { unconfirmed: [] });
  });

  it("does not wait for a gateway that was closed, and for one that was killed until its sessions are over", async () => {
    await using cluster = await new TestCluster(3, { times: { sessionStaleMs: 60_000 } }).ready();
    const keys = [];
    for (const name of ["a", "b"]) {
      keys.push(await cluster.gateways[0]!.addTenant("acme", { name }));
    }
    const closing = cluster.gateways[1]!.gateway.close();
    await cluster.clock.advance(1_000);
    await closing;
    // Killed: it neither writes nor reads from here on.
    cluster.views[2]!.state = "hangs";
    const revoked = revoke(cluster, 0, keys[0]!);
    await cluster.clock.advance(1_000);
    assert.deepEqual(await revoked, { unconfirmed: ["gateway-2"] });
    await cluster.clock.advance(120_000);
    assert.deepEqual(await revoke(cluster, 0, keys[1]!), { unconfirmed: [] });
  });

  it("takes a single-use token at one gateway", async () => {
    await using cluster = await new TestCluster(3).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    for (let i = 0; i < 10; i++) {
      const token = await mintBrowserToken(acme.signer, { now: cluster.clock.now(), jti: `${i}` });
      const outcomes = await Promise.all([0, 1, 2].map((n) => cluster.outcome(n, acme, token)));
      assert.deepEqual(outcomes.sort(), ["OK", "rejected", "rejected"]);
    }
  });

  it("dials a call_sid at one gateway, also after a restart under the same name", async () => {
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const dial = { trunkId: "main", to: "+15550106", defaultApp: 1, callSid: UUID };
    const clients = [];
    for (const i of [0, 1]) clients.push((await cluster.signIn(i, acme)).client);
    const replies = await Promise.all(clients.map((client) => client.rpc(methods.Originate, dial)));
    const faults = replies.map(({ fault }) => fault.errorCode).sort();
    assert.deepEqual(faults, [0, ErrorCode.ERR_VALIDATION_FAILED]);
    const live = cluster.gateways.map(({ gateway }) => gateway.stats().calls.live);
    assert.deepEqual(live.sort(), [0, 1]);
    // A repeated request at the gateway that has it is the same call.
    const owner = replies.findIndex(({ fault }) => fault.errorCode === 0);
    const again = await clients[owner]!.rpc(methods.Originate, dial);
    assert.equal(again.reply?.status, "QUEUED");
    assert.equal(cluster.gateways[owner]!.gateway.stats().calls.total, 1);

    await using restarted = new TestGateway({
      clock: cluster.clock,
      cluster: { store: faultyStore(cluster.views[owner]!), gatewayId: `gateway-${owner}` },
    });
    await restarted.gateway.ready;
    const client = await restarted.connect(acme);
    const late = await client.rpc(methods.Originate, dial);
    assert.match(late.fault.errorMessage, /used before, at another gateway/);
  });

  it("dials a campaign's row at one gateway", async () => {
    const rows = ["call_sid,to", `${UUID},+15550106`].join("\n");
    const csvUrl = `data:text/csv,${encodeURIComponent(rows)}`;
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    for (const i of [0, 1]) {
      const { client } = await cluster.signIn(i, acme);
      const { reply } = await client.rpc(methods.OriginateBulk, {
        ...{ csvUrl, campaignId: "c", templateTrunkId: "main", callsPerSecond: 10 },
        templateDefaultApp: 1,
      });
      assert.equal(reply?.loadedNumbers, 1);
    }
    await cluster.clock.advance(1_000);
    const totals = cluster.gateways.map(({ gateway }) => gateway.stats().calls.total);
    assert.deepEqual(totals, [1, 0]);
  });

  it("claims no call_sid that a limit refuses: another gateway can dial it", async () => {
    const limits = { callsPerTenant: 2, callsPerSecond: 2 };
    await using cluster = await new TestCluster(2, { limits }).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const clients = [];
    for (const i of [0, 1]) clients.push((await cluster.signIn(i, acme)).client);
    const [first, second] = clients as [typeof clients[0], typeof clients[0]];
    const dial = { trunkId: "main", to: "+15550106", defaultApp: 1 };
    const codes = async (...names: string[]) => {
      const found = [];
      for (const callSid of names) {
        found.push((await first!.rpc(methods.Originate, { ...dial, callSid })).fault.errorCode);
      }
      return found;
    };
    const { ERR_RATE_LIMITED } = ErrorCode;
    assert.deepEqual(await codes("a", "b", "c"), [0, 0, ERR_RATE_LIMITED]);
    const elsewhere = async (callSid: string) =>
      (await second!.rpc(methods.Originate, { ...dial, callSid })).fault.errorCode;
    assert.equal(await elsewhere("c"), 0);
    // The refused call took nothing from the budget, of four at once; then that is used up too.
    for (const callSid of ["a", "b"]) await first!.rpc(methods.Terminate, { callSid });
    assert.deepEqual(await codes("d", "e"), [0, 0]);
    await first!.rpc(methods.Terminate, { callSid: "d" });
    assert.deepEqual(await codes("f"), [ERR_RATE_LIMITED]);
    assert.equal(await elsewhere("f"), 0);
  });

  it("claims no row of a campaign that waits for room", async () => {
    const rows = ["call_sid,to", `${UUID},+15550106`].join("\n");
    const csvUrl = `data:text/csv,${encodeURIComponent(rows)}`;
    const limits = { callsPerTenant: 1 };
    await using cluster = await new TestCluster(2, { limits }).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const { client } = await cluster.signIn(0, acme);
    const dial = { trunkId: "main", to: "+15550106", defaultApp: 1 };
    await client.rpc(methods.Originate, { ...dial, callSid: "live" });
    const { claim } = cluster.views[0]!.counts;
    await client.rpc(methods.OriginateBulk, {
      ...{ csvUrl, campaignId: "c", templateTrunkId: "main", callsPerSecond: 10 },
      templateDefaultApp: 1,
    });
    await cluster.clock.advance(2_000);
    assert.equal(cluster.views[0]!.counts.claim, claim);
    await client.rpc(methods.Terminate, { callSid: "live" });
    await cluster.clock.advance(2_000);
    assert.equal(cluster.views[0]!.counts.claim, claim + 1);
    assert.equal(cluster.gateways[0]!.gateway.stats().calls.total, 2);
  });

  it("answers an incoming call at one gateway", async () => {
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const clients = [];
    for (const [i, { gateway }] of cluster.gateways.entries()) {
      await gateway.addTrunk({
        ...{
          tenantId: "acme",
          trunkId: "in",
          inboundRule: InboundRule.NOTIFY_AND_HANGUP,
          rejectIncomingCalls: false,
        },
      });
      await gateway.simulateInboundCall({ tenantId: "acme", trunkId: "in", callSid: UUID });
      clients.push((await cluster.signIn(i, acme)).client);
    }
    const replies = await Promise.all(
      clients.map((client) => client.rpc(methods.AnswerIncomingCall, { callSid: UUID })),
    );
    const outcomes = replies.map(({ reply, fault }) =>
      fault.errorCode === 0 ? reply?.status : fault.errorMessage
    );
    assert.deepEqual(outcomes.sort(), ["ANSWERED", "The call does not wait to be answered"]);
  });

  it("uses the bootstrap secret up at all gateways", async () => {
    const bootstrapSecret = "correct-horse-battery-staple";
    await using cluster = await new TestCluster(2, { bootstrapSecret }).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const outcomes = [];
    for (const tenantId of ["one", "two"]) {
      const { publicKeyPem, keyId } = await testAccount(tenantId);
      const { client } = await cluster.signIn(tenantId === "one" ? 0 : 1, acme);
      const { reply } = await client.rpc(methods.BootstrapOrg, {
        ...{ bootstrapSecret, tenantId, adminPublicKeyPem: publicKeyPem, adminPrivateKeyId: keyId },
      });
      outcomes.push(`${reply?.status} ${reply?.errorMessage}`);
    }
    assert.deepEqual(outcomes, ["ok ", "error bootstrap secret invalid"]);
  });

  it("bootstraps no tenant that another gateway knows, and keeps the secret for one that is new", async () => {
    const bootstrapSecret = "correct-horse-battery-staple";
    await using cluster = await new TestCluster(2, { bootstrapSecret }).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const taken = await testAccount("taken");
    const { tenantId, keyId, publicKeyPem } = taken;
    await cluster.gateways[0]!.gateway.publishServiceAccount({
      ...{ tenantId, privateKeyId: keyId, publicKeyPem },
    });
    const { client } = await cluster.signIn(1, acme);
    const outcomes = [];
    // The same key, another one, and one of a tenant that is new; then the secret is used up.
    const accounts = [
      taken,
      await testAccount("taken", "other"),
      await testAccount("new"),
      await testAccount("newer"),
    ];
    for (const { tenantId, publicKeyPem, keyId } of accounts) {
      const { reply } = await client.rpc(methods.BootstrapOrg, {
        ...{ bootstrapSecret, tenantId, adminPublicKeyPem: publicKeyPem, adminPrivateKeyId: keyId },
      });
      outcomes.push(`${reply?.status} ${reply?.errorMessage}`);
    }
    assert.deepEqual(outcomes, [
      "error tenant_id already exists",
      "error tenant_id already exists",
      "ok ",
      "error bootstrap secret invalid",
    ]);
  });

  it("takes a browser token that another gateway signed, and ends it with its admin key", async () => {
    await using cluster = await new TestCluster(3).ready();
    const admin = await cluster.gateways[0]!.addTenant("acme", { role: "admin" });
    const { client } = await cluster.signIn(0, admin);
    const adminToken = await cluster.gateways[0]!.token(admin);
    const { reply } = await client.rpc(methods.SessionAuth, {
      ...{ adminToken, tenantId: "acme", subject: "alice", ttlSeconds: 300 },
    });
    const { outcome, client: page } = await cluster.signIn(1, admin, reply!.token);
    assert.equal(outcome, "OK");
    await revoke(cluster, 2, admin);
    await cluster.clock.advance(0);
    assert.deepEqual(page.endings.map((ending) => ({ ...ending })), [REVOKED]);
    for (const i of [0, 1, 2]) {
      assert.equal(await cluster.outcome(i, admin, reply!.token), "revoked");
    }
  });

  it("keeps no session of a key that is revoked at any point between its look-up and the session's entry", async () => {
    await using cluster = await new TestCluster(2).ready();
    const random = createRandom(seed);
    const view = cluster.views[1]!;
    for (let round = 0; round < 12; round++) {
      const account = await cluster.gateways[0]!.addTenant("acme", { name: `${round}` });
      let revoking: Promise<unknown> | undefined;
      const act = () => revoking ??= revoke(cluster, 0, account);
      // Before and after the read, then at any turn of the check of the signature.
      const isLookUp = (method: string, what: string) => method === "read" && what !== "";
      if (round === 0) view.before = async (...asked) => isLookUp(...asked) && await act();
      if (round === 1) view.after = async (...asked) => isLookUp(...asked) && await act();
      const signing = cluster.signIn(1, account);
      for (let turns = Math.floor(random() * 3 * round); turns > 0; turns--) await turn();
      await act();
      const { client } = await signing;
      Object.assign(view, { before: () => {}, after: () => {} });
      await cluster.clock.advance(1_000);
      assert.ok(client.isClosed, `round ${round}`);
      assert.equal(cluster.gateways[1]!.gateway.stats().sessions.open, 0, `round ${round}`);
    }
  });

  it("bounds what invented key ids make it read, and admits known keys meanwhile", async () => {
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    assert.equal(await cluster.outcome(1, acme), "OK");
    const view = cluster.views[1]!;
    const before = view.counts.key;
    const [head = "", ...rest] = (await cluster.gateways[1]!.token(acme)).split(".");
    const outcomes = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      const header = JSON.parse(atob(head));
      const invented = btoa(JSON.stringify({ ...header, kid: `invented-${i}` })).replaceAll(
        "=",
        "",
      );
      const client = cluster.gateways[1]!.dial({ address: "203.0.113.9" });
      const reply = await client.authenticate([invented, ...rest].join("."));
      const outcome = `${reply?.errorCode}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    assert.ok(view.counts.key - before <= 50, `${view.counts.key - before}`);
    assert.deepEqual(Object.fromEntries(outcomes), { "7": 50, "3": 150 });
    assert.equal(await cluster.outcome(1, acme), "OK");
  });

  it("follows changes of trunks, the last one at all gateways", async () => {
    await using cluster = await new TestCluster(2).ready();
    const [one, two] = cluster.gateways.map(({ gateway }) => gateway);
    const trunk = { tenantId: "acme", trunkId: "t" };
    await Promise.all([
      one!.addTrunk({ ...trunk, rejectSipCode: 480, inboundRule: InboundRule.REJECT }),
      two!.addTrunk({ ...trunk, rejectSipCode: 486, inboundRule: InboundRule.REJECT }),
    ]);
    await cluster.clock.advance(250);
    const [a, b] = await Promise.all(
      [one!, two!].map((gateway) => gateway.simulateInboundCall(trunk)),
    );
    assert.equal(a!.sipStatus, b!.sipStatus);
    const admin = await cluster.gateways[0]!.addTenant("acme", { role: "admin" });
    const { client } = await cluster.signIn(1, admin);
    const adminToken = await cluster.gateways[0]!.token(admin);
    await client.rpc(methods.RemoveTrunk, { adminToken, trunkId: "t" });
    await cluster.clock.advance(250);
    assert.equal((await one!.simulateInboundCall(trunk)).sipStatus, 404);
  });

  it("hears of a revocation after the store was set back, and of who has not confirmed it", async () => {
    await using cluster = await new TestCluster(2).ready();
    await cluster.clock.advance(240_000);
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const { client } = await cluster.signIn(1, acme);
    await cluster.clock.advance(1_000);
    const kinds = ["key", "thumbprint", "tenant", "trunk"];
    const store = await restored(cluster.views[0]!.inner, kinds, cluster.clock);
    for (const view of cluster.views) view.inner = store;
    await cluster.clock.advance(11_000);
    assert.equal(await cluster.outcome(1, acme), "OK");
    cluster.views[1]!.state = "hangs";
    const revoked = revoke(cluster, 0, acme);
    await cluster.clock.advance(1_000);
    assert.deepEqual(await revoked, { unconfirmed: ["gateway-1"] });
    assert.equal(await cluster.outcome(0, acme), "revoked");
    cluster.views[1]!.state = "answers";
    await cluster.clock.advance(3_000);
    assert.deepEqual(client.endings.map((ending) => ({ ...ending })), [REVOKED]);
    assert.equal(await cluster.outcome(1, acme), "revoked");
    for (const records of cluster.records) {
      assert.equal(records.filter(({ event }) => event === "store.set-back").length, 1);
    }
  });

  it("hears of a revocation after the store was set back, and has overtaken what was read", async () => {
    await using cluster = await new TestCluster(2).ready();
    const acme = await cluster.gateways[0]!.addTenant("acme");
    const { client } = await cluster.signIn(1, acme);
    const kinds = ["key", "thumbprint", "tenant", "trunk"];
    const store = await restored(cluster.views[0]!.inner, kinds, cluster.clock);
    for (let i = 0; i < 100; i++) await store.commit([{ kind: "other", key: `${i}`, value: "" }]);
    for (const view of cluster.views) view.inner = store;
    await cluster.clock.advance(11_000);
    assert.equal(await cluster.outcome(1, acme), "OK");
    for (const records of cluster.records) {
      assert.equal(records.filter(({ event }) => event === "store.set-back").length, 1);
    }
    const revoked = revoke(cluster, 0, acme);
    await cluster.clock.advance(1_000);
    assert.deepEqual(await revoked, { unconfirmed: [] });
    assert.deepEqual(client.endings.map((ending) => ({ ...ending })), [REVOKED]);
  });

  it("says that two processes have one id", async () => {
    await using cluster = await new TestCluster(1).ready();
    await using second = new TestGateway({
      clock: cluster.clock,
      cluster: { store: faultyStore(cluster.views[0]!), gatewayId: "gateway-0" },
    });
    await second.gateway.ready;
    await cluster.clock.advance(1_000);
    assert.ok(cluster.records[0]!.some(({ event }) => event === "store.id-taken"));
  });

  it("rejects options of the wrong type, out of range, or for two stores", () => {
    const store = faultyStore(null as never);
    const make = (cluster: object, more: object = {}) => () =>
      void createGateway({ cluster: cluster as never, ...more });
    assert.throws(make({ gatewayId: "a" }), /cluster.store is undefined, expected a shared store/);
    assert.throws(make({ store, gatewayId: 1 }), /cluster.gatewayId is a number/);
    assert.throws(make({ store, gatewayId: "a b" }), { code: "ERR_VALUE_INVALID" });
    assert.throws(make({ store, gatewayId: "a", pullMs: 0 }), /cluster.pullMs is 0/);
    assert.throws(
      make({ store, gatewayId: "a" }, { directory: "x" }),
      /cluster and directory are set/,
    );
  });
});
