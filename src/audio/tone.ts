/**
 * Test tones.
 *
 * @module
 */

import { checkNumber } from "./check.ts";

/** Options of {@linkcode toneSamples}. */
export interface ToneOptions {
  /** The tone's frequency in hertz, 0 to half of `sampleRate`. */
  readonly frequencyHz: number;
  /** Samples a second, 1 to 192,000. */
  readonly sampleRate: number;
  /** How long the tone lasts, in milliseconds, 0 to 3,600,000; rounded to the nearest sample. */
  readonly milliseconds: number;
  /** The peak as a part of full scale (32767), 0 to 1. Default: 0.5. */
  readonly amplitude?: number;
  /** The phase at the first sample, in radians; 0 starts at a rising zero. Default: 0. */
  readonly phase?: number;
}

/**
 * Makes the samples of a sine tone.
 *
 * @example A second of the 440 Hz tone, as PCMU
 * ```ts
 * import { encodePcmu, toneSamples } from "@telequick/sdk/audio";
 *
 * const bytes = encodePcmu(toneSamples({ frequencyHz: 440, sampleRate: 8000, milliseconds: 1000 }));
 * ```
 *
 * @throws {TypeError} when an option is not a number.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when an option is out of its range.
 */
export function toneSamples(options: ToneOptions): Int16Array<ArrayBuffer> {
  const { frequencyHz, sampleRate, milliseconds, amplitude = 0.5, phase = 0 } = options;
  const action = "make a tone";
  checkNumber(sampleRate, "sampleRate", { least: 1, most: 192_000 }, action);
  checkNumber(frequencyHz, "frequencyHz", { least: 0, most: sampleRate / 2 }, action);
  checkNumber(milliseconds, "milliseconds", { least: 0, most: 3_600_000 }, action);
  checkNumber(amplitude, "amplitude", { least: 0, most: 1 }, action);
  checkNumber(phase, "phase", { least: -Number.MAX_VALUE, most: Number.MAX_VALUE }, action);
  const samples = new Int16Array(Math.round(milliseconds * sampleRate / 1000));
  const peak = amplitude * 32767;
  const step = 2 * Math.PI * frequencyHz / sampleRate;
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.round(peak * Math.sin(phase + step * i));
  }
  return samples;
}
