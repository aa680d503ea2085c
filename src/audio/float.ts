/**
 * Samples as floating-point numbers from -1 to 1, as the Web Audio API and most models have them, to and from 16-bit integers.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import { checkArray } from "./check.ts";

// Overshoot is clipped, as a loudspeaker clips it. A sample beyond this is not overshoot: it was never scaled to 1.
const LARGEST_OVERSHOOT = 100;

/**
 * Turns samples from -1 to 1 into 16-bit samples: 1 becomes 32767, -1 becomes -32768. Samples beyond are clipped.
 *
 * @throws {TypeError} when `samples` is not a `Float32Array`.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a sample that is not finite, or beyond 100: such samples were not scaled.
 */
export function samplesFromFloats(samples: Float32Array): Int16Array<ArrayBuffer> {
  checkArray(samples, Float32Array, "convert samples");
  const converted = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    if (!(Math.abs(sample) <= LARGEST_OVERSHOOT)) {
      throw new TeleQuickError(
        "ERR_VALUE_INVALID",
        `Cannot convert samples: sample ${i} is ${sample}, expected -1 to 1 (divide 16-bit samples by 32768, or give them as an Int16Array)`,
      );
    }
    const scaled = Math.round(sample * (sample < 0 ? 32768 : 32767));
    converted[i] = Math.max(-32768, Math.min(32767, scaled));
  }
  return converted;
}

/**
 * Turns 16-bit samples into samples from -1 to 1.
 *
 * @throws {TypeError} when `samples` is not an `Int16Array`.
 */
export function samplesToFloats(samples: Int16Array): Float32Array<ArrayBuffer> {
  checkArray(samples, Int16Array, "convert samples");
  const converted = new Float32Array(samples.length);
  for (let i = 0; i < samples.length; i++) converted[i] = samples[i]! / 32768;
  return converted;
}
