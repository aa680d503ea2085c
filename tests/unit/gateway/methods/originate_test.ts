import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DialplanAction, methods, type OriginateRequest } from "../../../../src/wire/mod.ts";
import { settle } from "../../../../src/testing/mod.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { TestGateway } from "../../../support/tenant_kit.ts";

const dial = { trunkId: "main", to: "+15550100", defaultApp: 1, clientId: "c" } as const;

interface Line {
  readonly setup: TestGateway;
  readonly client: RawClient;
  /** Dials, lets time pass, and reports what was heard, each event with its time since the dial. */
  story(request: Partial<OriginateRequest>, ms: number): Promise<string[]>;
}

async function openLine(setup: TestGateway): Promise<Line> {
  const client = await setup.connect(await setup.addTenant("acme"), { clientId: "c" });
  return {
    setup,
    client,
    async story(request, ms) {
      client.events.length = 0;
      const start = setup.clock.now();
      const { reply } = await client.rpc(methods.Originate, { ...dial, ...request });
      if (reply?.errorCode !== 0) return [`refused ${reply?.errorCode} ${reply?.errorMessage}`];
      await setup.clock.advance(ms);
      return client.events.map(({ status, eventType, q850Cause, timestampMs }) =>
        `${timestampMs - start} ${eventType} ${status}${q850Cause === 0 ? "" : ` ${q850Cause}`}`
      );
    },
  };
}

const RINGING = ["0 1 INITIATED", "0 1 RINGING"];
const ANSWERED = [...RINGING, "200 2 ANSWERED"];

