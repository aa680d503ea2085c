import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Feed } from "../../../src/panel/feed.ts";
import type { Line } from "../../../src/panel/messages.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";
import { callOf, FakePanelGateway } from "../../support/panel_gateway.ts";

const facts = {
  ...{ endpoint: "https://127.0.0.1:4433", certificateHashes: ["aGFzaA=="] },
  ...{ tenantId: "acme", trunkId: "trunk-1", program: "import" },
};

describe("the panel's feed", () => {
  it("sends the state first, then calls at once and the overview soon, once", async () => {
    const fake = new FakePanelGateway();
    const clock = new FakeClock();
    const feed = new Feed({ gateway: fake.gateway, facts, clock });
    fake.call(callOf("before"), "CHANNEL_CREATE", "INITIATED");
    await settle();
    const lines: Line[] = [];
    feed.open((line) => lines.push(line));
    const [first] = lines;
    assert.ok(first?.type === "state");
    assert.deepEqual(first.state.calls.map(({ callSid }) => callSid), ["before"]);
    assert.equal(first.state.phone.number, "+15550120");
    assert.deepEqual(first.state.tenants[0]!.keys[0], {
      ...{ keyId: "key-1", role: "sdk", expiresAtMs: 0, isRevoked: false },
    });
    fake.call(callOf("after"), "CHANNEL_CREATE", "INITIATED");
    fake.call(callOf("after", { state: "ringing" }), "CHANNEL_CREATE", "RINGING");
    await settle();
    assert.deepEqual(lines.map(({ type }) => type), ["state", "call", "call"]);
    await clock.advance(500);
    assert.deepEqual(lines.map(({ type }) => type), ["state", "call", "call", "overview"]);
    await clock.advance(5_000);
    assert.equal(lines.length, 4);
    feed.close();
  });

  it("reads levels while a page is open, and not otherwise", async () => {
    const fake = new FakePanelGateway();
    const feed = new Feed({ gateway: fake.gateway, facts, clock: new FakeClock() });
    assert.deepEqual(fake.watching, { all: 1, levels: 0 });
    const lines: Line[] = [];
    const closeFirst = feed.open((line) => lines.push(line));
    const closeSecond = feed.open(() => {});
    assert.deepEqual(fake.watching, { all: 2, levels: 1 });
    fake.call(callOf("c", { state: "answered" }), "CHANNEL_ANSWER", "ANSWERED");
    fake.levels((index) => index);
    await settle();
    assert.deepEqual(lines.at(-1), {
      type: "levels",
      levels: [{
        ...{ tenantId: "acme", callSid: "c", toFarEnd: 0, toProgram: 0.5 },
        ...{ lossPercent: 1.2, jitterMs: 3.4, mos: 4.31 },
      }],
    });
    closeFirst();
    assert.deepEqual(fake.watching, { all: 2, levels: 1 });
    closeSecond();
    await settle();
    assert.deepEqual(fake.watching, { all: 1, levels: 0 });
    feed.close();
    await settle();
    assert.deepEqual(fake.watching, { all: 0, levels: 0 });
  });

  it("begins with the newest 1,000 live calls, and says how many there are", async () => {
    const fake = new FakePanelGateway();
    const feed = new Feed({ gateway: fake.gateway, facts, clock: new FakeClock() });
    for (let i = 0; i < 1_200; i++) {
      fake.call(callOf(`${i}`), "CHANNEL_CREATE", "INITIATED");
      await settle();
    }
    fake.call(callOf("phone", { tenantId: "phone" }), "CHANNEL_CREATE", "RINGING");
    fake.call(callOf("5", { state: "ended" }), "CHANNEL_HANGUP_COMPLETE", "COMPLETED", 16);
    await settle();
    const { calls, liveCalls } = feed.state();
    assert.equal(liveCalls, 1_199);
    assert.equal(calls.filter(({ state }) => state !== "ended").length, 1_000);
    assert.equal(calls[0]!.callSid, "201");
    assert.equal(calls.at(-1)!.callSid, "phone");
    feed.close();
  });

  it("shows tenants that have a key and no session yet", () => {
    const fake = new FakePanelGateway();
    fake.keys = [{ ...fake.keys[0]!, tenantId: "globex" }];
    const feed = new Feed({ gateway: fake.gateway, facts, clock: new FakeClock() });
    const { tenants } = feed.state();
    assert.deepEqual(tenants.map(({ tenantId }) => tenantId), ["acme", "globex"]);
    feed.close();
  });
});
