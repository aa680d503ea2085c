import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GatewayRecord, GatewayWatch } from "../../../src/gateway/mod.ts";
import { FakeClock } from "../../../src/testing/mod.ts";
import { type AudioFrame, DialplanAction, EventType, methods } from "../../../src/wire/mod.ts";
import type { RawClient } from "../../support/raw_client.ts";
import { TestGateway } from "../../support/tenant_kit.ts";

const SOME_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln";

/** Everything that a watch has brought so far. */
function collect(watch: GatewayWatch): { readonly records: GatewayRecord[]; isDone: boolean } {
  const collected = { records: [] as GatewayRecord[], isDone: false };
  void (async () => {
    for await (const record of watch) collected.records.push(record);
    collected.isDone = true;
  })();
  return collected;
}

async function dial(client: RawClient, to: string, callSid: string): Promise<void> {
  const request = { trunkId: "main", to, callSid, clientId: "c", callFrom: "+15550111" };
  const { reply } = await client.rpc(methods.Originate, {
    ...request,
    defaultApp: DialplanAction.ANSWER,
  });
  assert.equal(reply!.errorCode, 0);
}

describe("Gateway.inspect()", () => {
  it("shows tenants, keys, trunks, sessions and calls, as plain data", async () => {
    await using setup = new TestGateway({ phones: ["+15550120"] });
    const acme = await setup.addTenant("acme", { channelLimit: 7 });
    await setup.addTenant("globex");
    const startMs = setup.clock.now();
    const client = await setup.connect(acme, { clientId: "c" });
    await dial(client, "+15550100", "call-1");
    await setup.clock.advance(300);
    await setup.gateway.revokeServiceAccount({
      tenantId: "globex",
      privateKeyId: "globex-first",
    });
    const seen = setup.gateway.inspect();
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), seen);
    assert.equal(seen.timeMs, startMs + 300);
    assert.deepEqual(seen.tenants, [
      { tenantId: "acme", sessions: 1, liveCalls: 1, campaigns: 0 },
      { tenantId: "globex", sessions: 0, liveCalls: 0, campaigns: 0 },
    ]);
    assert.deepEqual(seen.keys, [
      {
        tenantId: "acme",
        keyId: "acme-first",
        role: "sdk",
        expiresAtMs: 0,
        isRevoked: false,
        revokedAtMs: 0,
      },
      {
        tenantId: "globex",
        keyId: "globex-first",
        role: "sdk",
        expiresAtMs: 0,
        isRevoked: true,
        revokedAtMs: startMs + 300,
      },
    ]);
    assert.deepEqual(seen.trunks, [
      { tenantId: "acme", trunkId: "main", channelLimit: 7, liveCalls: 1, inboundRule: 0 },
      { tenantId: "globex", trunkId: "main", channelLimit: 50, liveCalls: 0, inboundRule: 0 },
    ]);
    const { endsAtMs, ...session } = seen.sessions[0]!;
    assert.deepEqual(session, { session: 1, tenantId: "acme", keyId: "acme-first", kind: "sdk" });
    assert.ok(endsAtMs! > startMs);
    assert.deepEqual(seen.calls, [{
      callSid: "call-1",
      tenantId: "acme",
      trunkId: "main",
      direction: "outbound",
      from: "+15550111",
      to: "+15550100",
      state: "answered",
      isHeld: false,
      isMuted: false,
      startMs,
      answerMs: startMs + 200,
      levels: { toFarEnd: 0, fromFarEnd: 0 },
      quality: {
        packetsSent: 0,
        packetsReceived: 0,
        packetsLost: 0,
        lossPercent: 0,
        jitterMs: 0,
        mos: 0,
      },
    }]);
    assert.deepEqual(seen.phones, {
      tenantId: "phone",
      trunkId: "desk",
      numbers: ["+15550120"],
      isOn: false,
    });
    assert.equal(seen.stats.calls.live, 1);
  });

  it("holds no key material, no token and no client id", async () => {
    await using setup = new TestGateway({ phones: ["+15550120"] });
    const acme = await setup.addTenant("acme");
    const token = await setup.token(acme);
    const client = setup.dial();
    await client.authenticate(token);
    await client.rpc(methods.StreamEvents, { clientId: "the-client-id" });
    await client.rpc(methods.Originate, {
      trunkId: "main",
      to: "+15550100",
      callFrom: `from ${SOME_TOKEN}`,
      clientId: "the-client-id",
    });
    assert.equal(setup.gateway.inspect().calls[0]!.from, "from [redacted]");
    const { token: ofPhone } = await setup.gateway.phones.token();
    const watch = setup.gateway.watch({ levels: true });
    const collected = collect(watch);
    await setup.clock.advance(1_000);
    const text = JSON.stringify([setup.gateway.inspect(), collected.records]);
    const modulus = acme.publicKeyPem.split("\n").slice(1, -2).join("").slice(60, 100);
    for (const secret of [token, ofPhone, SOME_TOKEN, modulus, "PRIVATE KEY", "the-client-id"]) {
      assert.ok(!text.includes(secret), secret.slice(0, 20));
    }
    await watch.return!();
  });
});

