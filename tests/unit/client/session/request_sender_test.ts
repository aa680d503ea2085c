import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Call } from "../../../../mod.ts";
import { methods } from "../../../../src/wire/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";
import { settle } from "../../../../src/testing/mod.ts";
import { story } from "../../../support/session_story.ts";

describe("RequestSender", () => {
  it("asks a query once when the gateway resets its stream and the session lives", async () => {
    const { client, clock, gateway } = story({
      scripts: {
        GetActiveBuckets: () => {
          throw new Error("the stream is dropped");
        },
      },
      resetsOnThrow: true,
    });
    await client.connect();
    const asked = assert.rejects(client.getActiveBuckets(), hasCode("ERR_SESSION_CLOSED"));
    await clock.advance(1_000);
    await asked;
    const { calls } = gateway.peers[0]!;
    assert.equal(calls.filter((name) => name === "GetActiveBuckets").length, 1);
    await client.close();
  });

  it("asks a query again on the next session when the session was lost, within the caller's time", async () => {
    const { client, clock, gateway } = story({
      scripts: {
        GetActiveBuckets: (_, { index }) => index === 0 ? new Promise(() => {}) : { buckets: [] },
      },
    });
    await client.connect();
    const asked = client.getActiveBuckets();
    await settle();
    gateway.peers[0]!.pair.sever();
    await clock.advance(1_000);
    assert.deepEqual(await asked, []);
    await client.close();
  });

  it("takes a stream that ends without a reply for the loss where the session ends right after it", async () => {
    const { client, clock, gateway } = story({
      scripts: {
        GetActiveBuckets: (_, { index }) => index === 0 ? undefined : { buckets: [] },
        Originate: () => undefined,
      },
    });
    await client.connect();
    const asked = client.getActiveBuckets();
    const dialled = assert.rejects(client.dial({ to: "+15550100", trunkId: "t" }), {
      code: "ERR_SESSION_CLOSED",
      retryable: true,
    });
    await clock.advance(200);
    gateway.peers[0]!.session.close();
    await clock.advance(1_000);
    assert.deepEqual(await asked, []);
    await dialled;
    assert.ok(!gateway.peers[1]!.calls.includes("Originate"));
    await client.close();
  });

  it("takes it for a failed connect where the session ends while signing in", async () => {
    const { client, clock, gateway } = story({ scripts: { Authenticate: () => undefined } });
    const failed = assert.rejects(client.connect(), {
      code: "ERR_CONNECT_FAILED",
      retryable: true,
    });
    await clock.advance(200);
    gateway.peers[0]!.session.close();
    await clock.advance(200);
    await failed;
    await client.close();
  });

  it("spends the caller's time once: what waiting for a session took is not given again", async () => {
    const { client, clock, gateway, network } = story({
      scripts: { Barge: () => new Promise(() => {}) },
    });
    await client.connect();
    network.isUp = false;
    gateway.peers[0]!.pair.sever();
    await settle();
    const startedAt = clock.monotonic();
    let endedAt = 0;
    const barge = client.barge("call-1", { timeoutMs: 20_000 }).catch((error: unknown) => {
      endedAt = clock.monotonic();
      return error;
    });
    await clock.advance(4_000);
    network.isUp = true;
    await clock.advance(40_000);
    hasCode("ERR_TIMEOUT")(await barge);
    assert.equal(endedAt - startedAt, 20_000);
    await client.close();
  });

  it("bounds an RPC that waits for stream credit while no other session can be opened", async () => {
    const { client, clock } = story({
      pair: { maxStreams: 3 },
      onAttempt: (attempt) => {
        if (attempt > 1) throw new Error("unreachable");
      },
      onDial: (session) => Object.defineProperty(session, "streamsLeft", { get: () => 1 }),
    });
    await client.connect();
    await client.barge("call-1").catch(() => {});
    await settle();
    const barge = assert.rejects(
      client.barge("call-1", { timeoutMs: 2_000 }),
      hasCode("ERR_TIMEOUT"),
    );
    await clock.advance(2_000);
    await barge;
    await client.close();
  });
});

describe("TeleQuickClient.dial()", () => {
  it("gives the call it has for an id that it has a call of, and keeps it when the second dial fails", async () => {
    let dials = 0;
    const { client, clock, gateway } = story({
      scripts: {
        Originate: (request) =>
          ++dials === 3
            ? { errorCode: 6, errorMessage: "in use" }
            : { callSid: (request as { callSid: string }).callSid },
      },
    });
    const options = { to: "+15550100", trunkId: "main", callSid: crypto.randomUUID() };
    const call: Call = await client.dial(options);
    assert.equal(await client.dial(options), call);
    await assert.rejects(client.dial(options), hasCode("ERR_RPC_REJECTED", 6));
    await gateway.peers[0]!.push(methods.CallEvent, {
      ...{ callSid: call.sid, eventType: 3, status: "COMPLETED", q850Cause: 16, timestampMs: 1 },
    });
    await clock.advance(0);
    assert.equal((await call.ended).q850Cause, 16);
    await client.close();
  });
});
