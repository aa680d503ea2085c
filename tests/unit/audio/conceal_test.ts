import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AudioCodec,
  audioCodecs,
  decodeAudio,
  encodeAudio,
  silenceFrame,
} from "../../../src/audio/codec.ts";
import { concealLoss } from "../../../src/audio/conceal.ts";
import { toneSamples } from "../../../src/audio/tone.ts";

const codecs = Object.keys(audioCodecs) as AudioCodec[];

function toneFrame(codec: AudioCodec): Uint8Array {
  const { sampleRate } = audioCodecs[codec];
  return encodeAudio(codec, toneSamples({ frequencyHz: 500, sampleRate, milliseconds: 20 }));
}

function level(codec: AudioCodec, payload: Uint8Array): number {
  return Math.max(...decodeAudio(codec, payload).map(Math.abs));
}

describe("concealLoss()", () => {
  for (const codec of codecs) {
    it(`concealLoss() repeats ${codec}, then fades it out within 60 ms`, () => {
      const payload = toneFrame(codec);
      const { frameBytes } = audioCodecs[codec];
      const frames = [0, 1, 2, 3, 50].map((index) => concealLoss({ codec, payload }, index)!);
      assert.ok(frames.every((frame) => frame.length === frameBytes));
      // 10 ms as they were, then a fifth less every 10 ms: 0.8 of the level at 20 ms, 0.4 at 40 ms.
      assert.deepEqual(frames[0]!.subarray(0, frameBytes / 2), payload.subarray(0, frameBytes / 2));
      const levels = frames.map((frame) => level(codec, frame) / level(codec, payload));
      const expected = [1, 0.8, 0.4];
      expected.forEach((value, i) => assert.ok(Math.abs(levels[i]! - value) < 0.06, `${levels}`));
      assert.deepEqual(frames[3], silenceFrame(codec));
      assert.deepEqual(frames[4], silenceFrame(codec));
    });

    it(`concealLoss() leaves the last ${codec} payload as it was, and shares no memory with it`, () => {
      const payload = toneFrame(codec);
      const before = payload.slice();
      concealLoss({ codec, payload }, 1)!.fill(1);
      concealLoss({ codec, payload }, 9)!.fill(1);
      assert.deepEqual(payload, before);
    });
  }

  it("concealLoss() keeps the length of unusual frames, up to 160 ms", () => {
    const lengths = [1, 80, 240, 1280, 100_000].map((length) =>
      concealLoss({ codec: "PCMA", payload: new Uint8Array(length) }, 0)!.length
    );
    assert.deepEqual(lengths, [1, 80, 240, 1280, 1280]);
  });

  it("concealLoss() has nothing to say for an unknown codec, no payload, or half a sample", () => {
    assert.equal(concealLoss({ codec: "OPUS", payload: new Uint8Array(40) }, 0), undefined);
    assert.equal(concealLoss({ codec: "PCMU", payload: new Uint8Array(0) }, 0), undefined);
    assert.equal(concealLoss({ codec: "PCM16", payload: new Uint8Array(639) }, 0), undefined);
  });
});
