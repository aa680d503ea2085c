import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ClientStatus,
  parseServiceAccount,
  TeleQuickClient,
  TeleQuickError,
} from "../../../mod.ts";
import { toneSamples } from "../../../src/audio/mod.ts";
import { FakeClock, scriptedPhone, testGateway } from "../../../src/testing/mod.ts";

describe("testGateway()", () => {
  it("places a call on the fake clock and hears how it ended", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { client, clock, trunkId } = kit;
    const call = await client.dial({ to: "+15550105", trunkId });
    const { cause, durationSeconds } = await clock.runUntil(call.ended);
    assert.deepEqual([cause, durationSeconds], ["normal call clearing", 2]);
    assert.ok(clock instanceof FakeClock);
    await kit.assertSettled();
  });

  it("places a call on the real clock", async () => {
    const kit = await testGateway({ tenantId: "globex", trunkId: "main" });
    const call = await kit.client.dial({ to: "+15550101", trunkId: "main" });
    assert.equal((await call.ended).q850Cause, 17);
    assert.equal(kit.client.stats().session.tenantId, "globex");
    await kit.assertSettled();
    await kit.close();
  });

  it("goes on where a log of the test's own throws or rejects", async () => {
    for (const log of [() => Promise.reject(new Error("log")), () => assert.fail("log")]) {
      await using kit = await testGateway({ clock: "fake", gateway: { log } });
      const call = await kit.client.dial({ to: "+15550101", trunkId: kit.trunkId });
      await kit.clock.runUntil(call.ended);
      assert.ok(kit.gateway.records.length > 0);
    }
  });

  it("keeps tenants apart", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const other = await kit.gateway.addTenant({ trunkId: "others" });
    assert.equal(other.tenantId, "tenant-2");
    const client = await other.connect();
    await assert.rejects(client.dial({ to: "+15550100", trunkId: kit.trunkId }), { rpcCode: 1 });
    const call = await client.dial({ to: "+15550101", trunkId: "others" });
    await kit.clock.runUntil(call.ended);
  });

  it("gives the gateway's own reason for a refusal as the error's cause", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const client = new TeleQuickClient(
      "https://gateway.test",
      parseServiceAccount(JSON.stringify({
        tenant_id: kit.tenantId,
        private_key_id: "unknown",
        private_key: kit.account.privateKey,
      })),
      false,
      { webTransport: kit.webTransport, clock: kit.clock },
    );
    const error = await client.connect().catch((error: unknown) => error);
    assert.ok(error instanceof TeleQuickError);
    assert.equal(error.refusal, "rejected");
    assert.equal((error.cause as Error).message, "Cannot accept token: kid is unknown");
    await client.close();
  });
});