describe("Gateway.watch()", () => {
  it("brings log records and the events of every tenant's calls", async () => {
    await using setup = new TestGateway();
    const collected = collect(setup.gateway.watch());
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c" });
    await dial(client, "+15550101", "call-1");
    await setup.clock.advance(100);
    const logged = collected.records.flatMap((each) =>
      each.type === "log" ? each.record.event : []
    );
    assert.deepEqual(logged, [
      "key.published",
      "trunk.added",
      "session.accepted",
      "rpc.done",
      "call.dialled",
      "rpc.done",
      "call.ended",
    ]);
    const events = collected.records.flatMap((each) =>
      each.type === "call" ? [[each.event, each.status, each.q850Cause, each.call.state]] : []
    );
    assert.deepEqual(events, [
      ["CHANNEL_CREATE", "INITIATED", 0, "dialled"],
      ["CHANNEL_HANGUP_COMPLETE", "BUSY", 17, "ended"],
    ]);
    assert.equal(client.events.at(-1)!.eventType, EventType.CHANNEL_HANGUP_COMPLETE);
  });

  it("brings the levels of both directions every 200 ms, and no timer runs without a watcher", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c" });
    await dial(client, "+15550106", "tone");
    await setup.clock.advance(200);
    const unwatched = setup.clock.pending;
    const watch = setup.gateway.watch({ levels: true });
    const { records } = collect(watch);
    assert.equal(setup.clock.pending, unwatched + 1);
    await setup.clock.advance(1_000);
    const readings = records.flatMap((each) => each.type === "levels" ? each.calls : []);
    assert.equal(readings.length, 5);
    for (const { callSid, tenantId, levels, quality } of readings) {
      assert.deepEqual([callSid, tenantId], ["tone", "acme"]);
      // A sine of half of full scale.
      assert.ok(Math.abs(levels.fromFarEnd - 0.5 / Math.SQRT2) < 0.02, `${levels.fromFarEnd}`);
      assert.equal(levels.toFarEnd, 0);
      assert.ok(quality.mos > 4 && quality.packetsReceived > 0);
    }
    assert.deepEqual(setup.gateway.inspect().calls[0]!.levels, readings.at(-1)!.levels);
    await watch.return!();
    assert.equal(setup.clock.pending, unwatched);
    await setup.clock.advance(200);
    assert.deepEqual(setup.gateway.inspect().calls[0]!.levels, { toFarEnd: 0, fromFarEnd: 0 });
  });

  it("measures what the client sends, in every codec", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c" });
    await dial(client, "+15550100", "echo");
    await setup.clock.advance(200);
    const { records } = collect(setup.gateway.watch({ levels: true }));
    const audio = await client.openAudio();
    const payload = new Uint8Array(new Int16Array(320).fill(16_384).buffer);
    for (let sequenceNumber = 0; sequenceNumber < 10; sequenceNumber++) {
      await audio.send({ callSid: "echo", payload, codec: "PCM16", sequenceNumber });
    }
    await setup.clock.advance(200);
    const [reading] = records.flatMap((each) => each.type === "levels" ? each.calls : []);
    assert.deepEqual(reading!.levels, { toFarEnd: 0.5, fromFarEnd: 0.5 });
    assert.equal(reading!.quality.packetsSent, 10);
    assert.ok(client.audio.every((frame: AudioFrame) => frame.codec === "PCM16"));
  });

  it("drops the oldest records of one that does not read, and counts them", async () => {
    await using setup = new TestGateway();
    const watch = setup.gateway.watch();
    const other = collect(setup.gateway.watch());
    for (let i = 0; i < 1_100; i++) {
      setup.gateway.setFaults({ delayMs: i });
      if (i % 100 === 0) await setup.clock.advance(0);
    }
    await setup.clock.advance(0);
    assert.equal(watch.dropped, 76);
    assert.equal(other.records.length, 1_100);
    const { value } = await watch.next();
    assert.equal(value.type, "log");
    assert.match(value.record.reason, /"delayMs":76/);
  });

  it("ends by its signal, by return() and with the gateway", async () => {
    const setup = new TestGateway({ clock: new FakeClock() });
    const controller = new AbortController();
    const bySignal = collect(setup.gateway.watch({ signal: controller.signal, levels: true }));
    const byReturn = setup.gateway.watch({ levels: true });
    const byClose = collect(setup.gateway.watch());
    assert.equal(setup.clock.pending, 1);
    controller.abort();
    await byReturn.return!();
    assert.deepEqual(await byReturn.next(), { value: undefined, done: true });
    assert.equal(setup.clock.pending, 0);
    await setup[Symbol.asyncDispose]();
    assert.ok(bySignal.isDone && byClose.isDone);
    const last = byClose.records.at(-1)!;
    assert.ok(last.type === "log" && last.record.event === "gateway.closed");
    const late = setup.gateway.watch();
    assert.deepEqual(await late.next(), { value: undefined, done: true });
    const aborted = setup.gateway.watch({ signal: AbortSignal.abort() });
    assert.deepEqual(await aborted.next(), { value: undefined, done: true });
  });
});

describe("Gateway.endCall()", () => {
  it("ends a call as its far end does, before and after the answer", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c" });
    await dial(client, "+15550100", "one");
    await dial(client, "+15550100", "two");
    setup.gateway.endCall("one", 17);
    await setup.clock.advance(300);
    setup.gateway.endCall("two", undefined, "acme");
    await setup.clock.advance(0);
    const ends = client.events.filter(({ eventType }) => eventType === 3);
    assert.deepEqual(ends.map(({ callSid, q850Cause, status }) => [callSid, q850Cause, status]), [
      ["one", 17, "BUSY"],
      ["two", 16, "COMPLETED"],
    ]);
  });

  it("refuses unknown calls and causes", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme);
    await dial(client, "+15550100", "one");
    const { gateway } = setup;
    const invalid = { code: "ERR_VALUE_INVALID" };
    assert.throws(() => gateway.endCall("other"), invalid);
    assert.throws(() => gateway.endCall("one", 16, "globex"), invalid);
    assert.throws(() => gateway.endCall("one", 0), invalid);
    assert.throws(() => gateway.endCall("one", 128), invalid);
    assert.throws(() => gateway.endCall("one", "16" as unknown as number), TypeError);
    assert.equal(gateway.inspect().calls.length, 1);
  });
});
