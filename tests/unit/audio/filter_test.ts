import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { designFilter, type PolyphaseFilter } from "../../../src/audio/filter.ts";

const ratios = [[2, 1], [3, 1], [6, 1], [3, 2], [1, 2], [1, 3], [1, 6], [2, 3]] as const;

/** The filter as one impulse response at the common multiple of both rates. */
function impulseResponse({ up, taps, coefficients }: PolyphaseFilter): Float64Array {
  const response = new Float64Array(taps * up);
  for (let phase = 0; phase < up; phase++) {
    for (let tap = 0; tap < taps; tap++) {
      response[phase + (taps - 1 - tap) * up] = coefficients[phase * taps + tap]!;
    }
  }
  return response;
}

/** The gain in decibels at a frequency that is given as a part of the lower rate. */
function gain(filter: PolyphaseFilter, frequency: number): number {
  const response = impulseResponse(filter);
  const step = 2 * Math.PI * frequency / Math.max(filter.up, filter.down);
  let re = 0;
  let im = 0;
  response.forEach((value, i) => {
    re += value * Math.cos(step * i);
    im += value * Math.sin(step * i);
  });
  return 20 * Math.log10(Math.hypot(re, im) / filter.up);
}

describe("designFilter()", () => {
  for (const [up, down] of ratios) {
    const filter = designFilter(up, down);
    const ratio = Math.max(up, down);

    it(`designFilter(${up}, ${down}) passes to 0.45 of the lower rate within 0.01 dB and stops from 0.55 on by 80 dB`, () => {
      for (let f = 0; f <= 0.45; f += 0.0025) {
        assert.ok(Math.abs(gain(filter, f)) <= 0.01, `${gain(filter, f)} dB at ${f}`);
      }
      for (let f = 0.55; f <= ratio / 2; f += 0.0025) {
        assert.ok(gain(filter, f) <= -80, `${gain(filter, f)} dB at ${f}`);
      }
    });

    it(`designFilter(${up}, ${down}) is half way down at the lower rate's Nyquist frequency`, () => {
      assert.ok(Math.abs(gain(filter, 0.5) + 6.02) < 0.01);
    });

    it(`designFilter(${up}, ${down}) is symmetric about a delay of whole samples at both rates`, () => {
      const response = impulseResponse(filter);
      const center = filter.inputDelay * up;
      assert.equal(center, filter.outputDelay * down);
      assert.ok(Number.isInteger(filter.inputDelay) && Number.isInteger(filter.outputDelay));
      assert.equal(center, 26 * ratio);
      for (let i = 1; i < center; i++) {
        const difference = Math.abs(response[center - i]! - response[center + i]!);
        assert.ok(difference <= 4 * 2 ** -22, `${difference} at ${i}`);
      }
    });

    it(`designFilter(${up}, ${down}) has coefficients that a double adds exactly, each phase to 1`, () => {
      const { taps, coefficients } = filter;
      assert.equal(taps % 2, 0);
      assert.equal(coefficients.length, taps * up);
      assert.ok(coefficients.every((value) => Number.isInteger(value * 2 ** 22)));
      for (let phase = 0; phase < up; phase++) {
        const row = coefficients.subarray(phase * taps, (phase + 1) * taps);
        assert.equal(row.reduce((a, b) => a + b), 1);
        assert.ok(row.reduce((a, b) => a + Math.abs(b)) < 4);
      }
    });
  }
});
