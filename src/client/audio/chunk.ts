/**
 * What a link takes: bytes of its codec, 16-bit samples or samples from -1 to 1; and what it refuses, with the likely cause.
 *
 * @module
 */

import {
  type AudioCodec,
  audioCodecs,
  encodeAudio,
  type Resampler,
  samplesFromFloats,
} from "../../audio/mod.ts";
import { isArrayOf, isBytes } from "../../base/bytes.ts";
import { TeleQuickError } from "../../base/errors.ts";

/**
 * Audio to send: bytes of the link's codec (`Uint8Array`), or samples at the link's `sampleRate`, as 16-bit integers (`Int16Array`)
 * or as numbers from -1 to 1 (`Float32Array`). Mono.
 */
export type AudioChunk = Uint8Array | Int16Array | Float32Array;

/** What a chunk is read by. */
export interface ChunkFormat {
  readonly codec: AudioCodec;
  /** The rate of samples, in hertz. */
  readonly sampleRate: number;
}

/** How long a chunk sounds, in milliseconds; 0 for what is not audio. */
export function chunkMs(chunk: unknown, { codec, sampleRate }: ChunkFormat): number {
  if (isBytes(chunk)) {
    const { bytesPerSample, sampleRate } = audioCodecs[codec];
    return chunk.length / bytesPerSample / sampleRate * 1_000;
  }
  if (isArrayOf(chunk, Int16Array) || isArrayOf(chunk, Float32Array)) {
    return chunk.length / sampleRate * 1_000;
  }
  return 0;
}

/** The bytes of the wire's codec for a chunk. Refuses a chunk before anything of it is taken. */
export function encodeChunk(
  chunk: AudioChunk,
  format: ChunkFormat,
  resampler: Resampler,
): Uint8Array {
  checkChunk(chunk, format);
  if (isBytes(chunk)) return chunk;
  const samples = isArrayOf(chunk, Float32Array) ? samplesFromFloats(chunk) : chunk;
  return encodeAudio(format.codec, resampler.push(samples));
}

const R = 0x52;
const WAV_HEADER_BYTES = 12;

/** Throws `TypeError` for another type, `ERR_VALUE_INVALID` for bytes that are not the codec's. */
export function checkChunk(chunk: unknown, { codec }: ChunkFormat): asserts chunk is AudioChunk {
  if (isBytes(chunk)) {
    if (chunk[0] === R && isWav(chunk)) {
      throw refused(
        `found the header of a WAV file, expected bytes of ${codec} alone (read the samples after the header, and give the file's rate as sampleRate)`,
      );
    }
    if (audioCodecs[codec].bytesPerSample === 2 && chunk.length % 2 !== 0) {
      throw refused(
        `found ${chunk.length} bytes, expected two for each sample of ${codec} (keep the odd byte for the next chunk)`,
      );
    }
    return;
  }
  if (isArrayOf(chunk, Int16Array) || isArrayOf(chunk, Float32Array)) return;
  throw new TypeError(`Cannot send audio: found ${describe(chunk)}, expected ${expected(codec)}`);
}

function expected(codec: string): string {
  return `an Int16Array or Float32Array of samples, or a Uint8Array of ${codec} bytes`;
}

function describe(chunk: unknown): string {
  if (typeof chunk === "string") {
    return `text of ${chunk.length} characters (decode base64 to bytes first)`;
  }
  const name = Object.prototype.toString.call(chunk).slice(8, -1);
  if (name === "ArrayBuffer") {
    return `an ArrayBuffer of ${
      (chunk as ArrayBuffer).byteLength
    } bytes (wrap it: new Int16Array(buffer) for 16-bit samples)`;
  }
  return name;
}

/** RIFF, four bytes of length, WAVE. */
function isWav(bytes: Uint8Array): boolean {
  if (bytes.length < WAV_HEADER_BYTES) return false;
  const text = String.fromCharCode(...bytes.subarray(0, WAV_HEADER_BYTES));
  return text.startsWith("RIFF") && text.endsWith("WAVE");
}

function refused(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot send audio: ${found}`);
}
