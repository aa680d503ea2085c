import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient, type Warning } from "../../../../mod.ts";
import type { AudioStats } from "../../../../src/client/audio/audio_link.ts";
import { Warnings, type WatchedLink } from "../../../../src/client/call/warnings.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { clientSetup } from "../../../support/client_kit.ts";

const quiet: AudioStats = {
  ...{ received: 0, lost: 0, late: 0, duplicated: 0, dropped: 0, concealed: 0, jitterMs: 0 },
  ...{ sent: 0, sendDropped: 0, slotsMissed: 0, unread: 0 },
};

/** One link, whose counts the test sets, and what is heard of it. */
function scene() {
  const clock = new FakeClock();
  const link = { callSid: "a", isTalking: true, heardAt: 0, counts: { ...quiet } };
  const client = { tokenEndsAtMs: 0, lateTicks: 0 };
  const links: WatchedLink[] = [{
    callSid: link.callSid,
    get isTalking() {
      return link.isTalking;
    },
    get heardAt() {
      return link.heardAt;
    },
    stats: () => ({ ...link.counts }),
  }];
  const warnings = new Warnings({
    clock,
    links: () => links,
    tokenEndsAtMs: () => client.tokenEndsAtMs,
    lateTicks: () => client.lateTicks,
  });
  const heard: string[] = [];
  const listener = warnings.listen();
  void (async () => {
    for await (const { kind, state } of listener) heard.push(`${kind} ${state}`);
  })();
  return {
    ...{ clock, link, links, client, warnings, heard, listener },
    /** Seconds in which so many frames come, of which so many are lost. */
    async seconds(count: number, each: Partial<Record<keyof AudioStats, number>> = {}) {
      for (let i = 0; i < count; i++) {
        for (const [name, value] of Object.entries({ received: 50, ...each })) {
          (link.counts as Record<string, number>)[name]! += value;
        }
        if (each.received !== 0) link.heardAt = clock.monotonic() + 999;
        await clock.advance(1_000);
      }
    },
  };
}

describe("Warnings", () => {
  it("no-media: after 5 s without a frame on a call that talks, cleared by the next one", async () => {
    const { link, heard, seconds } = scene();
    await seconds(10);
    await seconds(4, { received: 0 });
    assert.deepEqual(heard, []);
    await seconds(1, { received: 0 });
    assert.deepEqual(heard, ["no-media raised"]);
    await seconds(1);
    assert.deepEqual(heard, ["no-media raised", "no-media cleared"]);
    link.isTalking = false;
    await seconds(20, { received: 0 });
    link.isTalking = true;
    await seconds(4, { received: 0 });
    assert.equal(heard.length, 2, "a call on hold is expected to be silent");
  });

  it("high-loss: from 5 % of the last 5 s on, until below 2 %", async () => {
    const { heard, seconds } = scene();
    await seconds(10, { received: 49, lost: 1 });
    assert.deepEqual(heard, []);
    await seconds(5, { received: 46, lost: 4 });
    assert.deepEqual(heard, ["high-loss raised"]);
    await seconds(5, { received: 48, lost: 2 });
    assert.deepEqual(heard, ["high-loss raised"]);
    await seconds(6);
    assert.deepEqual(heard, ["high-loss raised", "high-loss cleared"]);
  });

  it("high-jitter: from 40 ms on, until below 20 ms", async () => {
    const { link, heard, seconds } = scene();
    for (const [jitterMs, count] of [[39, 0], [40, 1], [21, 1], [19, 2]] as const) {
      link.counts.jitterMs = jitterMs;
      await seconds(1);
      assert.equal(heard.length, count, `${jitterMs} ms`);
    }
    assert.deepEqual(heard, ["high-jitter raised", "high-jitter cleared"]);
  });

  it("sending-late and receive-overflow: counted over 5 s", async () => {
    const { heard, seconds } = scene();
    await seconds(1, { slotsMissed: 4 });
    assert.deepEqual(heard, []);
    await seconds(1, { slotsMissed: 1, unread: 3 });
    assert.deepEqual(heard, ["sending-late raised", "receive-overflow raised"]);
    await seconds(6);
    assert.deepEqual(heard.slice(2), ["sending-late cleared", "receive-overflow cleared"]);
  });

  it("token-expiring and timers-throttled: the client's own", async () => {
    const { clock, client, heard, seconds } = scene();
    client.tokenEndsAtMs = clock.now() + 62_500;
    await seconds(2);
    assert.deepEqual(heard, []);
    await seconds(1);
    assert.deepEqual(heard, ["token-expiring raised"]);
    client.tokenEndsAtMs += 3_600_000;
    client.lateTicks = 3;
    await seconds(1);
    assert.deepEqual(heard.slice(1), ["token-expiring cleared", "timers-throttled raised"]);
    client.lateTicks = 1;
    await seconds(1);
    client.lateTicks = 0;
    await seconds(1);
    assert.deepEqual(heard.slice(3), ["timers-throttled cleared"]);
  });

  it("end with their call, are shown to a late listener, and look at nothing without a listener", async () => {
    const { clock, heard, links, listener, seconds, warnings } = scene();
    await seconds(6, { received: 40, lost: 10 });
    const late = warnings.listen("a");
    const other = warnings.listen("b");
    assert.equal((await late.next()).value?.kind, "high-loss");
    links.length = 0;
    await clock.advance(1_000);
    assert.equal((await late.next()).value?.state, "cleared");
    assert.deepEqual(heard, ["high-loss raised", "high-loss cleared"]);
    warnings.endCall("b");
    assert.equal((await other.next()).done, true);
    await late.return();
    assert.equal(clock.pending, 1);
    await listener.return();
    assert.equal(clock.pending, 0);
    warnings.end();
    assert.equal((await warnings.listen().next()).done, true);
  });
});

