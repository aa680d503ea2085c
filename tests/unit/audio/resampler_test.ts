import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Resampler } from "../../../src/audio/resampler.ts";
import { toneSamples } from "../../../src/audio/tone.ts";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { assertSameElements } from "../../support/elements.ts";
import { seed } from "../../support/seed.ts";

interface Pair {
  readonly inputRate: number;
  readonly outputRate: number;
}

// Those among which delays are whole numbers of samples.
const sampleRates = [8000, 16000, 24000, 48000];

const allPairs: Pair[] = sampleRates.flatMap((inputRate) =>
  sampleRates.map((outputRate) => ({ inputRate, outputRate }))
);
const pairs = allPairs.filter(({ inputRate, outputRate }) => inputRate !== outputRate);
const name = ({ inputRate, outputRate }: Pair): string => `${inputRate} to ${outputRate} Hz`;

/** The whole stream at once, the delay taken off. */
function resample(pair: Pair, samples: Int16Array): Int16Array {
  const resampler = new Resampler(pair);
  return join([resampler.push(samples), resampler.flush()]).subarray(resampler.delaySamples);
}

function join(parts: readonly Int16Array[]): Int16Array {
  const joined = new Int16Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** What is left of a second of sound when the tone at `frequencyHz` (whole) is taken out of it, and that tone's peak. */
function analyze(samples: Int16Array, frequencyHz: number): { peak: number; restRms: number } {
  const step = 2 * Math.PI * frequencyHz / samples.length;
  let re = 0;
  let im = 0;
  let power = 0;
  samples.forEach((sample, i) => {
    re += sample * Math.cos(step * i);
    im += sample * Math.sin(step * i);
    power += sample * sample;
  });
  const peak = 2 * Math.hypot(re, im) / samples.length;
  return { peak, restRms: Math.sqrt(Math.max(0, power / samples.length - peak * peak / 2)) };
}

/** A tone's steady second, resampled: 0.1 s on either side is left out. */
function steadySecond(pair: Pair, frequencyHz: number, amplitude: number): Int16Array {
  const tone = toneSamples({
    frequencyHz,
    sampleRate: pair.inputRate,
    milliseconds: 1200,
    amplitude,
  });
  return resample(pair, tone).subarray(pair.outputRate / 10).subarray(0, pair.outputRate);
}

const decibels = (ratio: number): number => 20 * Math.log10(ratio);

describe("Resampler, signal", () => {
  for (const pair of pairs) {
    const lower = Math.min(pair.inputRate, pair.outputRate);

    it(`Resampler from ${name(pair)} keeps pass-band tones within 0.01 dB and 75 dB above everything else`, () => {
      for (const frequencyHz of [50, 300, 1000, 3400, lower * 0.3, lower * 0.45]) {
        const { peak, restRms } = analyze(steadySecond(pair, frequencyHz, 0.9), frequencyHz);
        const gain = decibels(peak / (0.9 * 32767));
        assert.ok(Math.abs(gain) <= 0.01, `${gain} dB at ${frequencyHz} Hz`);
        const snr = decibels(peak / Math.SQRT2 / restRms);
        assert.ok(snr >= 75, `${snr} dB at ${frequencyHz} Hz`);
      }
    });

    if (pair.inputRate < pair.outputRate) continue;
    it(`Resampler from ${name(pair)} lets no tone above 0.55 of the lower rate fold back, by 80 dB`, () => {
      const top = pair.inputRate / 2;
      const edge = lower * 0.55;
      for (let part = 0; part <= 20; part++) {
        const frequencyHz = Math.round(edge + (top - edge) * part / 20.001);
        // Nothing of the tone should be left: all that comes out counts as alias.
        const { restRms } = analyze(steadySecond(pair, frequencyHz, 1), 0);
        const level = decibels(restRms / (32767 / Math.SQRT2));
        assert.ok(level <= -80, `${level} dB at ${frequencyHz} Hz`);
      }
    });
  }

  it("Resampler going up by a whole number lets the samples that came in stand unchanged, delaySamples later", () => {
    for (const pair of pairs) {
      const up = pair.outputRate / pair.inputRate;
      if (!Number.isInteger(up)) continue;
      fc.assert(
        fc.property(fc.int16Array({ minLength: 1, maxLength: 300, size: "max" }), (samples) => {
          const output = resample(pair, samples);
          assertSameElements(samples.map((_, i) => output[i * up]!), samples);
        }),
        { seed, numRuns: 20 },
      );
    }
  });

  it("Resampler agrees with band-limited interpolation computed from its definition", () => {
    for (const pair of pairs) {
      fc.assert(
        fc.property(fc.int16Array({ minLength: 1, maxLength: 400, size: "max" }), (samples) => {
          const output = resample(pair, samples);
          const expected = interpolate(pair, samples);
          // Half a unit for the output's rounding, a quarter for that of the coefficients.
          assert.equal(output.length, expected.length);
          output.forEach((sample, i) => {
            const clipped = Math.max(-32768, Math.min(32767, expected[i]!));
            assert.ok(Math.abs(sample - clipped) <= 0.75, `${i}: ${sample}, not ${clipped}`);
          });
        }),
        { seed, numRuns: 8 },
      );
    }
  });

  it("Resampler keeps a constant, exactly, full scale included", () => {
    for (const pair of allPairs) {
      for (const value of [0, 1, -1, 12345, 32767, -32768]) {
        const resampler = new Resampler(pair);
        resampler.push(new Int16Array(400).fill(value));
        const output = resampler.push(new Int16Array(400).fill(value));
        assert.ok(output.length > 0);
        assert.ok(output.every((sample) => sample === value), `${name(pair)}: ${value}`);
      }
    }
  });

  it("Resampler clips what swings over full scale instead of wrapping it round", () => {
    for (const pair of pairs) {
      // A full-scale square wave of 250 Hz; band-limited it overshoots by a tenth at its edges.
      const half = pair.inputRate / 500;
      const square = Int16Array.from(
        { length: half * 6 },
        (_, i) => Math.floor(i / half) % 2 === 0 ? 32767 : -32768,
      );
      const output = resample(pair, square);
      assert.equal(Math.max(...output), 32767, name(pair));
      assert.equal(Math.min(...output), -32768, name(pair));
      const expected = interpolate(pair, square);
      assert.ok(expected.some((value) => value > 34000));
      output.forEach((sample, i) => {
        assert.ok(Math.abs(sample - Math.max(-32768, Math.min(32767, expected[i]!))) <= 0.75);
      });
    }
  });
});

/** sum over n of x[n] h(t - n), at the times of the output samples: windowed sinc, in units of the lower rate's samples. */
function interpolate({ inputRate, outputRate }: Pair, samples: Int16Array): Float64Array {
  const lower = Math.min(inputRate, outputRate);
  const output = new Float64Array(Math.ceil(samples.length * outputRate / inputRate));
  for (let m = 0; m < output.length; m++) {
    let value = 0;
    let weight = 0;
    const first = Math.floor(m * inputRate / outputRate - 26 * inputRate / lower);
    const last = Math.ceil(m * inputRate / outputRate + 26 * inputRate / lower);
    for (let n = first; n <= last; n++) {
      const t = (m / outputRate - n / inputRate) * lower;
      const h = Math.abs(t) < 26 ? sinc(t) * bessel(8.08 * Math.sqrt(1 - (t / 26) ** 2)) : 0;
      value += h * (samples[n] ?? 0);
      weight += h;
    }
    output[m] = value / weight;
  }
  return output;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of order zero by its integral: the mean of exp(x cos a). */
function bessel(x: number): number {
  let sum = 0;
  for (let i = 0; i < 32; i++) sum += Math.exp(x * Math.cos(Math.PI * (i + 0.5) / 32));
  return sum / 32;
}

describe("Resampler, stream", () => {
  it("Resampler gives the same samples wherever the stream is cut", () => {
    const cuts = fc.array(fc.nat({ max: 3000 }), { maxLength: 12, size: "max" });
    for (const pair of allPairs) {
      fc.assert(
        fc.property(
          fc.int16Array({ minLength: 1, maxLength: 3000, size: "max" }),
          cuts,
          (samples, at) => {
            const whole = new Resampler(pair);
            const expected = join([whole.push(samples), whole.flush()]);
            const pieces = new Resampler(pair);
            const parts: Int16Array[] = [];
            let start = 0;
            for (const end of [...at.sort((a, b) => a - b), samples.length]) {
              parts.push(pieces.push(samples.subarray(start, end)));
              start = Math.min(end, samples.length);
            }
            parts.push(pieces.flush());
            assertSameElements(join(parts), expected);
          },
        ),
        { seed, numRuns: 25 },
      );
    }
  });

  it("Resampler gives the same samples when they come one by one, and in blocks of thousands", () => {
    const samples = Int16Array.from({ length: 5000 }, (_, i) => (i * 7919) % 65536 - 32768);
    for (const pair of allPairs) {
      const whole = new Resampler(pair).push(samples);
      const single = new Resampler(pair);
      const parts = Array.from(samples, (sample) => single.push(Int16Array.of(sample)));
      assertSameElements(join(parts), whole);
    }
  });

  it("Resampler turns every 20 ms that go in into 20 ms that come out, from the first on", () => {
    for (const pair of allPairs) {
      const resampler = new Resampler(pair);
      for (let frame = 0; frame < 5; frame++) {
        const output = resampler.push(new Int16Array(pair.inputRate / 50));
        assert.equal(output.length, pair.outputRate / 50, name(pair));
      }
    }
  });

  it("Resampler gives ceil(samples * outputRate / inputRate) samples, and delaySamples more at the end", () => {
    fc.assert(
      fc.property(fc.constantFrom(...allPairs), fc.nat({ max: 5000 }), (pair, length) => {
        const resampler = new Resampler(pair);
        const output = resampler.push(new Int16Array(length));
        assert.equal(output.length, Math.ceil(length * pair.outputRate / pair.inputRate));
        assert.equal(resampler.flush().length, resampler.delaySamples);
      }),
      { seed },
    );
  });

  it("Resampler.delaySamples is 26 samples of the lower rate", () => {
    for (const pair of pairs) {
      const lower = Math.min(pair.inputRate, pair.outputRate);
      assert.equal(new Resampler(pair).delaySamples, 26 * pair.outputRate / lower, name(pair));
    }
    assert.equal(new Resampler({ inputRate: 8000, outputRate: 8000 }).delaySamples, 0);
  });

  it("Resampler.flush() and clear() leave the resampler as new", () => {
    const samples = toneSamples({ frequencyHz: 440, sampleRate: 24000, milliseconds: 31 });
    for (const outputRate of sampleRates) {
      const pair: Pair = { inputRate: 24000, outputRate };
      const expected = new Resampler(pair).push(samples);
      const used = new Resampler(pair);
      used.push(samples.subarray(0, 701));
      used.flush();
      assertSameElements(used.push(samples), expected);
      used.clear();
      assertSameElements(used.push(samples), expected);
    }
  });

  it("Resampler keeps streams of the same ratio apart", () => {
    const pair: Pair = { inputRate: 8000, outputRate: 16000 };
    const tones = [440, 1000].map((frequencyHz) =>
      toneSamples({ frequencyHz, sampleRate: 8000, milliseconds: 100 })
    );
    const apart = tones.map((tone) => new Resampler(pair).push(tone));
    const resamplers = tones.map(() => new Resampler(pair));
    const together: Int16Array[][] = [[], []];
    for (let start = 0; start < 800; start += 160) {
      for (const i of [0, 1]) {
        together[i]!.push(resamplers[i]!.push(tones[i]!.subarray(start, start + 160)));
      }
    }
    together.forEach((parts, i) => assertSameElements(join(parts), apart[i]!));
  });

  it("Resampler passes samples on unchanged, in memory of their own, between equal rates", () => {
    const samples = Int16Array.of(1, -2, 32767, -32768);
    const output = new Resampler({ inputRate: 16000, outputRate: 16000 }).push(samples);
    assert.deepEqual(output, samples);
    assert.notEqual(output.buffer, samples.buffer);
  });

  it("Resampler names the range of rates when it refuses one", () => {
    for (const rate of [48001, 7999, 0, -8000, NaN, 8000.5]) {
      assert.throws(
        () => new Resampler({ inputRate: 8000, outputRate: rate }),
        (error: unknown) =>
          error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID" &&
          error.message ===
            `Cannot make a resampler: outputRate is ${rate}, expected an integer from 8000 to 48000`,
      );
    }
    assert.throws(
      () => new Resampler({ inputRate: "8000" as unknown as number, outputRate: 8000 }),
      {
        name: "TypeError",
        message:
          "Cannot make a resampler: inputRate is a string, expected an integer from 8000 to 48000",
      },
    );
  });

  it("Resampler.push() refuses what is not samples", () => {
    const resampler = new Resampler({ inputRate: 8000, outputRate: 16000 });
    assert.throws(() => resampler.push(new Float32Array(1) as unknown as Int16Array), {
      name: "TypeError",
      message: "Cannot resample: found Float32Array, expected Int16Array",
    });
  });

  const others: Pair[] = [8000, 16000, 48000].flatMap((rate) =>
    [8001, 11025, 12000, 22050, 32000, 44100].flatMap((other) => [
      { inputRate: other, outputRate: rate },
      { inputRate: rate, outputRate: other },
    ])
  );
  for (const pair of others) {
    it(`Resampler.push() keeps tones in the pass band and everything else 60 dB below, ${name(pair)}`, () => {
      const lower = Math.min(pair.inputRate, pair.outputRate);
      for (const frequencyHz of [0.1, 0.3, 0.44].map((part) => Math.round(part * lower))) {
        const tone = (sampleRate: number) =>
          toneSamples({ frequencyHz, sampleRate, milliseconds: 400 });
        const output = resample(pair, tone(pair.inputRate));
        const { gainDb, restDb } = fit(steady(output), frequencyHz, pair.outputRate);
        assert.ok(Math.abs(gainDb) < 0.05, `${frequencyHz} Hz: gain ${gainDb} dB`);
        assert.ok(restDb < -60, `${frequencyHz} Hz: the rest is at ${restDb} dB`);
      }
    });

    it(`Resampler.push() stops what the lower rate cannot hold by 60 dB, ${name(pair)}`, () => {
      if (pair.inputRate <= pair.outputRate) return;
      for (const part of [0.56, 0.7, 0.9]) {
        const frequencyHz = Math.round(part * pair.outputRate);
        if (frequencyHz >= pair.inputRate / 2) continue;
        const tone = toneSamples({
          ...{ frequencyHz, sampleRate: pair.inputRate, milliseconds: 400 },
          amplitude: 1,
        });
        const output = steady(resample(pair, tone));
        const level = 20 * Math.log10(rms(output) / (32767 / Math.SQRT2));
        assert.ok(level < -60, `${frequencyHz} Hz comes through at ${level} dB`);
      }
    });
  }

  it("Resampler.push() gives the same samples however a stream of any rate is cut", () => {
    const pair: Pair = { inputRate: 44100, outputRate: 8000 };
    const samples = toneSamples({ frequencyHz: 440, sampleRate: 44100, milliseconds: 300 });
    const whole = new Resampler(pair).push(samples);
    const cut = new Resampler(pair);
    const parts: Int16Array[] = [];
    for (let at = 0, size = 1; at < samples.length; at += size, size = size * 3 % 1_009 + 1) {
      parts.push(cut.push(samples.subarray(at, at + size)));
    }
    assertSameElements(join(parts), whole);
    assert.equal(whole.length, Math.ceil(samples.length * 8000 / 44100));
  });
});

/** Without the beginning and the end, where the filter sees silence. */
function steady(samples: Int16Array): Int16Array {
  return samples.subarray(Math.floor(samples.length / 4), Math.floor(samples.length * 3 / 4));
}

function rms(samples: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2;
  return Math.sqrt(sum / samples.length);
}

/** The part of the samples that is a tone of this frequency, against one of half scale, and the rest against that part. */
function fit(
  samples: Int16Array,
  frequencyHz: number,
  sampleRate: number,
): { readonly gainDb: number; readonly restDb: number } {
  // Least squares for a sine and a cosine.
  let [ss, cc, sc, sx, cx] = [0, 0, 0, 0, 0];
  const step = 2 * Math.PI * frequencyHz / sampleRate;
  for (let i = 0; i < samples.length; i++) {
    const [s, c] = [Math.sin(step * i), Math.cos(step * i)];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    sx += s * samples[i]!;
    cx += c * samples[i]!;
  }
  const determinant = ss * cc - sc * sc;
  const a = (sx * cc - cx * sc) / determinant;
  const b = (cx * ss - sx * sc) / determinant;
  const rest = Array.from(
    samples,
    (sample, i) => sample - a * Math.sin(step * i) - b * Math.cos(step * i),
  );
  const amplitude = Math.hypot(a, b);
  return {
    gainDb: 20 * Math.log10(amplitude / (0.5 * 32767)),
    restDb: 20 * Math.log10(rms(rest) * Math.SQRT2 / amplitude),
  };
}
