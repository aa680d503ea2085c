import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeRequest, methods } from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import type { RawClient } from "../support/raw_client.ts";
import { type TestAccount, testAccount, TestGateway } from "../support/tenant_kit.ts";

const REVOKED = { code: 401, reason: "key revoked", reconnect: true };
const EXPIRED = { code: 401, reason: "token expired", reconnect: true };
const dial = { trunkId: "main", to: "+15550100", defaultApp: 1, clientId: "c" } as const;

function revoke(setup: TestGateway, { tenantId, keyId }: TestAccount): Promise<unknown> {
  return setup.gateway.revokeServiceAccount({ tenantId, privateKeyId: keyId });
}

describe("G-18 revocation", () => {
  it("G-18 ends 200 sessions of a key in every state within a round trip, and no session of another key", async () => {
    await using setup = new TestGateway();
    const old = await setup.addTenant("acme", { name: "old", channelLimit: 500 });
    const fresh = await setup.addTenant("acme", { name: "new", channelLimit: 500 });
    const kept = await setup.connect(fresh, { clientId: "kept" });
    const calls: string[] = [];
    const sessions: RawClient[] = [];
    for (let i = 0; i < 200; i++) {
      const client = await setup.connect(old, { clientId: `c${i}` });
      sessions.push(client);
      if (i % 4 === 1) {
        const { reply } = await client.rpc(methods.Originate, { ...dial, clientId: `c${i}` });
        calls.push(reply!.callSid);
      }
      if (i % 4 === 2) {
        // In the middle of a request.
        const writer = (await client.open()).writable.getWriter();
        await writer.write(encodeRequest(methods.Originate, dial).subarray(0, 30));
      }
      if (i % 4 === 3) await client.openAudio();
    }
    await setup.clock.advance(2_000);
    assert.equal(setup.gateway.stats().sessions.open, 201);
    const events = setup.gateway.stats().events.sent;

    await revoke(setup, old);
    // One turn, and no time: each has been informed, and nothing of it is carried out any more.
    await settle();
    assert.equal(setup.gateway.stats().sessions.open, 1);
    for (const client of sessions) assert.deepEqual(client.endings, [REVOKED]);
    const late = await sessions[0]!.rpc(methods.Originate, dial);
    assert.deepEqual([late.bytes.length, late.isReset], [0, true]);
    // Its calls belong to the tenant: they go on, and only the other session hears of them.
    assert.equal(setup.gateway.stats().calls.live, calls.length);
    const heard = sessions.map(({ events }) => events.length);
    for (const callSid of calls) await kept.rpc(methods.Terminate, { callSid });
    await setup.clock.advance(250);
    assert.ok(sessions.every(({ isClosed }) => isClosed));
    assert.deepEqual(sessions.map(({ events }) => events.length), heard);
    assert.equal(kept.events.length, calls.length);
    assert.equal(setup.gateway.stats().events.sent, events + calls.length);
    assert.deepEqual(sessions[0]!.closeInfo, { closeCode: 401, reason: "key revoked" });
    assert.equal(kept.isClosed, false);

    const again = await setup.dial().authenticate(await setup.token(old));
    assert.equal(again?.errorMessage, "revoked");
    assert.deepEqual((await kept.rpc(methods.Originate, dial)).reply?.errorCode, 0);
  });

  it("G-18 refuses a handshake in which the key is revoked at any point, or ends the session at once", async () => {
    const outcomes: string[] = [];
    for (let point = 0;; point++) {
      await using setup = new TestGateway();
      const acme = await setup.addTenant("acme");
      const token = await setup.token(acme);
      const client = setup.dial();
      const authenticated = client.authenticate(token);
      // Lets the handshake run for so many microtasks, then revokes in between two of them.
      for (let i = 0; i < point; i++) await null;
      const wasOpen = setup.gateway.stats().sessions.open === 1;
      const revoked = revoke(setup, acme);
      const reply = await authenticated;
      await revoked;
      await settle();
      assert.equal(setup.gateway.stats().sessions.open, 0, `at point ${point}`);
      if (reply?.status === "OK") {
        assert.ok(wasOpen, `let in after the revocation, at point ${point}`);
        assert.deepEqual(client.endings, [REVOKED]);
      } else assert.equal(reply?.errorMessage, "revoked");
      outcomes.push(reply!.status);
      const late = await client.rpc(methods.Originate, dial);
      assert.equal(late.bytes.length, 0);
      await setup.clock.advance(250);
      assert.equal(client.isClosed, true);
      await Promise.all(setup.served);
      assert.equal(setup.clock.pending, 0);
      if (wasOpen) break;
    }
    assert.ok(outcomes.length > 10, `${outcomes.length} points`);
    assert.equal(outcomes.at(-1), "OK");
    assert.ok(outcomes.slice(0, -1).every((status) => status === "ERROR"), String(outcomes));
  });

  it("G-18 refuses a handshake that is in the middle of the signature when the key is revoked", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const token = await setup.token(acme);
    const { subtle } = crypto;
    const { verify } = subtle;
    let verified = 0;
    subtle.verify = async (...args: Parameters<typeof verify>) => {
      const isGood = await verify.apply(subtle, args);
      if (++verified === 1) await revoke(setup, acme);
      return isGood;
    };
    try {
      const clients = Array.from({ length: 20 }, () => setup.dial());
      const replies = await Promise.all(clients.map((client) => client.authenticate(token)));
      for (const reply of replies) assert.equal(reply?.errorMessage, "revoked");
    } finally {
      subtle.verify = verify;
    }
    assert.equal(verified, 20);
    assert.equal(setup.gateway.stats().sessions.refused.revoked, 20);
  });

  it("G-18 carries out nothing of a request that was on its way", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme);
    const request = encodeRequest(methods.Originate, dial);
    const stream = await client.open();
    const writer = stream.writable.getWriter();
    writer.closed.catch(() => {});
    await writer.write(request.subarray(0, 60));
    await settle();
    await revoke(setup, acme);
    await writer.write(request.subarray(60)).catch(() => {});
    await settle();
    assert.deepEqual(setup.gateway.stats().rpcs, {});
    assert.equal(setup.gateway.stats().calls.total, 0);
  });

  it("G-18 hears no audio of a session that is ending", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c" });
    const { reply } = await client.rpc(methods.Originate, dial);
    await setup.clock.advance(200);
    const uplink = await client.openAudio();
    const frame = { callSid: reply!.callSid, codec: "PCMU", payload: new Uint8Array(160) };
    await uplink.send(frame);
    await settle();
    await revoke(setup, acme);
    for (let i = 1; i < 10; i++) uplink.send({ ...frame, sequenceNumber: i }).catch(() => {});
    await settle();
    const { received, sent } = setup.gateway.stats().audio;
    assert.equal(received, 1);
    assert.equal(sent, 1);
  });

  it("G-18 counts a key past its own end as revoked, at the moment, for new tokens and live sessions", async () => {
    await using setup = new TestGateway();
    const { publicKeyPem, keyId: privateKeyId, ...acme } = await testAccount("acme");
    const tenantId = "acme";
    const expiresAtMs = setup.clock.now() + 60_000;
    await setup.gateway.publishServiceAccount({
      tenantId,
      privateKeyId,
      publicKeyPem,
      expiresAtMs,
    });
    const account = { ...acme, publicKeyPem, keyId: privateKeyId };
    const client = await setup.connect(account);
    await setup.clock.advance(59_999);
    assert.deepEqual(client.endings, []);
    assert.equal((await setup.dial().authenticate(await setup.token(account)))?.status, "OK");
    await setup.clock.advance(1);
    await settle();
    assert.deepEqual(client.endings, [REVOKED]);
    const late = await setup.dial().authenticate(await setup.token(account));
    assert.equal(late?.errorMessage, "revoked");
  });

  it("G-18 lets a published end be moved, and acts on it at once", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme);
    const publish = (inMs: number) =>
      setup.gateway.publishServiceAccount({
        tenantId: "acme",
        privateKeyId: acme.keyId,
        publicKeyPem: acme.publicKeyPem,
        expiresAtMs: inMs === 0 ? 0 : setup.clock.now() + inMs,
      });
    await publish(10_000);
    await publish(100_000);
    await setup.clock.advance(50_000);
    assert.deepEqual(client.endings, []);
    await publish(0);
    await setup.clock.advance(100_000);
    assert.deepEqual(client.endings, []);
    await publish(-1);
    await settle();
    assert.deepEqual(client.endings, [REVOKED]);
  });

  it("G-18 never takes a revoked key back, under its own id or another", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const other = await testAccount("acme", "other");
    const publish = (privateKeyId: string, publicKeyPem: string) =>
      setup.gateway.publishServiceAccount({ tenantId: "acme", privateKeyId, publicKeyPem });
    await revoke(setup, acme);
    await revoke(setup, acme);
    const refused = { code: "ERR_VALUE_INVALID", message: /is or was in use/ };
    await assert.rejects(publish(acme.keyId, acme.publicKeyPem), refused);
    await assert.rejects(publish(acme.keyId, other.publicKeyPem), refused);
    await assert.rejects(publish("another-id", acme.publicKeyPem), refused);
    await publish("another-id", other.publicKeyPem);
  });
});

