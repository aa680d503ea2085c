import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodePcmu, toneSamples } from "../../../../src/audio/mod.ts";
import { TalkDetector } from "../../../../src/gateway/call/talk_detector.ts";
import type { GatewayLogRecord } from "../../../../src/gateway/mod.ts";
import { DialplanAction } from "../../../../src/wire/mod.ts";
import { clientSetup } from "../../../support/client_kit.ts";
import { Hearing, noise } from "../../../support/hearing.ts";

function frame(amplitude: number): Uint8Array {
  return encodePcmu(
    toneSamples({ frequencyHz: 400, sampleRate: 8_000, milliseconds: 20, amplitude }),
  );
}

function take(detector: TalkDetector, amplitude: number, frames: number): number {
  let talkMs = 0;
  for (let i = 0; i < frames; i++) talkMs = detector.take(frame(amplitude), "PCMU");
  return talkMs;
}

describe("TalkDetector", () => {
  it("counts talk, over pauses between words, and begins anew after 120 ms of quiet", () => {
    const detector = new TalkDetector();
    assert.equal(take(detector, 0.001, 50), 0);
    assert.equal(take(detector, 0.3, 5), 100);
    assert.equal(take(detector, 0.001, 5), 100);
    assert.equal(take(detector, 0.3, 5), 200);
    assert.equal(take(detector, 0.001, 6), 0);
    assert.equal(take(detector, 0.3, 1), 20);
  });

  it("does not take the line's noise for talk, and hears talk over it", () => {
    const detector = new TalkDetector();
    // It takes a while to know the noise.
    take(detector, 0.05, 400);
    assert.equal(take(detector, 0.05, 50), 0);
    assert.equal(take(detector, 0.4, 10), 200);
  });

  it("ignores packets that are not audio", () => {
    const detector = new TalkDetector();
    assert.equal(detector.take(new Uint8Array(160), "OPUS"), 0);
    assert.equal(detector.take(new Uint8Array(0), "PCMU"), 0);
    assert.equal(detector.take(new Uint8Array(3), "PCM16"), 0);
  });
});

describe("autoBargeIn", () => {
  for (
    const [autoBargeIn, patienceMs, playedMs] of [
      [true, 250, 1_250],
      [true, 0, 1_000],
      [true, 600, 1_600],
      [false, 250, 3_000],
    ] as const
  ) {
    it(`${autoBargeIn ? `stops the gateway's playback after ${patienceMs} ms of talk` : "off: the playback goes on"}`, async () => {
      const hearing = new Hearing();
      const records: GatewayLogRecord[] = [];
      await using story = await clientSetup({
        gateway: {
          log: (record) => void records.push(record),
          farEnd: () =>
            hearing.phone(0, [{ type: "wait", ms: 1_000 }, {
              type: "play",
              samples: noise(1_500),
            }]),
        },
      });
      const { client, setup } = story;
      const events: number[] = [];
      const call = await client.dial({
        ...{ to: "+15550142", trunkId: "main", defaultApp: DialplanAction.PLAYBACK },
        ...{ autoBargeIn, bargeInPatienceMs: patienceMs },
      });
      void (async () => {
        for await (const { eventType } of call.events()) events.push(eventType);
      })();
      await setup.clock.advance(6_000);
      assert.ok(Math.abs(hearing.ms - playedMs) <= 60, `${hearing.ms} ms were heard`);
      const barged = records.filter(({ event }) => event === "call.barged");
      assert.equal(barged.length, autoBargeIn ? 1 : 0);
      if (autoBargeIn) assert.equal(barged[0]!.callSid, call.callSid);
      assert.deepEqual(events, [1, 1, 2], "no event that the product would not send");
      await call.hangUp();
    });
  }
});
