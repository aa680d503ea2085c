/**
 * Samples on their way to the sound card: written at the end, read at any fractional position.
 *
 * @module
 */

// Cubic reading needs a sample after the one that follows the position.
const LOOK_AHEAD = 2;

/** A ring of 16-bit samples. Positions count samples since the start of the stream and never wrap. */
export class Ring {
  readonly #samples: Int16Array;
  readonly #mask: number;
  #written = 0;

  /** Makes an empty ring that keeps at least `capacity` samples. */
  constructor(capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(capacity));
    this.#samples = new Int16Array(size);
    this.#mask = size - 1;
  }

  /** The position after the last sample. */
  get end(): number {
    return this.#written;
  }

  /** How many samples can be read from `position` on. */
  readableFrom(position: number): number {
    return Math.max(0, this.#written - LOOK_AHEAD - Math.floor(position));
  }

  /** Adds samples; those written longest ago are overwritten. */
  write(samples: Int16Array): void {
    const kept = samples.subarray(Math.max(0, samples.length - this.#samples.length));
    this.#written += samples.length - kept.length;
    const start = this.#written & this.#mask;
    const first = Math.min(kept.length, this.#samples.length - start);
    this.#samples.set(kept.subarray(0, first), start);
    this.#samples.set(kept.subarray(first), 0);
    this.#written += kept.length;
  }

  /** The sound at a position, -1 to 1: a sample, or a cubic (Catmull-Rom) through the four samples around the position. */
  at(position: number): number {
    const whole = Math.floor(position);
    const part = position - whole;
    const here = this.#sample(whole);
    if (part === 0) return here;
    const before = this.#sample(whole - 1);
    const next = this.#sample(whole + 1);
    const after = this.#sample(whole + 2);
    const slope = (next - before) / 2;
    const bend = before - 2.5 * here + 2 * next - after / 2;
    const twist = (after - before) / 2 + 1.5 * (here - next);
    return ((twist * part + bend) * part + slope) * part + here;
  }

  #sample(index: number): number {
    return this.#samples[index & this.#mask]! / 32768;
  }
}
