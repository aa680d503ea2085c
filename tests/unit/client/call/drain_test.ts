import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Call, InboundRule, TeleQuickClient } from "../../../../mod.ts";
import { settle, testGateway, type TestKit } from "../../../../src/testing/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";

const CLIENT_ID = "worker-1";

async function openKit(): Promise<TestKit<"fake">> {
  const kit = await testGateway({
    clock: "fake",
    farEnd: ({ to }) =>
      to === "+15550142"
        ? [{ type: "answer" }, { type: "wait", ms: 5_000 }, { type: "hangUp" }]
        : [{ type: "answer" }, { type: "echo" }],
    client: { clientId: CLIENT_ID },
  });
  await kit.client.connect();
  return kit;
}

describe("TeleQuickClient.drain()", () => {
  it("answers and dials no more, lets calls in hand end, then closes", async () => {
    await using kit = await openKit();
    const { client, clock, gateway, tenantId, trunkId } = kit;
    const [rule, webhookUrl] = [InboundRule.NOTIFY_AND_HANGUP, "https://hooks.example/calls"];
    await client.setInboundRouting({ trunkId, rule, webhookUrl });
    const calls: Call[] = [];
    let isDone = false;
    client.serveInbound(trunkId, async (call) => {
      calls.push(call);
      await call.ended;
      await settle();
      isDone = true;
    });
    await gateway.simulateInboundCall({ tenantId, trunkId, to: "+15550142" });
    await clock.advance(1_000);
    const dialled = await client.dial({ to: "+15550142", trunkId });
    const draining = client.drain({ deadlineMs: 60_000 });
    const again = client.drain();
    assert.deepEqual((await clock.runUntil(draining)).left, []);
    await again;
    assert.equal(client.state.type, "closed");
    assert.equal(calls[0]?.state, "ended");
    assert.equal(dialled.state, "ended");
    assert.ok(isDone, "its handler has returned");
  });

  it("leaves calls at the deadline to a successor with the same client id", async () => {
    await using kit = await openKit();
    const { account, client, clock, trunkId, webTransport } = kit;
    const call = await client.dial({ to: "+15550100", trunkId });
    await clock.advance(100);
    const { left } = await clock.runUntil(client.drain({ deadlineMs: 3_000 }));
    assert.deepEqual(left, [call.callSid]);
    assert.equal(client.state.type, "closed");
    await assert.rejects(call.ended, hasCode("ERR_SESSION_CLOSED"));

    const successor = new TeleQuickClient("https://gateway.test", account, false, {
      ...{ webTransport, clock, clientId: CLIENT_ID },
    });
    await successor.connect();
    const taken = successor.call(left[0]!);
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { status } of taken.events()) seen.push(status);
    })();
    const audio = taken.audio();
    const reader = audio.readable.getReader();
    audio.play(new Uint8Array(160 * 50).fill(0x55));
    let heard = 0;
    const listening = (async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        if (next.value.payload[0] === 0x55) heard++;
      }
    })();
    await clock.advance(1_500);
    assert.ok(heard > 40, `the far end echoed ${heard} of 50 frames`);
    await clock.runUntil(taken.hold());
    await settle();
    assert.equal(taken.state, "held");
    await clock.runUntil(taken.unhold());
    await settle();
    assert.equal(taken.state, "answered");
    await clock.runUntil(taken.hangUp());
    assert.equal((await clock.runUntil(taken.ended)).status, "COMPLETED");
    await watching;
    await listening;
    assert.equal(seen.at(-1), "COMPLETED");
    await clock.runUntil(successor.close());
  });

  it("shows another tenant's call to a successor as one that does not exist", async () => {
    await using kit = await openKit();
    const { client, clock, gateway, trunkId } = kit;
    const { callSid } = await client.dial({ to: "+15550100", trunkId });
    const { connect } = await gateway.addTenant();
    const stranger = await clock.runUntil(connect({ clientId: CLIENT_ID }));
    const refusal = (id: string): Promise<string> =>
      clock.runUntil(stranger.call(id).hold().then(() => "held", String));
    const foreign = await refusal(callSid);
    assert.match(foreign, /Unknown call_sid/);
    assert.equal(foreign, await refusal("no-such-call"));
  });

  it("hangs up at the deadline where it is asked to", async () => {
    await using kit = await openKit();
    const { client, clock, gateway, trunkId } = kit;
    await client.dial({ to: "+15550100", trunkId });
    const draining = client.drain({ deadlineMs: 3_000, atDeadline: "hang-up" });
    assert.deepEqual((await clock.runUntil(draining)).left, []);
    assert.equal(gateway.stats().calls.live, 0);
  });

  it("takes no new calls meanwhile; verbs of the calls in hand work", async () => {
    await using kit = await openKit();
    const { client, clock, trunkId } = kit;
    const call = await client.dial({ to: "+15550100", trunkId });
    await clock.advance(100);
    const draining = client.drain();
    await assert.rejects(client.dial({ to: "+15550100", trunkId }), /Client is draining/);
    await assert.rejects(client.answerIncomingCall({ callSid: "x" }), /Client is draining/);
    assert.throws(() => client.serveInbound(trunkId, () => {}), /Client is draining/);
    await call.hold();
    await call.hangUp();
    assert.deepEqual((await clock.runUntil(draining)).left, []);
  });

  it("is cut short by close(), and by the end of the client", async () => {
    await using kit = await openKit();
    const { client, clock, trunkId } = kit;
    const call = await client.dial({ to: "+15550100", trunkId });
    const draining = client.drain({ deadlineMs: Infinity });
    await clock.runUntil(client.close());
    assert.deepEqual((await draining).left, [call.callSid]);
  });

  it("does not wait for calls that were asked for and never heard of, nor for a dial that fails", async () => {
    await using kit = await openKit();
    const { client, clock } = kit;
    client.call("no-such-call");
    const dialling = assert.rejects(
      client.dial({ to: "+15550100", trunkId: "no-such-trunk" }),
      hasCode("ERR_RPC_REJECTED"),
    );
    const startedAt = clock.monotonic();
    assert.deepEqual((await clock.runUntil(client.drain())).left, []);
    await dialling;
    assert.ok(clock.monotonic() - startedAt < 10_000);
  });

  it("refuses options that are not usable, and goes on", async () => {
    await using kit = await openKit();
    const { client, trunkId } = kit;
    await assert.rejects(client.drain({ deadlineMs: 0 }), hasCode("ERR_VALUE_INVALID"));
    const atDeadline = "wait" as "leave";
    await assert.rejects(client.drain({ atDeadline }), hasCode("ERR_VALUE_INVALID"));
    await (await client.dial({ to: "+15550100", trunkId })).hangUp();
  });
});
