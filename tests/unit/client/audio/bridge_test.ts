import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bridge, bridgeAudio, type PlaybackEnd } from "../../../../mod.ts";
import { testGateway } from "../../../../src/testing/mod.ts";
import { toneSamples } from "../../../../src/audio/mod.ts";

interface Model {
  readonly heard: Int16Array[];
  play: (chunk: Int16Array | Float32Array | Uint8Array) => void;
  interrupt: () => Promise<PlaybackEnd>;
  cleanUps: number;
}

async function bridged(to = "+15550100", send?: (samples: Int16Array) => void) {
  const kit = await testGateway({ clock: "fake" });
  const { client, clock, trunkId } = kit;
  const call = await client.dial({ to, trunkId });
  await clock.runUntil(call.answered());
  const model: Model = {
    heard: [],
    play: () => {},
    interrupt: () => Promise.reject(new Error("not set")),
    cleanUps: 0,
  };
  const bridge: Bridge = bridgeAudio(call, {
    sampleRate: 24_000,
    send: send ?? ((samples) => void model.heard.push(samples)),
    onAudio: (play) => {
      model.play = play;
      return () => void model.cleanUps++;
    },
    onInterrupted: (interrupt) => {
      model.interrupt = interrupt;
      return () => void model.cleanUps++;
    },
  });
  return { kit, call, clock, model, bridge };
}

const tone = (milliseconds: number): Int16Array =>
  toneSamples({ frequencyHz: 440, sampleRate: 24_000, milliseconds });

describe("bridgeAudio()", () => {
  it("carries the model's audio to the far end and the far end's to the model", async () => {
    const { kit, call, clock, model, bridge } = await bridged();
    model.play(tone(500));
    await clock.advance(1_500);
    kit.hears(call).assertSpoken({ fromMs: 100, toMs: 400, levelDb: -15 });
    const samples = model.heard.reduce((sum, { length }) => sum + length, 0);
    // The echo of 500 ms, and stand-ins of the jitter buffer before and after.
    assert.ok(samples >= 12_000, `${samples} samples`);
    await clock.runUntil(bridge.close());
    assert.deepEqual(await bridge.ended, { reason: "closed", error: undefined });
    await kit.close();
  });

  it("drops what was not heard when the caller interrupts, and returns how much was", async () => {
    const { kit, call, clock, model } = await bridged();
    model.play(tone(3_000));
    await clock.advance(1_000);
    const { playedMs, durationMs, interrupted } = await clock.runUntil(model.interrupt());
    assert.ok(interrupted);
    assert.ok(Math.abs(playedMs - 1_000) <= 40, `${playedMs} ms`);
    assert.equal(durationMs, 3_000);
    await clock.advance(500);
    kit.hears(call).assertSilent({ fromMs: playedMs + 200, toMs: playedMs + 500 });
    await kit.close();
  });

  it("ends with the call, calls the clean-ups once, and ignores what the model sends later", async () => {
    const { kit, call, clock, model, bridge } = await bridged("+15550105");
    model.play(tone(10_000));
    await clock.runUntil(call.ended);
    assert.equal((await clock.runUntil(bridge.ended)).reason, "call-ended");
    assert.equal(model.cleanUps, 2);
    model.play(tone(100));
    await clock.runUntil(model.interrupt());
    await clock.runUntil(bridge.close());
    assert.equal(model.cleanUps, 2);
    await kit.assertSettled();
    await kit.close();
  });

  it("ends without an unhandled rejection when send throws", async () => {
    const failure = new Error("socket closed");
    const { kit, clock, model, bridge } = await bridged("+15550106", () => {
      throw failure;
    });
    await clock.advance(300);
    assert.deepEqual(await bridge.ended, { reason: "failed", error: failure });
    assert.equal(model.cleanUps, 2);
    await kit.close();
  });

  it("ends when the model sends what is not audio", async () => {
    const { kit, model, bridge } = await bridged();
    model.play("hello" as unknown as Int16Array);
    const { reason, error } = await bridge.ended;
    assert.equal(reason, "failed");
    assert.match(String(error), /expected an Int16Array/);
    await kit.close();
  });

  it("refuses a missing function, and a call whose audio is open with other options", async () => {
    const { kit, call } = await bridged();
    const options = { send: () => {}, onAudio: () => {} };
    assert.throws(() => bridgeAudio(call, { ...options, sampleRate: 16_000 }), /sampleRate/);
    assert.throws(
      () => bridgeAudio(call, { ...options, onAudio: undefined as never }),
      /onAudio is undefined, expected a function/,
    );
    await kit.close();
  });
});