describe("G-19 expiry", () => {
  it("G-19 ends a session when its token ends, and says why", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const client = setup.dial();
    await client.authenticate(await setup.token(acme, { lifetimeSeconds: 90 }));
    await setup.clock.advance(89_999);
    assert.deepEqual(client.endings, []);
    assert.equal((await client.rpc(methods.Barge, { callSid: "x" })).fault.errorCode, 7);
    await setup.clock.advance(1);
    await settle();
    assert.deepEqual(client.endings, [EXPIRED]);
    await setup.clock.advance(250);
    await settle();
    assert.deepEqual(client.closeInfo, { closeCode: 401, reason: "token expired" });
    assert.equal(setup.clock.pending, 0);
  });

  it("G-19 warns its owner a minute before", async () => {
    const warned: number[] = [];
    await using setup = new TestGateway({
      log: ({ event, timeMs }) => void (event === "session.expiring" && warned.push(timeMs)),
    });
    const acme = await setup.addTenant("acme");
    const start = setup.clock.now();
    await setup.connect(acme);
    await setup.clock.advance(3_600_000);
    assert.equal(warned.length, 1);
    const before = start + 3_600_000 - warned[0]!;
    assert.ok(before <= 60_000 && before > 55_000, `${before} ms before`);
  });

  it("G-19 looks at the wall clock again after a sleep or a jump, within 5 s", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const sleeper = await setup.connect(acme);
    await setup.clock.advance(1_000);
    // The machine slept for two hours: the wall clock knows, the timers do not.
    setup.clock.jump(7_200_000);
    await setup.clock.advance(5_000);
    assert.deepEqual(sleeper.endings, [EXPIRED]);
    const early = await setup.connect(acme);
    setup.clock.jump(-7_200_000);
    await setup.clock.advance(3_600_000);
    assert.deepEqual(early.endings, [], "set back, the token is not over yet");
  });

  it("G-19 lets a session outlive its token when it is configured to, but not its key", async () => {
    await using setup = new TestGateway({ sessionExpiry: "connection" });
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme);
    await setup.clock.advance(8_000_000);
    assert.deepEqual(client.endings, []);
    await revoke(setup, acme);
    await settle();
    assert.deepEqual(client.endings, [REVOKED]);
  });

  it("G-19 leaves the calls of an expired session alone: the next one hears them", async () => {
    await using setup = new TestGateway();
    const acme = await setup.addTenant("acme");
    const first = setup.dial();
    await first.authenticate(await setup.token(acme, { lifetimeSeconds: 70 }));
    await first.rpc(methods.StreamEvents, { clientId: "c" });
    const { reply } = await first.rpc(methods.Originate, dial);
    await setup.clock.advance(71_000);
    assert.equal(first.isClosed, true);
    const second = await setup.connect(acme, { clientId: "c" });
    const uplink = await second.openAudio();
    const payload = new Uint8Array(160).fill(5);
    await uplink.send({ callSid: reply!.callSid, codec: "PCMU", payload, sequenceNumber: 3_000 });
    await settle();
    assert.deepEqual(second.audio.map(({ payload }) => payload[0]), [5]);
    await second.rpc(methods.Terminate, { callSid: reply!.callSid });
    await settle();
    assert.deepEqual(second.events.map(({ status }) => status), ["COMPLETED"]);
  });
});