describe("TestKit", () => {
  it("session.drop(): the client reconnects and keeps its call", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { client, clock } = kit;
    const call = await client.dial({ to: "+15550100", trunkId: kit.trunkId });
    await clock.runUntil(call.answered());
    kit.session.drop();
    await clock.runUntil(() => client.stats().session.opened === 2);
    await call.hangUp();
    assert.equal((await clock.runUntil(call.ended)).q850Cause, 16);
  });

  it("session.stall(): what was sent arrives afterwards, and from 10 s on the session is lost", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { client, clock } = kit;
    await client.connect();
    kit.session.stall(3_000);
    const asked = client.getActiveBuckets();
    await clock.runUntil(asked);
    assert.equal(clock.monotonic(), 3_000);
    const { session } = kit;
    session.stall(60_000);
    await clock.runUntil(() => client.stats().session.opened === 2);
    assert.equal(session.isOpen, false);
  });

  it("network(): delay, and loss that is a retransmission, the same for a seed", async () => {
    const measure = async (lossPercent: number): Promise<number> => {
      await using kit = await testGateway({ clock: "fake" });
      await kit.client.connect();
      kit.network({ delayMs: 40, lossPercent });
      const start = kit.clock.monotonic();
      for (let n = 0; n < 10; n++) await kit.clock.runUntil(kit.client.getActiveBuckets());
      return kit.clock.monotonic() - start;
    };
    assert.equal(await measure(0), 800);
    const lossy = await measure(20);
    assert.ok(lossy > 900, `${lossy} ms`);
    assert.equal(await measure(20), lossy);
  });

  it("expireToken(): the client signs in anew", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { client, clock } = kit;
    await client.connect();
    kit.expireToken();
    await clock.runUntil(() => client.stats().session.opened === 2);
    await client.getActiveBuckets();
  });

  it("revokeKey(): the client ends with the refusal", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { client, clock } = kit;
    await client.connect();
    const statuses: ClientStatus[] = [];
    const watching = (async () => {
      for await (const status of client.status()) statuses.push(status);
    })();
    await kit.revokeKey();
    await clock.runUntil(watching);
    const last = statuses.at(-1);
    assert.ok(last?.type === "closed");
    assert.equal(last.code, "ERR_UNAUTHORIZED");
  });

  for (const isGraceful of [false, true]) {
    it(`restartGateway({ isGraceful: ${isGraceful} }): keys and trunks are there again, calls are gone`, async () => {
      await using kit = await testGateway({ clock: "fake" });
      const { client, clock, trunkId } = kit;
      const call = await client.dial({ to: "+15550100", trunkId });
      await clock.runUntil(call.answered());
      await kit.restartGateway({ isGraceful });
      await clock.runUntil(() => client.stats().session.opened === 2);
      await assert.rejects(clock.runUntil(client.barge(call.sid)), { code: "ERR_RPC_REJECTED" });
      const next = await client.dial({ to: "+15550101", trunkId });
      assert.equal((await clock.runUntil(next.ended)).q850Cause, 17);
      assert.equal(kit.gateway.stats().calls.total, 1);
    });
  }

  it("hears(): audio with its times, levels and digits", async () => {
    await using kit = await testGateway({ clock: "fake" });
    const { client, clock } = kit;
    const call = await client.dial({ to: "+15550100", trunkId: kit.trunkId });
    await clock.runUntil(call.answered());
    await clock.advance(500);
    const writer = call.audio().writable.getWriter();
    const tone = toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds: 400 });
    await clock.runUntil(writer.write(tone));
    await clock.advance(1_000);
    await call.sendDtmf("5");
    await call.sendDtmf("#");
    const heard = kit.hears(call);
    assert.equal(heard.digits, "5#");
    assert.equal(heard.samples.length, tone.length);
    assert.ok(heard.audio[0]!.atMs >= 500);
    heard.assertSilent({ fromMs: 0, toMs: 500 });
    heard.assertSpoken({ fromMs: 520, toMs: 880, levelDb: -12 });
    assert.throws(() => heard.assertSpoken({ fromMs: 0, toMs: 400 }), {
      message:
        "The far end heard nothing from 0 to 400 ms after the answer, expected at least -45 dB",
    });
    assert.throws(() => heard.assertSilent({ fromMs: 520, toMs: 880 }), /less than -45 dB$/);
    assert.throws(() => kit.hears("another"), /has no call "another"/);
  });

  it("assertSettled() says what is still there", async () => {
    const kit = await testGateway({ clock: "fake" });
    await kit.client.dial({ to: "+15550100", trunkId: kit.trunkId });
    await kit.clock.advance(300);
    const own = new TeleQuickClient("https://gateway.test", kit.account, false, {
      webTransport: kit.webTransport,
      clock: kit.clock,
    });
    await own.connect();
    await assert.rejects(kit.assertSettled(), (error: Error) => {
      assert.match(error.message, /^Not settled: 1 session is still open/);
      assert.match(error.message, /1 call is live/);
      assert.match(error.message, /timers? (is|are) armed/);
      return true;
    });
    await assert.rejects(kit.close(), {
      message:
        "Test gateway is closed: 1 session is still open (call close() on every client that the test made)",
    });
    // It gives up at last, and does not keep the runner from ending.
    await kit.clock.advance(360_000);
    assert.equal(own.stats().session.status, "closed");
    assert.equal(kit.clock.pending, 0);
  });
});

