/**
 * Received frames as samples at one rate.
 *
 * @module
 */

import { audioCodecs, decodeAudio, isAudioCodec } from "./codec.ts";
import { Resampler } from "./resampler.ts";

/** Decodes frames, each by the codec that it names. */
export class SampleDecoder {
  readonly #outputRate: number;
  readonly #resamplers = new Map<number, Resampler>();

  /** Makes a decoder to samples at `outputRate`. */
  constructor(outputRate: number) {
    this.#outputRate = outputRate;
  }

  /** The samples of a frame, in memory of their own; `undefined` for a frame of an unknown codec, or with half a sample. */
  decode(
    frame: { readonly codec: string; readonly payload: Uint8Array },
  ): Int16Array<ArrayBuffer> | undefined {
    const { codec, payload } = frame;
    if (!isAudioCodec(codec) || payload.length === 0) return undefined;
    const { sampleRate: inputRate, bytesPerSample } = audioCodecs[codec];
    if (payload.length % bytesPerSample > 0) return undefined;
    let resampler = this.#resamplers.get(inputRate);
    if (resampler === undefined) {
      resampler = new Resampler({ inputRate, outputRate: this.#outputRate });
      this.#resamplers.set(inputRate, resampler);
    }
    return resampler.push(decodeAudio(codec, payload));
  }

  /** The samples that the resampler still holds back; `undefined` without any. */
  flush(): Int16Array | undefined {
    for (const resampler of this.#resamplers.values()) {
      const rest = resampler.flush();
      if (rest.length > 0) return rest;
    }
    return undefined;
  }
}