describe("TeleQuickClient.warnings()", () => {
  it("raises what a silent far end, a reader that does not read and a throttled timer cause, and clears it", async () => {
    await using story = await clientSetup({
      gateway: {
        farEnd:
          () => [{ type: "answer" }, { type: "talk", ms: 5_000 }, { type: "wait", ms: 8_000 }, {
            type: "talk",
            ms: 10_000,
          }],
      },
    });
    const { client, setup } = story;
    const call = await client.dial({ to: "+15550142", trunkId: "main" });
    const heard: Warning[] = [];
    void (async () => {
      for await (const warning of call.warnings()) heard.push(warning);
    })();
    const audio = call.audio({ receiveCapacity: 10, silence: "send" });
    await setup.clock.advance(16_000);
    const kinds = heard.map(({ kind, state }) => `${kind} ${state}`);
    assert.ok(kinds.includes("receive-overflow raised"), kinds.join());
    assert.ok(
      kinds.includes("no-media raised") && kinds.includes("no-media cleared"),
      kinds.join(),
    );
    assert.ok(heard.every(({ callSid }) => callSid === call.callSid));
    const throttled: string[] = [];
    const all = client.warnings();
    void (async () => {
      for await (const { kind, state } of all) {
        if (kind === "timers-throttled") throttled.push(state);
      }
    })();
    for (let second = 0; second < 8; second++) {
      setup.clock.suspend(1_000);
      await setup.clock.advance(0);
    }
    await setup.clock.advance(1_000);
    assert.deepEqual(throttled, ["raised", "cleared"]);
    assert.ok(audio.stats().slotsMissed > 0);
    await all.return?.();
    await call.hangUp();
  });

  it("raises a token that cannot be renewed", async () => {
    const clock = new FakeClock();
    await using story = await clientSetup();
    const { setup } = story;
    const account = await setup.addTenant("acme");
    const token = await setup.token(account, { lifetimeSeconds: 120 });
    const client = new TeleQuickClient("https://gateway.test:9090", token, true, {
      webTransport: setup.gateway.webTransport,
      clock: setup.clock,
    });
    assert.equal(clock.pending, 0);
    await client.connect();
    const warnings = client.warnings();
    const next = warnings.next();
    await setup.clock.advance(62_000);
    await settle();
    assert.deepEqual((await next).value?.kind, "token-expiring");
    const closing = client.close();
    await setup.clock.advance(6_000);
    await closing;
  });
});