describe("scriptedPhone()", () => {
  it("is the far end of a call that is dialled", async () => {
    const farEnd = scriptedPhone([
      { type: "ring", ms: 300 },
      { type: "answer" },
      { type: "wait", ms: 200 },
      { type: "talk", ms: 400 },
      { type: "press", digits: "1" },
      { type: "hangUp", q850Cause: 31 },
    ]);
    await using kit = await testGateway({ clock: "fake", farEnd });
    const { client, clock } = kit;
    const call = await client.dial({ to: "+15550123", trunkId: kit.trunkId });
    await clock.runUntil(call.answered());
    assert.equal(clock.monotonic(), 300);
    const link = call.audio({ receiveCapacity: 500 });
    const frames: number[] = [];
    const hearing = (async () => {
      for await (const { payload } of link.readable) if (payload.length > 0) frames.push(1);
    })();
    const { q850Cause } = await clock.runUntil(call.ended);
    await clock.runUntil(hearing);
    assert.equal(q850Cause, 31);
    // 400 ms of the tone, 200 ms of one key.
    assert.equal(frames.length, 30);
  });

  it("is busy, does not answer, or is refused", async () => {
    const scripts = {
      "+15550131": [{ type: "wait", ms: 30 }, { type: "hangUp", q850Cause: 17 }],
      "+15550132": [{ type: "ring", ms: 900 }, { type: "hangUp", q850Cause: 19 }],
      "+15550133": [{ type: "refuse", errorCode: 4 }],
    } as const;
    await using kit = await testGateway({
      clock: "fake",
      farEnd: ({ to }) => scripts[to as keyof typeof scripts],
    });
    const { client, clock, trunkId } = kit;
    const outcome = async (to: string): Promise<readonly unknown[]> => {
      const call = await client.dial({ to, trunkId });
      const { q850Cause, status } = await clock.runUntil(call.ended);
      return [q850Cause, status];
    };
    assert.deepEqual(await outcome("+15550131"), [17, "BUSY"]);
    assert.deepEqual(await outcome("+15550132"), [19, "NO_ANSWER"]);
    await assert.rejects(client.dial({ to: "+15550133", trunkId }), { rpcCode: 4 });
    assert.deepEqual(await outcome("+15550105"), [16, "COMPLETED"], "the number's own");
  });

  it("calls in, waits for the answer and talks", async () => {
    const farEnd = scriptedPhone([
      { type: "answer" },
      { type: "talk", ms: 200 },
      { type: "hangUp" },
    ]);
    await using kit = await testGateway({ clock: "fake", farEnd });
    const { client, clock, gateway, tenantId, trunkId } = kit;
    await client.setInboundRouting({ trunkId, rule: 2, webhookUrl: "https://hooks.test" });
    const { callSid } = await gateway.simulateInboundCall({ tenantId, trunkId });
    await clock.advance(2_000);
    const [waiting] = await client.getIncomingCalls(trunkId);
    assert.equal(waiting?.callSid, callSid);
    const call = await client.answerIncomingCall({ callSid });
    const { durationSeconds, packetsReceived } = await clock.runUntil(call.ended);
    assert.equal(durationSeconds, 0);
    assert.equal(packetsReceived, 10);
  });

  it("names the step that cannot be followed", () => {
    const refuse = (script: unknown, message: RegExp): void => {
      assert.throws(() => scriptedPhone(script as never), (error: TeleQuickError) => {
        assert.equal(error.code, "ERR_VALUE_INVALID");
        assert.match(error.message, message);
        return true;
      });
    };
    refuse("busy", /script: it is a string, expected an array of steps$/);
    refuse([{ type: "jump" }], /step 1 has type "jump", expected refuse, ring/);
    refuse([null], /step 1 has type undefined/);
    refuse([{ type: "talk", ms: 5 }], /step 1 is talk, expected it after answer/);
    refuse([{ type: "answer" }, { type: "ring" }], /step 2 is ring, expected it before answer/);
    refuse([{ type: "wait", ms: -1 }], /step 1 has ms -1, expected 0 to/);
    refuse([{ type: "answer" }, { type: "press", digits: "1A" }], /step 2 has digits "1A"/);
    refuse([{ type: "answer" }, { type: "play", samples: [1.5] }], /step 2 has samples/);
    refuse([{ type: "hangUp", q850Cause: 200 }], /step 1 has q850Cause 200, expected 1 to 127/);
    refuse([{ type: "wait", ms: 1 }, { type: "refuse", errorCode: 4 }], /step 2 is refuse/);
  });
});
