/**
 * How loud a sound is.
 *
 * @module
 */

// A meter that falls by half in about 100 ms is steady to look at and follows speech.
const HALF_LIFE_SECONDS = 0.1;

/** The level of a stream: RMS, 0 to 1, that rises at once and falls smoothly. */
export class LevelMeter {
  readonly #sampleRate: number;
  #square = 0;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** The level now. */
  get level(): number {
    return Math.min(1, Math.sqrt(this.#square));
  }

  /** Takes the next `length` samples; `undefined` is silence. */
  push(samples: Float32Array | undefined, length: number): void {
    let sum = 0;
    if (samples !== undefined) { for (const sample of samples) sum += sample * sample; }
    const fallen = this.#square * 2 ** (-length / this.#sampleRate / HALF_LIFE_SECONDS);
    this.#square = Math.max(sum / Math.max(1, length), fallen);
  }
}
