/**
 * Recordings: what both sides of a call said, as one WAV file.
 *
 * @module
 */

import {
  type AudioCodec,
  audioCodecs,
  decodeAudio,
  encodePcmu,
  Resampler,
} from "../../audio/mod.ts";
import type { Clock } from "../../base/signal.ts";
import { isWhole } from "./mixer.ts";
import type { Tap } from "./tap.ts";

/** Listens to a call from its answer to its end. */
export interface Recorder extends Tap {
  /** Ends the recording. Returns its URL; `""` when it could not be written. */
  finish(): string;
}

/** Starts the recording of a call that was answered; `undefined` when it cannot be written. */
export type StartRecording = (
  call: { readonly tenantId: string; readonly callSid: string },
) => Recorder | undefined;

/** A file that is written from its beginning to its end. It holds nothing open: there can be thousands of live calls. */
export interface RecordingFile {
  /** Where it is. */
  readonly url: string;
  /** Appends bytes. */
  append(bytes: Uint8Array): void;
  /** Replaces bytes at the beginning. */
  replaceStart(bytes: Uint8Array): void;
}

/** Options of a {@linkcode Recording}. */
export interface RecordingOptions {
  readonly clock: Clock;
  readonly file: RecordingFile;
  /** Called once when the file cannot be written further. */
  readonly onFailed: (error: unknown) => void;
}

const SAMPLES_PER_MS = 8;
const { silence: SILENCE } = audioCodecs.PCMU;
// A pause is only what is longer than packets jitter by.
const SHORTEST_PAUSE = 60 * SAMPLES_PER_MS;
// A side that is silent for longer is written as silence.
const LATEST = 250 * SAMPLES_PER_MS;
// What is said further ahead of time is left out, so that memory stays bounded.
const LONGEST_LEAD = 2_000 * SAMPLES_PER_MS;
const WRITE_AT = 1_000 * SAMPLES_PER_MS;

/** The recording of one call: PCMU at 8 kHz in two channels, the far end left and the client right, silence where a side says nothing. */
export class Recording implements Recorder {
  readonly #options: RecordingOptions;
  readonly #startedAt: number;
  readonly #left = new Track();
  readonly #right = new Track();
  /** Samples of each side that are in the file. */
  #written = 0;
  #isOver = false;
  #hasFailed = false;

  constructor(options: RecordingOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
    this.#attempt((file) => file.append(wavHeader(0)));
  }

  caller(payload: Uint8Array, codec: string): void {
    this.#take(this.#left, payload, codec);
  }

  agent(payload: Uint8Array, codec: string): void {
    this.#take(this.#right, payload, codec);
  }

  finish(): string {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#write(Math.max(this.#left.length, this.#right.length));
      this.#attempt((file) => file.replaceStart(wavHeader(this.#written)));
    }
    return this.#hasFailed ? "" : this.#options.file.url;
  }

  #take(track: Track, payload: Uint8Array, codec: string): void {
    if (this.#isOver || !isWhole(payload, codec)) return;
    const now = this.#now();
    const samples = track.toPcmu(payload, codec);
    if (track.length + samples.length > now + LONGEST_LEAD) return;
    if (now > track.length + SHORTEST_PAUSE) {
      // Hours of silence are written piece by piece.
      while (this.#now() > LATEST + WRITE_AT) this.#write(WRITE_AT);
      track.padTo(this.#now());
    }
    track.append(samples);
    const most = Math.max(this.#left.length, this.#right.length);
    if (most < WRITE_AT) return;
    const least = Math.min(this.#left.length, this.#right.length);
    this.#write(Math.max(least, Math.min(this.#now() - LATEST, most)));
  }

  /** The sample that is due now, counted from the first that is not in the file. */
  #now(): number {
    const ms = this.#options.clock.monotonic() - this.#startedAt;
    return Math.floor(ms * SAMPLES_PER_MS) - this.#written;
  }

  /** Writes the next samples of both sides. */
  #write(samples: number): void {
    if (samples <= 0) return;
    const bytes = new Uint8Array(2 * samples);
    for (const [channel, track] of [this.#left, this.#right].entries()) {
      track.padTo(samples);
      const taken = track.take(samples);
      for (let i = 0; i < samples; i++) bytes[2 * i + channel] = taken[i]!;
    }
    this.#written += samples;
    this.#attempt((file) => file.append(bytes));
  }

  #attempt(act: (file: RecordingFile) => void): void {
    const { file, onFailed } = this.#options;
    if (this.#hasFailed) return;
    try {
      act(file);
    } catch (error) {
      this.#hasFailed = true;
      onFailed(error);
    }
  }
}

/** What one side said and is not in the file yet. */
class Track {
  readonly #downsampler = new Resampler({ inputRate: 16_000, outputRate: 8_000 });
  #bytes = new Uint8Array(WRITE_AT);
  /** How many samples it holds. */
  length = 0;

  toPcmu(payload: Uint8Array, codec: AudioCodec): Uint8Array {
    if (codec === "PCMU") return payload;
    const samples = decodeAudio(codec, payload);
    return encodePcmu(codec === "PCM16" ? this.#downsampler.push(samples) : samples);
  }

  append(samples: Uint8Array): void {
    const end = this.length + samples.length;
    this.#reserve(end);
    this.#bytes.set(samples, this.length);
    this.length = end;
  }

  /** Adds silence until it holds `length` samples. */
  padTo(length: number): void {
    if (length <= this.length) return;
    this.#reserve(length);
    this.#bytes.fill(SILENCE, this.length, length);
    this.length = length;
  }

  /** Takes the first samples out, as a copy. */
  take(samples: number): Uint8Array {
    const taken = this.#bytes.slice(0, samples);
    this.#bytes.copyWithin(0, samples, this.length);
    this.length -= samples;
    return taken;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * length);
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}

const MULAW = 7;
const CHANNELS = 2;
const SAMPLE_RATE = 8_000;

/** The header of a WAV file with `samples` of both sides in mu-law (RFC 2361 appendix A.4: format 7, with a `fact` chunk). */
function wavHeader(samples: number): Uint8Array {
  const dataBytes = CHANNELS * samples;
  const bytes = new Uint8Array(58);
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string): void => {
    for (let i = 0; i < word.length; i++) bytes[at + i] = word.charCodeAt(i);
  };
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8 + dataBytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 18, true);
  view.setUint16(20, MULAW, true);
  view.setUint16(22, CHANNELS, true);
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, CHANNELS * SAMPLE_RATE, true);
  view.setUint16(32, CHANNELS, true);
  view.setUint16(34, 8, true);
  text(38, "fact");
  view.setUint32(42, 4, true);
  view.setUint32(46, samples, true);
  text(50, "data");
  view.setUint32(54, dataBytes, true);
  return bytes;
}
