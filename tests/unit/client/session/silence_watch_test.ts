import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClientOptions } from "../../../../mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";
import { type Story, story } from "../../../support/session_story.ts";

/** A client, and a gateway that can stop answering on the sessions that are there while QUIC stays open. */
function silentStory(options: ClientOptions & { readonly answerAfterMs?: number } = {}) {
  const { answerAfterMs, ...clientOptions } = options;
  const dead = new Set<number>();
  const later = (): Promise<object> =>
    new Promise((resolve) => one.clock.schedule(answerAfterMs ?? 0, () => resolve({})));
  const one: Story = story({
    onStream: (_, { index }) => dead.has(index),
    scripts: {
      GetActiveBuckets: (_, { index }) => answerAfterMs !== undefined && index === 0 ? later() : {},
    },
    client: clientOptions,
  });
  const { client, clock, gateway } = one;
  const timeline: string[] = [];
  let from = 0;
  void (async () => {
    for await (const status of client.status()) {
      const reason = status.type === "renewing" ? ` ${status.reason}` : "";
      timeline.push(`${clock.monotonic() - from} ${status.type}${reason}`);
    }
  })();
  return {
    ...{ ...one, timeline },
    /** The sessions that are there do not answer any more. From now on the timeline counts from here. */
    die(): void {
      for (const { index } of gateway.peers) dead.add(index);
      from = clock.monotonic();
      timeline.length = 0;
    },
    /** A call that is up, of which nothing is heard. */
    async callUp(): Promise<void> {
      const call = await client.dial({ to: "+15550100", trunkId: "main" });
      await gateway.peers.at(-1)!.push(methods.CallEvent, {
        callSid: call.callSid,
        eventType: 2,
        status: "ANSWERED",
      });
      await settle();
    },
    async end(): Promise<void> {
      const closing = client.close();
      await clock.advance(40_000);
      await closing;
      assert.equal(clock.pending, 0);
    },
  };
}

describe("A session that is dead and does not say so", () => {
  it("is replaced after one request that ran into its limit, and given up 15 s after the probe", async () => {
    const one = silentStory();
    await one.client.connect();
    await one.clock.advance(60_000);
    one.die();
    const refused = assert.rejects(one.client.getActiveBuckets(), hasCode("ERR_TIMEOUT"));
    await one.clock.advance(10_000);
    await refused;
    await one.clock.advance(4_999);
    assert.equal(one.gateway.peers[0]?.session.isClosed, false);
    await one.clock.advance(30_000);
    assert.deepEqual(one.timeline, [
      "15000 renewing no-answer",
      "15000 open",
      "25250 events-may-be-missing",
      "25250 open",
    ]);
    assert.equal(one.gateway.peers[0]?.session.isClosed, true);
    assert.deepEqual(await one.client.getActiveBuckets(), []);
    await one.end();
  });

  it("is noticed by silence while a call is up", async () => {
    const one = silentStory();
    await one.client.connect();
    await one.callUp();
    one.die();
    await one.clock.advance(60_000);
    assert.deepEqual(one.timeline.slice(0, 2), ["20000 renewing no-answer", "20000 open"]);
    assert.equal(one.gateway.peers.length, 2);
    await one.end();
  });

  it("is given up 15 s after the probe where no other can be opened, and says why", async () => {
    const one = silentStory();
    await one.client.connect();
    one.die();
    one.network.isUp = false;
    one.client.getActiveBuckets().catch(() => {});
    await one.clock.advance(26_000);
    const lost = one.statuses.find((status) => status.type === "reconnecting");
    assert.match((lost?.cause as Error).message, /Session closed: nothing was received for 25 s/);
    one.network.isUp = true;
    await one.clock.advance(16_000);
    assert.equal(one.client.state.type, "open");
    await one.end();
  });

  it("ends a client that does not reconnect", async () => {
    const one = silentStory({ reconnect: false });
    await one.client.connect();
    one.die();
    one.client.getActiveBuckets().catch(() => {});
    await one.clock.advance(30_000);
    assert.equal(one.client.state.type, "closed");
    await one.end();
  });

  it("is not looked for while it is idle, unless it is asked for", async () => {
    for (const probeIdleMs of [undefined, 30_000]) {
      const one = silentStory({ probeIdleMs });
      await one.client.connect();
      one.die();
      await one.clock.advance(120_000);
      const isNoticed = one.timeline.some((line) => line.includes("no-answer"));
      assert.equal(isNoticed, probeIdleMs !== undefined);
      if (isNoticed) assert.equal(one.timeline[0], "35000 renewing no-answer");
      await one.end();
    }
  });
});

describe("A session that is alive", () => {
  it("is probed every 15 s while a call is up and silent, and stays", async () => {
    const one = silentStory();
    await one.client.connect();
    await one.callUp();
    one.timeline.length = 0;
    await one.clock.advance(300_000);
    assert.deepEqual(one.timeline, []);
    const probes = one.gateway.peers[0]!.calls.filter((name) => name === "GetActiveBuckets");
    assert.equal(probes.length, 20);
    await one.end();
  });

  it("costs one more session where the gateway is only slow, and nothing is said to be missing", async () => {
    const one = silentStory({ answerAfterMs: 8_000, requestTimeoutMs: 2_000 });
    await one.client.connect();
    one.timeline.length = 0;
    one.client.getActiveBuckets().catch(() => {});
    await one.clock.advance(60_000);
    assert.deepEqual(one.timeline, ["7000 renewing no-answer", "7000 open"]);
    assert.equal(one.gateway.peers.length, 2);
    await one.end();
  });

  it("stays where it answers within 5 s of the probe", async () => {
    const one = silentStory({ answerAfterMs: 4_500, requestTimeoutMs: 100 });
    await one.client.connect();
    one.timeline.length = 0;
    for (let request = 0; request < 5; request++) {
      one.client.getActiveBuckets().catch(() => {});
      await one.clock.advance(3_000);
    }
    await one.clock.advance(60_000);
    assert.deepEqual(one.timeline, []);
    await one.end();
  });

  it("stays where this program did not run for two hours", async () => {
    const one = silentStory();
    await one.client.connect();
    await one.callUp();
    one.timeline.length = 0;
    one.clock.suspend(7_200_000);
    await one.clock.advance(60_000);
    assert.deepEqual(one.timeline, []);
    await one.end();
  });
});
