/**
 * A stream of packets of any codec, in the codec that its listener speaks.
 *
 * @module
 */

import {
  type AudioCodec,
  audioCodecs,
  decodeAudio,
  encodeAudio,
  Resampler,
} from "../../audio/mod.ts";

/** Transcodes one direction of a call. */
export class Transcoder {
  // By the two rates: filters keep the end of what they were fed.
  readonly #resamplers = new Map<string, Resampler>();

  /** A packet in another codec; the same bytes when it is in that codec already. */
  transcode(payload: Uint8Array, from: AudioCodec, to: AudioCodec): Uint8Array {
    if (from === to) return payload;
    const samples = decodeAudio(from, payload);
    const inputRate = audioCodecs[from].sampleRate;
    const outputRate = audioCodecs[to].sampleRate;
    return encodeAudio(to, this.#resamplerOf(inputRate, outputRate).push(samples));
  }

  #resamplerOf(inputRate: number, outputRate: number): Resampler {
    const rates = `${inputRate}/${outputRate}`;
    let resampler = this.#resamplers.get(rates);
    if (resampler === undefined) {
      resampler = new Resampler({ inputRate, outputRate });
      this.#resamplers.set(rates, resampler);
    }
    return resampler;
  }
}
