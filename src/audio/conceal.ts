/**
 * What is heard in place of a frame that was lost.
 *
 * @module
 */

import { audioCodecs, decodeAudio, encodeAudio, isAudioCodec } from "./codec.ts";

// The attenuation of ITU-T G.711 Appendix I: 10 ms as it was, then a fifth less every 10 ms, nothing from 60 ms on.
const FADE_START_SECONDS = 0.01;
const FADE_END_SECONDS = 0.06;

// At most this many frames of 20 ms are repeated at once, however long the payload was that came before the loss.
const LONGEST_FRAMES = 8;

/**
 * Makes the payload that stands in for a lost frame: the last one heard, repeated, and faded out as the loss goes on.
 *
 * @param last The last frame heard.
 * @param index How many frames have been lost since, this one not counted.
 * @returns The payload, in memory of its own; `undefined` when the codec is not known or there is nothing to repeat.
 */
export function concealLoss(
  last: { readonly codec: string; readonly payload: Uint8Array },
  index: number,
): Uint8Array<ArrayBuffer> | undefined {
  const { codec, payload } = last;
  if (!isAudioCodec(codec)) return undefined;
  const { bytesPerSample, frameBytes, sampleRate, silence } = audioCodecs[codec];
  const repeated = new Uint8Array(payload.subarray(-LONGEST_FRAMES * frameBytes));
  if (repeated.length === 0 || repeated.length % bytesPerSample !== 0) return undefined;
  const first = index * repeated.length / bytesPerSample;
  if (first >= FADE_END_SECONDS * sampleRate) return repeated.fill(silence);
  const samples = decodeAudio(codec, repeated);
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.round(samples[i]! * gainAt((first + i) / sampleRate));
  }
  return new Uint8Array(encodeAudio(codec, samples));
}

function gainAt(seconds: number): number {
  const gain = (FADE_END_SECONDS - seconds) / (FADE_END_SECONDS - FADE_START_SECONDS);
  return Math.max(0, Math.min(1, gain));
}