describe("Originate and the test numbers", () => {
  const stories: Record<string, readonly [string, string[]]> = {
    "+15550100": ["rings 200 ms and answers", ANSWERED],
    "+15550101": ["is busy", ["0 1 INITIATED", "50 3 BUSY 17"]],
    "+15550102": ["is not answered", [...RINGING, "1000 3 NO_ANSWER 19"]],
    "+15550103": ["rejects", ["0 1 INITIATED", "50 3 FAILED 21"]],
    "+15550104": ["is unallocated", ["0 1 INITIATED", "50 3 FAILED 1"]],
    "+15550105": ["hangs up after 2 s", [...ANSWERED, "2200 3 COMPLETED 16"]],
    "+15550106": ["answers and plays", ANSWERED],
    "+15550107": ["answers on a bad line", ANSWERED],
    "+15550108": ["has its circuit breaker open", [
      "refused 4 The trunk's circuit breaker is open",
    ]],
    "+15550109": [
      "is rate limited",
      ["refused 3 The tenant's budget of calls per second is used up"],
    ],
    "+442071838750": ["answers, as every other number", ANSWERED],
    "sip:alice@example.org": ["answers", ANSWERED],
    "alice": ["is not a number", ["refused 2 to is neither a phone number in E.164 nor a SIP URI"]],
  };
  for (const [to, [what, expected]] of Object.entries(stories)) {
    it(`${to} ${what}`, async () => {
      await using setup = new TestGateway();
      const { story } = await openLine(setup);
      assert.deepEqual(await story({ to }, 10_000), expected);
    });
  }

  it("fills every field of the last event", async () => {
    await using setup = new TestGateway();
    const { client, story } = await openLine(setup);
    const start = setup.clock.now();
    await story({ to: "+15550105", callSid: "sid-1" }, 200);
    const uplink = await client.openAudio();
    for (const sequenceNumber of [0, 1, 2, 5]) {
      const payload = new Uint8Array(160);
      await uplink.send({ callSid: "sid-1", codec: "PCMU", payload, sequenceNumber });
      await setup.clock.advance(20);
    }
    await setup.clock.advance(2_000);
    const { estimatedMos, jitterMs, ...last } = client.events.at(-1)!;
    assert.deepEqual(last, {
      callSid: "sid-1",
      eventType: 3,
      status: "COMPLETED",
      startTimestampMs: start,
      q850Cause: 16,
      recordingUrl: "",
      durationSeconds: 2,
      answerTimestampMs: start + 200,
      endTimestampMs: start + 2_200,
      packetsSent: 4,
      packetsReceived: 4,
      packetsLost: 2,
      bytesSent: 640,
      trunkId: "main",
      tenantId: "acme",
      codec: "PCMU",
      timestampMs: start + 2_200,
      clientId: "c",
    });
    assert.ok(estimatedMos > 1 && estimatedMos < 4.4, `${estimatedMos}`);
    // Two frames of 20 ms were missing, so one arrived 40 ms early.
    assert.equal(jitterMs, 40 / 16);
  });

  it("assigns a UUID v4 where the client chose no id", async () => {
    await using setup = new TestGateway();
    const { client } = await openLine(setup);
    const { reply } = await client.rpc(methods.Originate, dial);
    assert.match(
      reply!.callSid,
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.deepEqual([reply?.status, reply?.timestampMs], ["QUEUED", setup.clock.now()]);
  });

  it("does what default_app says when the call is answered", async () => {
    await using setup = new TestGateway();
    const { client, story } = await openLine(setup);
    const app = (defaultApp: number, ms = 300) => story({ defaultApp }, ms);
    assert.deepEqual(await app(DialplanAction.HANGUP), [...ANSWERED, "200 3 COMPLETED 16"]);
    for (const action of [1, 2, 4, 5, 6, 14]) assert.deepEqual(await app(action), ANSWERED);
    for (const action of [7, 8, 9, 10, 11, 12, 13, 15, -1]) {
      assert.deepEqual(await app(action), ["refused 6 default_app is not for an unanswered call"]);
    }
    client.audio.length = 0;
    await app(DialplanAction.PLAYBACK, 200 + 3_000);
    assert.equal(client.audio.length, 150, "three seconds of playback, echoed");
  });

  it("ends a call max_duration_ms after its answer", async () => {
    await using setup = new TestGateway();
    const { story } = await openLine(setup);
    assert.deepEqual(await story({ maxDurationMs: 1_500 }, 5_000), [
      ...ANSWERED,
      "1700 3 COMPLETED 16",
    ]);
  });

  it("refuses what makes no sense, in words", async () => {
    await using setup = new TestGateway();
    const { story } = await openLine(setup);
    const refused = async (request: Partial<OriginateRequest>) => (await story(request, 0))[0];
    assert.equal(await refused({ maxDurationMs: -1 }), "refused 6 max_duration_ms is negative");
    assert.equal(
      await refused({ bargeInPatienceMs: -1 }),
      "refused 6 barge_in_patience_ms is negative",
    );
    assert.equal(
      await refused({ aiWebsocketUrl: "https://x" }),
      "refused 6 ai_websocket_url is malformed, expected a ws: or wss: URL",
    );
    assert.equal(
      await refused({ aiQuicUrl: "http://x" }),
      "refused 6 ai_quic_url is malformed, expected a quic: or https: URL",
    );
    assert.deepEqual(
      await story({ aiWebsocketUrl: "wss://x.example/a", aiQuicUrl: "quic://x:9" }, 200),
      ANSWERED,
    );
  });

  it("repeats itself for a seed: the same calls, the same ids, the same losses", async () => {
    const run = async (seed: number) => {
      await using setup = new TestGateway({ seed });
      const { client } = await openLine(setup);
      const { reply } = await client.rpc(methods.Originate, { ...dial, to: "+15550107" });
      await setup.clock.advance(200);
      const uplink = await client.openAudio();
      for (let sequenceNumber = 0; sequenceNumber < 100; sequenceNumber++) {
        const payload = new Uint8Array([sequenceNumber]);
        await uplink.send({ callSid: reply!.callSid, codec: "PCMU", payload, sequenceNumber });
      }
      await settle();
      return [reply!.callSid, ...client.audio.map(({ sequenceNumber }) => sequenceNumber)];
    };
    assert.deepEqual(await run(5), await run(5));
    assert.notDeepEqual(await run(5), await run(6));
  });
});
