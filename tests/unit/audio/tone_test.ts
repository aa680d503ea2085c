import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toneSamples } from "../../../src/audio/tone.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";

describe("toneSamples()", () => {
  it("toneSamples() makes the sine it is asked for", () => {
    const samples = toneSamples({ frequencyHz: 1000, sampleRate: 8000, milliseconds: 1 });
    assert.deepEqual([...samples], [0, 11585, 16384, 11585, 0, -11585, -16383, -11585]);
  });

  it("toneSamples() reaches full scale and no further", () => {
    const samples = toneSamples({
      frequencyHz: 1000,
      sampleRate: 48000,
      milliseconds: 100,
      amplitude: 1,
    });
    assert.equal(Math.max(...samples), 32767);
    assert.equal(Math.min(...samples), -32767);
  });

  it("toneSamples() goes on without a seam when the phase is handed on", () => {
    const whole = toneSamples({ frequencyHz: 440, sampleRate: 8000, milliseconds: 40 });
    const phase = 2 * Math.PI * 440 * 0.02;
    const first = toneSamples({ frequencyHz: 440, sampleRate: 8000, milliseconds: 20 });
    const second = toneSamples({ frequencyHz: 440, sampleRate: 8000, milliseconds: 20, phase });
    // One apart at the most: a value may lie on the edge between two integers, and engines differ in the last bit of a sine.
    [...first, ...second].forEach((sample, i) => assert.ok(Math.abs(sample - whole[i]!) <= 1));
    assert.equal(first.length + second.length, whole.length);
  });

  it("toneSamples() rounds the length to the nearest sample", () => {
    const length = (milliseconds: number) =>
      toneSamples({ frequencyHz: 0, sampleRate: 8000, milliseconds }).length;
    assert.deepEqual([0, 0.06, 0.07, 20, 1000].map(length), [0, 0, 1, 160, 8000]);
  });

  it("toneSamples() refuses options out of range and of another type", () => {
    const tone = { frequencyHz: 440, sampleRate: 8000, milliseconds: 20 };
    for (
      const wrong of [
        { frequencyHz: 4001 },
        { frequencyHz: -1 },
        { sampleRate: 0 },
        { sampleRate: 1e9 },
        { milliseconds: -1 },
        { milliseconds: Infinity },
        { amplitude: 1.01 },
        { phase: NaN },
      ]
    ) {
      const [name] = Object.keys(wrong);
      assert.throws(
        () => toneSamples({ ...tone, ...wrong }),
        (error: unknown) =>
          error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
          error.message.startsWith(`Cannot make a tone: ${name} is `),
        name,
      );
    }
    assert.throws(
      () => toneSamples({ ...tone, frequencyHz: "440" as unknown as number }),
      { name: "TypeError", message: /frequencyHz is a string, expected a number from 0 to/ },
    );
  });
});
