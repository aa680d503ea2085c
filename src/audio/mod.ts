/**
 * Audio samples: G.711 and PCM16 to and from 16-bit linear samples, cutting into frames, resampling, reordering what arrives, tones.
 * Pure functions and small pieces of state; no clock and no network.
 *
 * @example Turn an 8 kHz PCMU frame into the 16 kHz PCM16 bytes of the same 20 ms
 * ```ts
 * import { decodePcmu, pcm16Bytes, Resampler } from "@telequick/sdk/audio";
 *
 * const resampler = new Resampler({ inputRate: 8000, outputRate: 16000 });
 * const frame = new Uint8Array(160).fill(0xff);
 * const bytes = pcm16Bytes(resampler.push(decodePcmu(frame))); // 640 bytes
 * ```
 *
 * @module
 */

export {
  audioCodecs,
  decodeAudio,
  encodeAudio,
  frameMilliseconds,
  isAudioCodec,
  silenceFrame,
} from "./codec.ts";
export type { AudioCodec, AudioCodecInfo } from "./codec.ts";
export { decodePcma, decodePcmu, encodePcma, encodePcmu } from "./g711.ts";
export { samplesFromFloats, samplesToFloats } from "./float.ts";
export { pcm16Bytes, pcm16Samples } from "./pcm16.ts";
export { Packetizer } from "./packetizer.ts";
export type { PacketizerOptions } from "./packetizer.ts";
export { Resampler, sampleRates } from "./resampler.ts";
export type { ResamplerOptions } from "./resampler.ts";
export { JitterBuffer } from "./jitter.ts";
export { JitterEstimate } from "./jitter_estimate.ts";
export { PlayoutBuffer } from "./playout.ts";
export type { PlayoutBufferOptions } from "./playout.ts";
export type {
  ArrivedFrame,
  JitterBufferOptions,
  JitterStatistics,
  PlayoutFrame,
} from "./jitter.ts";
export { readWav, wavHeader } from "./wav.ts";
export type { WavAudio, WavHeaderOptions } from "./wav.ts";
export { toneSamples } from "./tone.ts";
export type { ToneOptions } from "./tone.ts";
