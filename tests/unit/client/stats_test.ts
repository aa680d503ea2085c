import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TeleQuickClient } from "../../../mod.ts";
import { Histogram, RpcCounter, sumAudio } from "../../../src/client/stats.ts";
import { TeleQuickError } from "../../../src/errors.ts";
import { EventType, methods } from "../../../src/wire/mod.ts";
import { FakeClock, settle } from "../../support/fake_clock.ts";
import { scriptedGateway } from "../../support/scripted_gateway.ts";
import { seed } from "../../support/seed.ts";

const durations = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

describe("Histogram", () => {
  it("is all zero before the first duration", () => {
    const { buckets, ...figures } = new Histogram().snapshot();
    assert.deepEqual(Object.values(figures), Object.values(figures).map(() => 0));
    assert.equal(buckets.at(-1)?.upToMs, Infinity);
    assert.ok(buckets.every(({ count }) => count === 0));
  });

  it("counts a duration at a bound below it, and one above the last bound in the last range", () => {
    const histogram = new Histogram();
    for (const ms of [1, 1.01, 99_999]) histogram.add(ms);
    const filled = histogram.snapshot().buckets.filter(({ count }) => count > 0);
    assert.deepEqual(filled, [
      { upToMs: 1, count: 1 },
      { upToMs: 2, count: 1 },
      { upToMs: Infinity, count: 1 },
    ]);
  });

  it("keeps every duration, and its percentiles in order and within the range of the exact ones", () => {
    fc.assert(
      fc.property(durations, (all) => {
        const histogram = new Histogram();
        for (const ms of all) histogram.add(ms);
        const { count, minMs, maxMs, meanMs, p50Ms, p95Ms, p99Ms, buckets } = histogram.snapshot();
        assert.equal(count, all.length);
        assert.equal(buckets.reduce((sum, each) => sum + each.count, 0), all.length);
        assert.equal(minMs, Math.min(...all));
        assert.equal(maxMs, Math.max(...all));
        assert.ok(meanMs >= minMs * 0.999 && meanMs <= maxMs * 1.001);
        assert.ok(minMs <= p50Ms && p50Ms <= p95Ms && p95Ms <= p99Ms && p99Ms <= maxMs);
        const sorted = [...all].sort((a, b) => a - b);
        for (const [share, found] of [[0.5, p50Ms], [0.95, p95Ms], [0.99, p99Ms]] as const) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
          const range = buckets.findIndex(({ upToMs }) => exact <= upToMs);
          assert.ok(found <= buckets[range]!.upToMs && found >= (buckets[range - 1]?.upToMs ?? 0));
        }
      }),
      { seed },
    );
  });
});

describe("RpcCounter", () => {
  it("tells answered, timed out and failed RPCs apart, and passes on what became of them", async () => {
    const clock = new FakeClock();
    const rpcs = new RpcCounter();
    const timeout = new TeleQuickError("ERR_TIMEOUT", "Cannot complete Barge: no reply");
    const answered = rpcs.measure(clock, async () => {
      await clock.advance(7);
      return "reply";
    });
    assert.equal(rpcs.stats().inFlight, 1);
    assert.equal(await answered, "reply");
    await assert.rejects(rpcs.measure(clock, () => Promise.reject(timeout)), timeout);
    await assert.rejects(rpcs.measure(clock, () => Promise.reject(new Error("lost"))), /lost/);
    const { latency, ...counts } = rpcs.stats();
    assert.deepEqual(counts, { sent: 3, inFlight: 0, answered: 1, timedOut: 1, failed: 1 });
    assert.equal(latency.maxMs, 7);
  });
});

describe("sumAudio()", () => {
  it("adds every count of every link", () => {
    const one = { ...sumAudio([]), received: 1, lost: 2, sent: 3, unread: 4, sendDropped: 5 };
    assert.deepEqual(sumAudio([one, one]), {
      ...sumAudio([]),
      received: 2,
      lost: 4,
      sent: 6,
      unread: 8,
      sendDropped: 10,
    });
  });
});

describe("TeleQuickClient.stats()", () => {
  function clientOn(gateway: ReturnType<typeof scriptedGateway>, clock: FakeClock) {
    return new TeleQuickClient("https://gateway.test", () => "opaque-token", true, {
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

  it("tells the session, its RPCs, and events that came twice", async () => {
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
    const link = call.audio();
    void link.writable.getWriter().write(new Uint8Array(320)).catch(() => {});
    const frame = { callSid: call.sid, payload: new Uint8Array(160), codec: "PCMU" };
    await gateway.peers[0]!.push(methods.AudioFrame, frame, { ...frame, sequenceNumber: 1 }, {
      ...frame,
      callSid: "nobody",
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
      unrouted: 1,
    });
  });
});
