/**
 * Test tones.
 *
 * @module
 */

import { checkNumber } from "../base/check.ts";

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
  checkNumber(action, "sampleRate", sampleRate, { min: 1, max: 192_000 });
  checkNumber(action, "frequencyHz", frequencyHz, { min: 0, max: sampleRate / 2 });
  checkNumber(action, "milliseconds", milliseconds, { min: 0, max: 3_600_000 });
  checkNumber(action, "amplitude", amplitude, { min: 0, max: 1 });
  checkNumber(action, "phase", phase, { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  const samples = new Int16Array(Math.round(milliseconds * sampleRate / 1000));
  const peak = amplitude * 32767;
  const step = 2 * Math.PI * frequencyHz / sampleRate;
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.round(peak * Math.sin(phase + step * i));
  }
  return samples;
}
