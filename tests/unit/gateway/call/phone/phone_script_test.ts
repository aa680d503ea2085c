import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkPhoneScript,
  frameOf,
  type PhoneStep,
} from "../../../../../src/gateway/call/phone/phone_script.ts";
import { encodePcmu, toneSamples } from "../../../../../src/audio/mod.ts";

/** All that a step plays, and how many frames that are. */
function played(step: PhoneStep): { readonly frames: number; readonly bytes: number[] } {
  const bytes: number[] = [];
  let frames = 0;
  for (let frame; (frame = frameOf(step, frames)) !== undefined; frames++) bytes.push(...frame);
  return { frames, bytes };
}

describe("frameOf()", () => {
  it("plays samples in whole frames, the last one with silence at its end", () => {
    const samples = toneSamples({ frequencyHz: 300, sampleRate: 8_000, milliseconds: 50 });
    const { frames, bytes } = played({ type: "play", samples });
    assert.equal(frames, 3);
    assert.deepEqual(bytes, [...encodePcmu(samples), ...Array(80).fill(0xff)]);
    assert.deepEqual(played({ type: "play", samples: [...samples] }), { frames, bytes });
    assert.equal(played({ type: "play", samples: [] }).frames, 0);
  });

  it("encodes samples once, for all steps and calls that play them", () => {
    const samples = new Int16Array(400).fill(1_000);
    const first = frameOf({ type: "play", samples }, 1)!;
    assert.equal(frameOf({ type: "play", samples, atMs: 5 }, 1)!.buffer, first.buffer);
    const press = { type: "press", digits: "12" } as const;
    assert.equal(frameOf(press, 0)!.buffer, frameOf(press, 7)!.buffer);
    assert.equal(played(press).frames, 20);
  });

  it("talks for as long as it says, in frames that all talks share", () => {
    for (const [ms, frames] of [[0, 0], [10, 1], [100, 5], [130, 7]] as const) {
      const bytes = [
        ...encodePcmu(toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds: ms })),
      ];
      const silence = Array(frames * 160 - bytes.length).fill(0xff);
      assert.deepEqual(played({ type: "talk", ms }), { frames, bytes: [...bytes, ...silence] });
    }
    const long = { type: "talk", ms: 600_000 } as const;
    assert.equal(frameOf(long, 29_999)!.buffer, frameOf({ type: "talk", ms: 40 }, 0)!.buffer);
    assert.equal(frameOf(long, 30_000), undefined);
  });

  it("plays nothing in other steps", () => {
    assert.equal(frameOf({ type: "tone" }, 0), undefined);
    assert.equal(frameOf({ type: "answer" }, 0), undefined);
  });
});

describe("checkPhoneScript()", () => {
  it("looks once at a script that is good, and each time at one that is not", () => {
    let reads = 0;
    const step = {
      get type() {
        reads++;
        return "answer";
      },
    };
    const script = [step];
    checkPhoneScript(script);
    const before = reads;
    checkPhoneScript(script);
    assert.equal(reads, before);
    const bad = [{ type: "talk", ms: 1 }];
    for (let i = 0; i < 2; i++) {
      assert.throws(() => checkPhoneScript(bad), { code: "ERR_VALUE_INVALID" });
    }
  });
});
