import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from "../../../src/audio/g711.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertSameElements } from "../../support/elements.ts";
import { seed } from "../../support/seed.ts";
import vectors from "../../vectors/g711.json" with { type: "json" };

const allCodes = Uint8Array.from({ length: 256 }, (_, code) => code);
const allSamples = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);

/**
 * ITU-T G.711 by its decision values instead of its bits: the step of a magnitude is the last one whose decision value it reaches.
 * Tables 1 and 2 put each decision value half a step above the output value before it.
 */
function referenceStep(outputs: readonly number[], magnitude: number): number {
  let step = 0;
  while (step < 127 && magnitude >= decisionAbove(outputs, step)) step++;
  return step;
}

function decisionAbove(outputs: readonly number[], step: number): number {
  // The first value of a segment is half a (wider) step above its edge, so a step's width shows inside the segment only.
  const segmentStart = step - step % 16;
  return outputs[step]! + (outputs[segmentStart + 1]! - outputs[segmentStart]!) / 2;
}

const laws = [
  {
    name: "Pcmu",
    decode: decodePcmu,
    encode: encodePcmu,
    values: vectors.ulaw,
    // The codes of positive samples count down from 0xff, those of negative ones from 0x7f.
    codeOf: (step: number, negative: boolean) => (negative ? 0x7f : 0xff) - step,
    magnitudeOf: (sample: number) => Math.abs(sample),
    clip: 32635,
  },
  {
    name: "Pcma",
    decode: decodePcma,
    encode: encodePcma,
    values: vectors.alaw,
    codeOf: (step: number, negative: boolean) => (step + (negative ? 0 : 128)) ^ 0x55,
    // No zero: the negative half is the positive half mirrored at -0.5.
    magnitudeOf: (sample: number) => sample < 0 ? -1 - sample : sample,
    clip: 32767,
  },
] as const;

for (const { name, decode, encode, values, codeOf, magnitudeOf, clip } of laws) {
  const outputs = Array.from({ length: 128 }, (_, step) => values[codeOf(step, false)]!);
  const encoded = encode(allSamples);

  describe(`decode${name}() and encode${name}()`, () => {
    it(`decode${name}() gives the published value of every code`, () => {
      assert.deepEqual([...decode(allCodes)], values);
    });

    it(`encode${name}() gives the ITU code of every sample`, () => {
      const wrong = [...allSamples].filter((sample, i) => {
        const step = referenceStep(outputs, magnitudeOf(sample));
        return encoded[i] !== codeOf(step, sample < 0);
      });
      assert.equal(wrong.length, 0, `${wrong.length} samples, the first ${wrong[0]}`);
    });

    it(`encode${name}() chooses the nearest value of every sample, but between segments, where ITU's decision value rules`, () => {
      const sorted = [...new Set(values)].sort((a, b) => a - b);
      let exceptions = 0;
      for (const [i, sample] of allSamples.entries()) {
        const clipped = Math.max(-clip, Math.min(clip, sample));
        const chosen = values[encoded[i]!]!;
        const error = Math.abs(chosen - clipped);
        const nearest = Math.min(...neighbours(sorted, clipped).map((v) => Math.abs(v - clipped)));
        if (error === nearest) continue;
        exceptions++;
        // The chosen value is then the lowest of its segment, and the sample lies less than half its step away.
        const step = outputs.indexOf(Math.abs(chosen));
        assert.equal(step % 16, 0, `sample ${sample} became ${chosen}`);
        assert.ok(error <= (outputs[step + 1]! - outputs[step]!) / 2, `sample ${sample}`);
      }
      // Seven edges on each side; at each, the samples between the decision value and the middle of the two output values.
      assert.ok(exceptions > 0 && exceptions < 2 * 7 * 256, `${exceptions} exceptions`);
    });

    it(`encode${name}() never falls as samples rise`, () => {
      const decoded = decode(encoded);
      for (let i = 1; i < decoded.length; i++) {
        assert.ok(decoded[i]! >= decoded[i - 1]!, `sample ${allSamples[i]}`);
      }
    });

    it(`encode${name}() gives back every code that decode${name}() read, the second zero of mu-law aside`, () => {
      const expected = name === "Pcmu"
        ? allCodes.map((code) => code === 0x7f ? 0xff : code)
        : allCodes;
      assert.deepEqual(encode(decode(allCodes)), expected);
    });

    it(`decode${name}() and encode${name}() write into a given array and return what they wrote`, () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 400, size: "max" }),
          fc.nat({ max: 10 }),
          (codes, spare) => {
            const samples = new Int16Array(codes.length + spare).fill(-1);
            const decoded = decode(codes, samples);
            assert.equal(decoded.buffer, samples.buffer);
            assertSameElements(decoded, decode(codes));
            assert.ok(samples.subarray(codes.length).every((sample) => sample === -1));
            const bytes = new Uint8Array(codes.length + spare).fill(7);
            const again = encode(decoded, bytes);
            assert.equal(again.buffer, bytes.buffer);
            assertSameElements(again, encode(decoded));
            assert.ok(bytes.subarray(codes.length).every((byte) => byte === 7));
          },
        ),
        { seed },
      );
    });

    it(`decode${name}() and encode${name}() refuse a target that is too short`, () => {
      const short = (error: unknown) =>
        error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
        error.message.endsWith(": the target holds 2 elements, expected at least 3");
      assert.throws(() => decode(new Uint8Array(3), new Int16Array(2)), short);
      assert.throws(() => encode(new Int16Array(3), new Uint8Array(2)), short);
    });

    it(`decode${name}() and encode${name}() refuse arguments of another type`, () => {
      const codec = name.toUpperCase();
      assert.throws(() => decode(new Int16Array(2) as unknown as Uint8Array), {
        name: "TypeError",
        message: `Cannot decode ${codec}: found Int16Array, expected Uint8Array`,
      });
      assert.throws(() => encode([1, 2] as unknown as Int16Array), {
        name: "TypeError",
        message: `Cannot encode ${codec}: found Array, expected Int16Array`,
      });
      assert.throws(
        () => decode(new Uint8Array(1), new Uint8Array(1) as unknown as Int16Array),
        TypeError,
      );
      assert.throws(
        () => encode(new Int16Array(1), new Float32Array(1) as unknown as Uint8Array),
        TypeError,
      );
    });
  });
}

/** The values on both sides of `sample`, or the one at the end that it lies beyond. */
function neighbours(sorted: readonly number[], sample: number): number[] {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < sample) low = middle + 1;
    else high = middle;
  }
  return sorted.slice(Math.max(0, low - 1), low + 1);
}
