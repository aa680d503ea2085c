import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settle } from "../../../../src/testing/mod.ts";
import { encodeFrame, methods } from "../../../../src/wire/mod.ts";
import { gapOf, story, types } from "../../../support/session_story.ts";

describe("SessionManager and events that may be missing", () => {
  it("reconnects after a loss with bounded, growing delays, and says that events may be missing", async () => {
    const { client, clock, gateway, statuses, network } = story();
    await client.connect();
    network.isUp = false;
    const lostAt = clock.now();
    gateway.peers[0]?.pair.sever();
    await clock.advance(60_000);
    network.isUp = true;
    await clock.advance(15_000);
    const waits = statuses.filter((status) => status.type === "reconnecting");
    for (const [index, wait] of waits.entries()) {
      assert.equal(wait.attempt, index + 1);
      assert.ok(wait.delayMs <= Math.min(15_000, 250 * 2 ** index), `attempt ${wait.attempt}`);
    }
    assert.ok(waits.length >= 5);
    assert.deepEqual(types(statuses).slice(-2), ["events-may-be-missing", "open"]);
    const gap = statuses.find((status) => status.type === "events-may-be-missing");
    assert.equal(gap?.sinceMs, lostAt);
    await client.close();
  });

  it("opens a new session when the gateway announces an end, and reports the gap in between", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    await clock.advance(1_000);
    const since = clock.now();
    await gateway.peers[0]?.push(methods.SessionEnding, {
      code: 401,
      reason: "revoked",
      reconnect: false,
    });
    await clock.advance(0);
    assert.equal(gateway.peers.length, 2);
    assert.deepEqual(types(statuses).slice(-3), ["renewing", "events-may-be-missing", "open"]);
    assert.equal(gapOf(statuses)?.sinceMs, since);
    // Its end is not another gap.
    gateway.peers[0]?.session.close();
    await clock.advance(5_000);
    assert.equal(statuses.at(-1)?.type, "open");
    assert.equal(types(statuses).filter((type) => type === "events-may-be-missing").length, 1);
    await client.close();
  });

  it("replaces a session whose event stream broke off, and says that events may be missing", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    const since = clock.now();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    const event = encodeFrame(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    void writer.write(event).catch(() => {});
    await settle();
    await writer.abort(new Error("reset"));
    await clock.advance(1_000);
    assert.deepEqual(types(statuses).slice(2), [
      ...["open", "renewing", "events-may-be-missing", "open"],
    ]);
    const gap = statuses.find((status) => status.type === "events-may-be-missing");
    assert.equal(gap?.sinceMs, since);
    await client.close();
  });

  it("says that events may be missing when the stream of a session broke off that was just replaced", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    void writer.write(encodeFrame(methods.CallEvent, { callSid: "call-1" })).catch(() => {});
    await settle();
    await writer.abort(new Error("reset"));
    await client.renew();
    await clock.advance(5_000);
    assert.equal(gateway.peers.length, 2);
    assert.deepEqual(types(statuses).slice(2), [
      ...["open", "renewing", "open", "events-may-be-missing", "open"],
    ]);
    await client.close();
  });

  it("counts what may be missing from the first thing that broke, not from the last", async () => {
    const { client, clock, gateway, statuses, network } = story();
    await client.connect();
    const since = clock.now();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    await writer.abort(new Error("reset"));
    network.isUp = false;
    await clock.advance(5_000);
    gateway.peers[0]!.pair.sever();
    await clock.advance(5_000);
    network.isUp = true;
    await clock.advance(16_000);
    const gap = statuses.find((status) => status.type === "events-may-be-missing");
    assert.equal(gap?.sinceMs, since);
    await client.close();
  });

  it("counts what may be missing from when the gateway was last heard: a loss is noticed late", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    await clock.advance(1_000);
    await gateway.peers[0]!.push(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    await clock.advance(1_000);
    const since = clock.now() - 1_000;
    // Nothing passes any more; what has been set meanwhile is the wall clock.
    await clock.advance(12_000);
    clock.jump(3_600_000);
    gateway.peers[0]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gapOf(statuses)?.sinceMs, since + 3_600_000);

    await client.barge("call-1");
    const answeredAt = clock.now();
    await clock.advance(12_000);
    gateway.peers[1]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gapOf(statuses)?.sinceMs, answeredAt);
    await client.close();
  });

  it("counts an event that was under way when a session was lost as missing, even where more was heard later", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    const event = encodeFrame(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    await clock.advance(1_000);
    const since = clock.now();
    void writer.write(event).catch(() => {});
    await clock.advance(1_000);
    void writer.write(event.subarray(0, 20)).catch(() => {});
    await clock.advance(1_000);
    await client.barge("call-1");
    gateway.peers[0]!.pair.sever();
    await clock.advance(1_000);
    assert.equal(gapOf(statuses)?.sinceMs, since);
    await client.close();
  });

  it("says that events may be missing when a replaced session is lost before it is given up", async () => {
    for (const isAnnounced of [false, true]) {
      const { client, clock, gateway, statuses } = story();
      await client.connect();
      const since = clock.now();
      await clock.advance(5_000);
      await client.renew();
      if (isAnnounced) {
        // The new one hears everything already.
        const ending = { code: 0, reason: "replaced", reconnect: true };
        await gateway.peers[0]!.push(methods.SessionEnding, ending);
        await settle();
      }
      gateway.peers[0]!.pair.sever();
      await clock.advance(1_000);
      assert.equal(gapOf(statuses)?.sinceMs, isAnnounced ? undefined : since);
      assert.equal(statuses.at(-1)?.type, "open");
      assert.equal(gateway.peers.length, 2);
      await client.close();
    }
  });

  it("says that events may be missing when a session was subscribed and could not be opened", async () => {
    const { client, clock, gateway, statuses } = story({
      scripts: {
        StreamEvents: (_, { index }) => index === 1 ? new Promise(() => {}) : {},
      },
    });
    await client.connect();
    await clock.advance(5_000);
    const since = clock.now();
    const renewal = client.renew();
    await clock.advance(30_000);
    await renewal;
    assert.equal(gateway.peers.length, 3);
    assert.deepEqual(types(statuses).slice(2), [
      ...["open", "renewing", "events-may-be-missing", "open"],
    ]);
    assert.equal(gapOf(statuses)?.sinceMs, since);
    await client.close();
  });

  it("says that events may be missing once a session that hears nothing is replaced, not before", async () => {
    const { client, clock, gateway, statuses } = story();
    await client.connect();
    for (let round = 0; round < 3; round++) {
      const writer = (await gateway.peers.at(-1)!.session.openUnidirectional()).getWriter();
      await writer.abort(new Error("reset"));
      await clock.advance(5_000);
    }
    assert.equal(gateway.peers.length, 4);
    const [, , , ...later] = types(statuses);
    const each = ["renewing", "events-may-be-missing", "open"];
    assert.deepEqual(later, [...each, ...each, ...each]);
    await client.close();
  });

  it("keeps a replaced session as long as the gateway still speaks on it, and no longer than 30 s", async () => {
    const { client, clock, gateway } = story();
    await client.connect();
    const told: string[] = [];
    void (async () => {
      for await (const { callSid } of client.events()) told.push(callSid);
    })();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    await client.renew();
    // An event that takes its time: one byte each 100 ms.
    const event = encodeFrame(methods.CallEvent, { callSid: "call-1", eventType: 1 });
    for (const byte of event) {
      await writer.write(new Uint8Array([byte]));
      await clock.advance(100);
    }
    assert.ok(event.length * 100 > 5_000);
    assert.deepEqual(told, ["call-1"]);
    for (let tenth = 0; tenth < 300; tenth++) {
      await writer.write(event.subarray(0, 1)).catch(() => {});
      await clock.advance(100);
    }
    assert.equal(gateway.peers[0]!.session.isClosed, true);
    await client.close();
  });

  it("keeps a session of which one call's audio stream broke off", async () => {
    const { client, clock, gateway } = story();
    await client.connect();
    const writer = (await gateway.peers[0]!.session.openUnidirectional()).getWriter();
    void writer.write(encodeFrame(methods.AudioFrame, { callSid: "call-1" })).catch(() => {});
    await settle();
    await writer.abort(new Error("reset"));
    await clock.advance(1_000);
    assert.equal(gateway.peers.length, 1);
    await client.close();
  });
});
