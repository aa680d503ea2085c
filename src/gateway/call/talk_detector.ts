/**
 * Whether the far end talks, by how loud it is.
 *
 * @module
 */

import { audioCodecs, decodeAudio, frameMilliseconds } from "../../audio/mod.ts";
import { isWhole } from "./mixer.ts";

// A frame is talk when it is 12 dB louder than the line's noise, and louder than -41 dBFS.
const OVER_NOISE = 4;
const LEAST_RMS = 300;
// The noise is the quietest of late: it is forgotten by 6 dB in two seconds.
const NOISE_GROWTH = 1.007;
// Between words and syllables there is less than this.
const PAUSE_MS = 120;

/** Measures how long the far end has talked without a pause. */
export class TalkDetector {
  #noise = LEAST_RMS;
  #talkMs = 0;
  #quietMs = 0;

  /** Takes a packet of the far end's. Returns for how long it has been talking, in milliseconds; 0 when it does not. */
  take(payload: Uint8Array, codec: string): number {
    if (!isWhole(payload, codec) || payload.length === 0) return this.#talkMs;
    const { frameBytes } = audioCodecs[codec];
    const lengthMs = payload.length / frameBytes * frameMilliseconds;
    const rms = rmsOf(decodeAudio(codec, payload));
    const isTalk = rms > LEAST_RMS && rms > this.#noise * OVER_NOISE;
    this.#noise = Math.max(1, Math.min(rms, this.#noise * NOISE_GROWTH));
    if (isTalk) {
      this.#talkMs += lengthMs;
      this.#quietMs = 0;
    } else {
      this.#quietMs += lengthMs;
      if (this.#quietMs >= PAUSE_MS) this.#talkMs = 0;
    }
    return this.#talkMs;
  }
}

function rmsOf(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}
