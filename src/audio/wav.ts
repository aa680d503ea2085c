/**
 * WAV files: the samples of one that is to be played, and the header of one that is written.
 *
 * @module
 */

import { checkNumber } from "../base/check.ts";
import { TeleQuickError } from "../base/errors.ts";
import { checkArray } from "./check.ts";
import { sampleRates } from "./resampler.ts";

/** What {@linkcode readWav} found. */
export interface WavAudio {
  /** Samples a second, 8000 to 48000. */
  readonly sampleRate: number;
  /** Channels in the file, 1 or 2. */
  readonly channels: number;
  /** The samples as one channel: two are mixed, each at half its loudness. */
  readonly samples: Int16Array<ArrayBuffer>;
}

/** Options of {@linkcode wavHeader}. */
export interface WavHeaderOptions {
  /** Samples a second, 8000 to 48000. */
  readonly sampleRate: number;
  /** How many samples follow. Default: not known yet, as for a stream. */
  readonly samples?: number;
}

const HEADER_BYTES = 44;
const PCM = 1;
const EXTENSIBLE = 0xfffe;
const BYTES_PER_SAMPLE = 2;
// What programs write in place of a length that they do not know: 2^32-1, or 2^31-1 less a header.
const LEAST_UNKNOWN_LENGTH = 0x7fff_f000;
const LARGEST_LENGTH = 0xffff_ffff;

/** How other files begin that are taken for WAV. */
const OTHERS: readonly (readonly [start: string, what: string])[] = [
  ["ID3", "an MP3 file"],
  ["\xff\xfb", "an MP3 file"],
  ["OggS", "an Ogg file"],
  ["fLaC", "a FLAC file"],
  ["FORM", "an AIFF file"],
  [".snd", "an AU file"],
  ["RF64", "a WAV file of more than 4 GiB"],
  ["RIFX", "a WAV file with its bytes in the other order"],
];

/**
 * Reads a WAV file: 16-bit PCM, 8 to 48 kHz, one channel or two (Microsoft's RIFF/WAVE; format 1, or `WAVE_FORMAT_EXTENSIBLE` with it).
 *
 * @param bytes The whole file.
 * @returns Its samples as one channel, with their rate.
 * @throws {TypeError} when `bytes` are not bytes.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` for another kind of file, another format, and a file that was cut off; the message says
 * what it is and how it is converted.
 */
export function readWav(bytes: Uint8Array): WavAudio {
  checkArray(bytes, Uint8Array, "read WAV file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (textAt(bytes, 0) !== "RIFF" || textAt(bytes, 8) !== "WAVE") throw unfit(kindOf(bytes));
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = textAt(bytes, at);
    const length = view.getUint32(at + 4, true);
    const start = at + 8;
    if (name === "fmt ") format = readFormat(view, start, length);
    if (name === "data") {
      if (format === undefined) throw unfit("its format is missing before its data");
      return { ...format, samples: readSamples(view, start, length, format) };
    }
    // Chunks begin at even positions.
    at = start + length + length % 2;
  }
  throw unfit("it has no data");
}

/**
 * The 44 bytes before the samples of a WAV file: 16-bit PCM, one channel. The samples follow in little-endian order, as `pcm16Bytes()`
 * makes them.
 *
 * @param options The rate, and how many samples follow.
 */
export function wavHeader(options: WavHeaderOptions): Uint8Array<ArrayBuffer> {
  const { sampleRate, samples } = options;
  const { lowest, highest } = sampleRates;
  checkNumber("write WAV file", "sampleRate", sampleRate, { min: lowest, max: highest });
  const length = samples === undefined ? LARGEST_LENGTH : samples * BYTES_PER_SAMPLE;
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const write = (at: number, text: string): void => {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  };
  write(0, "RIFF");
  view.setUint32(4, Math.min(length + HEADER_BYTES - 8, LARGEST_LENGTH), true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * BYTES_PER_SAMPLE, true);
  view.setUint16(32, BYTES_PER_SAMPLE, true);
  view.setUint16(34, 8 * BYTES_PER_SAMPLE, true);
  write(36, "data");
  view.setUint32(40, length, true);
  return bytes;
}

interface Format {
  readonly channels: number;
  readonly sampleRate: number;
}

function readFormat(view: DataView, start: number, length: number): Format {
  const isWhole = length >= 16 && start + length <= view.byteLength;
  if (!isWhole) throw unfit("its format is cut off");
  let tag = view.getUint16(start, true);
  // The format proper is the beginning of the sub-format's GUID.
  if (tag === EXTENSIBLE && length >= 26) tag = view.getUint16(start + 24, true);
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  const bits = view.getUint16(start + 14, true);
  if (tag !== PCM) throw unfit(`its format is ${tag}${FORMATS[tag] ?? ""}`);
  if (bits !== 8 * BYTES_PER_SAMPLE) throw unfit(`its samples have ${bits} bits`);
  if (channels !== 1 && channels !== 2) throw unfit(`it has ${channels} channels`);
  const { lowest, highest } = sampleRates;
  if (sampleRate < lowest || sampleRate > highest) throw unfit(`its rate is ${sampleRate} Hz`);
  return { channels, sampleRate };
}

const FORMATS: Readonly<Record<number, string>> = {
  3: " (floating point)",
  6: " (A-law)",
  7: " (mu-law)",
  17: " (ADPCM)",
  85: " (MP3)",
};

function readSamples(
  view: DataView,
  start: number,
  length: number,
  { channels }: Format,
): Int16Array<ArrayBuffer> {
  const there = view.byteLength - start;
  if (length > there && length < LEAST_UNKNOWN_LENGTH) {
    throw unfit(`it is cut off: its data has ${there} of ${length} bytes`);
  }
  const frameBytes = channels * BYTES_PER_SAMPLE;
  const samples = new Int16Array(Math.floor(Math.min(length, there) / frameBytes));
  if (samples.length === 0) throw unfit("it holds no samples");
  for (let i = 0; i < samples.length; i++) {
    const at = start + i * frameBytes;
    const first = view.getInt16(at, true);
    samples[i] = channels === 1
      ? first
      : Math.round((first + view.getInt16(at + BYTES_PER_SAMPLE, true)) / 2);
  }
  return samples;
}

function kindOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "it is empty";
  const start = textAt(bytes, 0);
  const other = OTHERS.find(([beginning]) => start.startsWith(beginning));
  return other === undefined ? "it does not begin as one" : `it is ${other[1]}`;
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function unfit(found: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot read WAV file: ${found}, expected 16-bit PCM of 8 to 48 kHz with 1 or 2 channels ` +
      "(convert it: sox FILE -b 16 -r 16000 -c 1 NEW.wav, or ffmpeg -i FILE -ar 16000 -ac 1 NEW.wav)",
  );
}
