/**
 * The codecs that an `AudioFrame` can carry, and samples in and out of each by its name.
 *
 * @module
 */

import { checkString } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from "./g711.ts";
import { pcm16Bytes, pcm16Samples } from "./pcm16.ts";

/** How much sound one frame holds, in milliseconds. A call sends 50 frames a second. */
export const frameMilliseconds = 20;

/** The codecs by the names that the wire uses: `PCMU` and `PCMA` at 64 kbit/s, `PCM16` at 256 kbit/s. */
export const audioCodecs = {
  PCMU: { sampleRate: 8000, bytesPerSample: 1, silence: 0xff, frameBytes: 160 },
  PCMA: { sampleRate: 8000, bytesPerSample: 1, silence: 0xd5, frameBytes: 160 },
  PCM16: { sampleRate: 16000, bytesPerSample: 2, silence: 0, frameBytes: 640 },
} as const satisfies Readonly<Record<AudioCodec, AudioCodecInfo>>;

/** What the table {@linkcode audioCodecs} holds of a codec. */
export interface AudioCodecInfo {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Bytes that one sample takes. */
  readonly bytesPerSample: number;
  /** The byte that silence is made of. */
  readonly silence: number;
  /** Bytes in one frame of 20 ms. */
  readonly frameBytes: number;
}

/** The name of a codec, as the wire writes it. */
export type AudioCodec = "PCMU" | "PCMA" | "PCM16";

/** Whether a name, for example one that a frame carries, is a codec of {@linkcode audioCodecs}. */
export function isAudioCodec(name: unknown): name is AudioCodec {
  return typeof name === "string" && Object.hasOwn(audioCodecs, name);
}

/**
 * Makes one frame (20 ms) of silence, in memory of its own.
 *
 * @throws {TypeError} when `codec` is not a string.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a codec that {@linkcode audioCodecs} does not have.
 */
export function silenceFrame(codec: AudioCodec): Uint8Array<ArrayBuffer> {
  checkCodec(codec, "make silence");
  const { frameBytes, silence } = audioCodecs[codec];
  return new Uint8Array(frameBytes).fill(silence);
}

/**
 * Decodes the payload of a frame by the name of its codec.
 *
 * @returns The samples, at the codec's own sample rate; for PCM16 they can share memory with `payload`, as {@linkcode pcm16Samples} says.
 * @throws {TypeError} when an argument is not of its type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for an unknown codec or half a sample.
 */
export function decodeAudio(codec: AudioCodec, payload: Uint8Array): Int16Array {
  checkCodec(codec, "decode audio");
  if (codec === "PCM16") return pcm16Samples(payload);
  return codec === "PCMU" ? decodePcmu(payload) : decodePcma(payload);
}

/**
 * Encodes samples, at the codec's own sample rate, by the codec's name.
 *
 * @returns The payload; for PCM16 it can share memory with `samples`, as {@linkcode pcm16Bytes} says.
 * @throws {TypeError} when an argument is not of its type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for an unknown codec.
 */
export function encodeAudio(codec: AudioCodec, samples: Int16Array): Uint8Array {
  checkCodec(codec, "encode audio");
  if (codec === "PCM16") return pcm16Bytes(samples);
  return codec === "PCMU" ? encodePcmu(samples) : encodePcma(samples);
}

function checkCodec(codec: unknown, action: string): void {
  if (isAudioCodec(codec)) return;
  const name = JSON.stringify(checkString(action, "codec", codec).slice(0, 32));
  const names = Object.keys(audioCodecs).join(", ");
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot ${action}: codec is ${name}, expected one of ${names}`,
  );
}
