/**
 * A WAV file of what is heard, with the silence between.
 *
 * @module
 */

import { pcm16Bytes, wavHeader } from "../../audio/mod.ts";
import type { Clock } from "../../base/signal.ts";
import type { GrowingFile } from "../platform.ts";

/** Options of a {@linkcode SoundFile}. */
export interface SoundFileOptions {
  readonly clock: Clock;
  readonly sampleRate: number;
}

// A pause is only what is longer than sound jitters by.
const SHORTEST_PAUSE_MS = 100;
const PIECE_MS = 1_000;

/** Writes sound as it is heard. Its time begins when it is made. */
export class SoundFile {
  readonly #file: GrowingFile;
  readonly #options: SoundFileOptions;
  readonly #startedAt: number;
  #written = 0;

  private constructor(file: GrowingFile, options: SoundFileOptions) {
    this.#file = file;
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  /** Begins a file. Until it is closed its header gives no length, so that one that was cut off can be read. */
  static async create(file: GrowingFile, options: SoundFileOptions): Promise<SoundFile> {
    await file.append(wavHeader({ sampleRate: options.sampleRate }));
    return new SoundFile(file, options);
  }

  /** Adds what was heard now, after silence where nothing was heard for longer. */
  async add(samples: Int16Array): Promise<void> {
    await this.#padTo(this.#due() - samples.length);
    this.#written += samples.length;
    await this.#file.append(pcm16Bytes(samples));
  }

  /** Ends the file. Returns how long it is, in seconds. */
  async close(): Promise<number> {
    await this.#padTo(this.#due());
    const { sampleRate } = this.#options;
    await this.#file.replaceStart(wavHeader({ sampleRate, samples: this.#written }));
    await this.#file.close();
    return this.#written / sampleRate;
  }

  /** How many samples of time have passed. */
  #due(): number {
    const { clock, sampleRate } = this.#options;
    return Math.floor((clock.monotonic() - this.#startedAt) * sampleRate / 1_000);
  }

  async #padTo(length: number): Promise<void> {
    const { sampleRate } = this.#options;
    if (length - this.#written < SHORTEST_PAUSE_MS * sampleRate / 1_000) return;
    const piece = PIECE_MS * sampleRate / 1_000;
    while (this.#written < length) {
      const silence = new Uint8Array(2 * Math.min(piece, length - this.#written));
      this.#written += silence.length / 2;
      await this.#file.append(silence);
    }
  }
}
