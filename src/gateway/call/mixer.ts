/**
 * Two voices on one line: frames of a second speaker mixed into those of the first, or sent by themselves when the first is silent.
 *
 * @module
 */

import {
  type AudioCodec,
  audioCodecs,
  decodeAudio,
  encodeAudio,
  isAudioCodec,
  Resampler,
} from "../../audio/mod.ts";
import type { Ticker } from "./ticker.ts";

// A quarter of a second: what a second speaker is ahead by is dropped, the oldest first.
const LONGEST_QUEUE = 12;
const LINE = "PCMU";
const LINE_RATE = 8_000;

/** Where the mixed line is heard. */
export interface MixerOptions {
  readonly ticker: Ticker;
  /** Takes a frame of the second speaker alone: PCMU, 8 kHz. */
  readonly say: (payload: Uint8Array) => void;
}

/** Mixes a second speaker into a line. */
export class Mixer {
  readonly #options: MixerOptions;
  readonly #waiting: Int16Array[] = [];
  readonly #upsampler: Resampler = new Resampler({ inputRate: LINE_RATE, outputRate: 16_000 });
  readonly #downsampler: Resampler = new Resampler({ inputRate: 16_000, outputRate: LINE_RATE });
  #stopTicking: (() => void) | undefined;
  #firstSpoke = false;

  constructor(options: MixerOptions) {
    this.#options = options;
  }

  /** Takes a frame of the second speaker. One in an unknown codec is dropped. */
  add(payload: Uint8Array, codec: string): void {
    if (!isWhole(payload, codec)) return;
    const samples = decodeAudio(codec, payload);
    // A copy: PCM16 can be a view of another owner's bytes.
    this.#waiting.push(codec === "PCM16" ? this.#downsampler.push(samples) : samples.slice());
    if (this.#waiting.length > LONGEST_QUEUE) this.#waiting.shift();
    if (this.#stopTicking !== undefined) return;
    // Not in this turn: a frame of the first speaker can be on its way.
    this.#firstSpoke = true;
    this.#stopTicking = this.#options.ticker.add(() => this.#tick());
  }

  /** Takes a frame of the first speaker and returns what is heard: the same bytes when the second is silent. */
  mix(payload: Uint8Array, codec: string): Uint8Array {
    this.#firstSpoke = true;
    if (!isWhole(payload, codec)) return payload;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return payload;
    const other = codec === "PCM16" ? this.#upsampler.push(waiting) : waiting;
    const samples = decodeAudio(codec, payload);
    const mixed = new Int16Array(samples.length);
    for (let i = 0; i < mixed.length; i++) {
      const sum = samples[i]! + (other[i] ?? 0);
      mixed[i] = Math.max(-32_768, Math.min(32_767, sum));
    }
    return encodeAudio(codec, mixed);
  }

  /** Drops what waits and leaves the ticker. */
  close(): void {
    this.#waiting.length = 0;
    this.#stopTicking?.();
    this.#stopTicking = undefined;
  }

  /** A tick in which the first speaker said nothing belongs to the second. */
  #tick(): void {
    if (!this.#firstSpoke) {
      const samples = this.#waiting.shift();
      if (samples !== undefined) this.#options.say(encodeAudio(LINE, samples));
    }
    this.#firstSpoke = false;
    if (this.#waiting.length === 0) this.close();
  }
}

/** Whether a payload is samples of a codec that can be mixed. */
export function isWhole(payload: Uint8Array, codec: string): codec is AudioCodec {
  return isAudioCodec(codec) && payload.length % audioCodecs[codec].bytesPerSample === 0;
}
