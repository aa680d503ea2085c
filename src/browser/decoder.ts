/**
 * Frames of a call to samples at one rate, in order, with stand-ins for those that were lost.
 *
 * @module
 */

import { audioCodecs, decodeAudio, isAudioCodec, JitterBuffer, Resampler } from "../audio/mod.ts";
import type { ReceivedFrame } from "../client/mod.ts";

// A frame that was overtaken by the next one is waited for, no longer: what waits here waits in the playback's buffer as well.
const WAIT_MS = 20;

/** Decodes the frames of one call. */
export class FrameDecoder {
  readonly #outputRate: number;
  readonly #order = new JitterBuffer({ jitterBufferMs: WAIT_MS });
  readonly #resamplers = new Map<number, Resampler>();

  /** Decodes to samples at `outputRate`. */
  constructor(outputRate: number) {
    this.#outputRate = outputRate;
  }

  /** Takes a frame that arrived at `now`, and hands over the samples that it completes. */
  push(frame: ReceivedFrame, now: number, give: (samples: Int16Array<ArrayBuffer>) => void): void {
    this.#order.push(frame, now);
    for (let next = this.#order.pop(now); next !== undefined; next = this.#order.pop(now)) {
      const { codec, payload } = next;
      // Of unknown codecs, and with half a sample, nothing can be played.
      if (!isAudioCodec(codec) || payload.length === 0) continue;
      const { sampleRate, bytesPerSample } = audioCodecs[codec];
      if (payload.length % bytesPerSample > 0) continue;
      give(this.#resampler(sampleRate).push(decodeAudio(codec, payload)));
    }
  }

  #resampler(inputRate: number): Resampler {
    let resampler = this.#resamplers.get(inputRate);
    if (resampler === undefined) {
      resampler = new Resampler({
        inputRate: inputRate,
        outputRate: this.#outputRate,
      });
      this.#resamplers.set(inputRate, resampler);
    }
    return resampler;
  }
}
