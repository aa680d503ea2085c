import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../../mod.ts";
import { EventType, methods } from "../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";
import { scriptedGateway } from "../../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../../support/unsigned_token.ts";

describe("TeleQuickClient.stats()", () => {
  function clientOn(gateway: ReturnType<typeof scriptedGateway>, clock: FakeClock) {
    return new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
      webTransport: gateway.webTransport,
      clock,
    });
  }

  it("is empty before the first connect", () => {
    const { session, rpc, audio, events } = clientOn(scriptedGateway(), new FakeClock()).stats();
    assert.deepEqual(session, {
      status: "idle",
      tenantId: "",
      keyId: "",
      expiresAtMs: 0,
      openMs: 0,
      opened: 0,
      streamsLeft: undefined,
    });
    assert.equal(rpc.sent, 0);
    assert.equal(audio.links, 0);
    assert.deepEqual(events, { received: 0, duplicated: 0 });
  });

  it("counts the session, its RPCs, and events that came twice", async () => {
    const clock = new FakeClock();
    const gateway = scriptedGateway();
    const client = clientOn(gateway, clock);
    await client.connect();
    await clock.advance(1_500);
    await client.barge("call-1");
    const event = { callSid: "call-1", eventType: EventType.CHANNEL_ANSWER, timestampMs: 1 };
    await gateway.peers[0]!.push(methods.CallEvent, event, event);
    await settle();
    const { session, rpc, events } = client.stats();
    assert.equal(session.status, "open");
    assert.equal(session.tenantId, "acme");
    assert.equal(session.openMs, 1_500);
    assert.equal(session.opened, 1);
    assert.equal(rpc.answered, 1);
    assert.deepEqual(events, { received: 2, duplicated: 1 });
    await client.renew();
    assert.equal(client.stats().session.opened, 2);
    assert.equal(client.stats().session.openMs, 0);
    await client.close();
  });

  it("keeps the frames of links that have ended", async () => {
    const gateway = scriptedGateway({ scripts: { Originate: () => ({ status: "QUEUED" }) } });
    const clock = new FakeClock();
    const client = clientOn(gateway, clock);
    const call = await client.dial({ to: "+15550100", trunkId: "main" });
    const link = call.audio({ earlyMedia: true });
    void link.writable.getWriter().write(new Uint8Array(320)).catch(() => {});
    const frame = { callSid: call.sid, payload: new Uint8Array(160), codec: "PCMU" };
    await gateway.peers[0]!.push(methods.AudioFrame, frame, { ...frame, sequenceNumber: 1 }, {
      ...frame,
      callSid: "unknown",
    });
    await clock.advance(40);
    assert.equal(client.stats().audio.links, 1);
    const closing = client.close();
    await clock.advance(6_000);
    await closing;
    const { links, received, sent, unrouted } = client.stats().audio;
    assert.deepEqual({ links, received, sent, unrouted }, {
      links: 0,
      received: 2,
      // Two of audio, and the one that says the end.
      sent: 3,
      // The first second of a call without a link is kept.
      unrouted: 0,
    });
  });
});
