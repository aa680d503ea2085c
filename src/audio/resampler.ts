/**
 * Changes the sample rate of a stream of samples.
 *
 * @module
 */

import { checkNumber } from "../base/check.ts";
import { checkArray } from "./check.ts";
import { designFilter, type PolyphaseFilter } from "./filter.ts";

/** The lowest and the highest sample rate that a {@linkcode Resampler} takes and gives, in hertz. */
export const sampleRates = { lowest: 8000, highest: 48000 } as const;

/** Options of a {@linkcode Resampler}. */
export interface ResamplerOptions {
  /** The rate of the samples that go in, in hertz: an integer from 8000 to 48000. */
  readonly inputRate: number;
  /** The rate of the samples that come out, in hertz: an integer from 8000 to 48000. */
  readonly outputRate: number;
}

// How many ratios keep their filters; the oldest is dropped first. A filter takes up to 650 KB.
const MOST_ENGINES = 16;
const BLOCK_SAMPLES = 1024;
const NO_SAMPLES = /* @__PURE__ */ new Int16Array(0);

/** What all resamplers of one ratio share: the filter, and the memory in which a block is filtered. */
interface Engine {
  readonly filter: PolyphaseFilter;
  /** The `taps - 1` samples before the block, then the block. In use only inside `push`, which nothing interrupts. */
  readonly work: Float64Array;
}

const engines = /* @__PURE__ */ new Map<string, Engine>();

/**
 * Resamples a mono stream between any two rates from 8 to 48 kHz with a linear-phase polyphase filter (windowed sinc, Kaiser window).
 *
 * In terms of the lower of the two rates, the pass band reaches 0.45 of it (3.6 kHz for 8 kHz) with a ripple under 0.01 dB, and from
 * 0.55 of it (4.4 kHz) on, aliases and images are more than 80 dB down; what folds between the two lands outside the pass band.
 * A constant keeps its value exactly, and samples beyond 16 bits are clipped.
 *
 * The output lags the input by 26 samples of the lower rate: 3.25 ms for 8 kHz, 1.63 ms for 16 kHz, 1.08 ms for 24 kHz. Between 8, 16, 24 and 48 kHz that is a whole number of samples
 * on both sides; between others, such as 44.1 and 8 kHz, up to half an output sample more or less. Every chunk of
 * input gives its share of output at once (20 ms in, 20 ms out), and where a stream is cut into chunks changes no sample.
 * Between equal rates samples pass unchanged and without delay.
 *
 * @example Feed an 8 kHz call to a model that listens at 24 kHz
 * ```ts
 * import { decodePcmu, pcm16Bytes, Resampler } from "@telequick/sdk/audio";
 *
 * const resampler = new Resampler({ inputRate: 8000, outputRate: 24000 });
 * const frame = new Uint8Array(160).fill(0xff);
 * const bytes = pcm16Bytes(resampler.push(decodePcmu(frame))); // 480 samples, 960 bytes
 * ```
 */
export class Resampler {
  /** The rate of the samples that go in, in hertz. */
  readonly inputRate: number;
  /** The rate of the samples that come out, in hertz. */
  readonly outputRate: number;
  readonly #engine: Engine | undefined;
  // The last `taps - 1` samples of the stream so far.
  readonly #history: Int16Array;
  // Where the next output sample lies: in input samples after the last one taken in, and in parts of 1/up of one.
  #index = 0;
  #phase = 0;

  /**
   * Makes a resampler before which there was silence.
   *
   * @throws {TypeError} when a rate is not a number.
   * @throws {TeleQuickError} `ERR_VALUE_INVALID` for a rate that is not within {@linkcode sampleRates}.
   */
  constructor(options: ResamplerOptions) {
    const { inputRate, outputRate } = options;
    checkRate(inputRate, "inputRate");
    checkRate(outputRate, "outputRate");
    this.inputRate = inputRate;
    this.outputRate = outputRate;
    if (inputRate === outputRate) {
      this.#history = NO_SAMPLES;
      return;
    }
    this.#engine = engineFor(inputRate, outputRate);
    this.#history = new Int16Array(this.#engine.filter.taps - 1);
  }

  /** How far the output lags the input, in output samples: a whole number, rounded where the true delay is not one. */
  get delaySamples(): number {
    return this.#engine?.filter.outputDelay ?? 0;
  }

  /**
   * Takes the next samples in and gives those that they complete, in memory of the caller's own: over the whole stream
   * `ceil(samples in * outputRate / inputRate)`.
   *
   * @throws {TypeError} when `samples` is not an `Int16Array`.
   */
  push(samples: Int16Array): Int16Array<ArrayBuffer> {
    checkArray(samples, Int16Array, "resample");
    if (this.#engine === undefined) return new Int16Array(samples);
    const { filter: { up, down, taps }, work } = this.#engine;
    const ahead = (samples.length - this.#index) * up - this.#phase;
    const output = new Int16Array(Math.max(0, Math.ceil(ahead / down)));
    const before = taps - 1;
    let written = 0;
    work.set(this.#history);
    for (let start = 0; start < samples.length; start += BLOCK_SAMPLES) {
      const block = samples.subarray(start, start + BLOCK_SAMPLES);
      work.set(block, before);
      written = this.#engine.filter.tablePhases === undefined
        ? this.#filterBlock(this.#engine, block.length, output, written)
        : this.#interpolateBlock(this.#engine, block.length, output, written);
      work.copyWithin(0, block.length, block.length + before);
    }
    for (let i = 0; i < before; i++) this.#history[i] = work[i]!;
    return output;
  }

  /**
   * Ends the stream: gives the {@linkcode Resampler.delaySamples} last samples, as if silence followed. Without the first `delaySamples`
   * of its output the whole stream is then in step with the input. The resampler is then in its initial state.
   */
  flush(): Int16Array<ArrayBuffer> {
    const tail = this.push(new Int16Array(this.#engine?.filter.inputDelay ?? 0));
    this.clear();
    return tail;
  }

  /** Forgets the stream so far, for example when the rest of it is not to be heard. The resampler is then in its initial state. */
  clear(): void {
    this.#history.fill(0);
    this.#index = 0;
    this.#phase = 0;
  }

  #filterBlock(engine: Engine, length: number, output: Int16Array, written: number): number {
    const { filter: { up, down, taps, coefficients }, work } = engine;
    const wholeStep = Math.floor(down / up);
    const partStep = down % up;
    let index = this.#index;
    let phase = this.#phase;
    for (; index < length; written++) {
      // Two sums, so that the additions need not wait for each other. Every ratio has an even number of taps.
      let even = 0;
      let odd = 0;
      const row = phase * taps;
      for (let tap = 0; tap < taps; tap += 2) {
        even += coefficients[row + tap]! * work[index + tap]!;
        odd += coefficients[row + tap + 1]! * work[index + tap + 1]!;
      }
      output[written] = saturate(even + odd);
      index += wholeStep;
      phase += partStep;
      if (phase >= up) {
        phase -= up;
        index++;
      }
    }
    this.#index = index - length;
    this.#phase = phase;
    return written;
  }

  /** The same with coefficients between two rows of a table. */
  #interpolateBlock(engine: Engine, length: number, output: Int16Array, written: number): number {
    const { filter: { up, down, taps, coefficients, tablePhases = 1 }, work } = engine;
    const wholeStep = Math.floor(down / up);
    const partStep = down % up;
    let index = this.#index;
    let phase = this.#phase;
    for (; index < length; written++) {
      const place = phase * tablePhases / up;
      const row = Math.floor(place) * taps;
      const share = place - Math.floor(place);
      let lower = 0;
      let upper = 0;
      for (let tap = 0; tap < taps; tap++) {
        const sample = work[index + tap]!;
        lower += coefficients[row + tap]! * sample;
        upper += coefficients[row + taps + tap]! * sample;
      }
      output[written] = saturate(lower + share * (upper - lower));
      index += wholeStep;
      phase += partStep;
      if (phase >= up) {
        phase -= up;
        index++;
      }
    }
    this.#index = index - length;
    this.#phase = phase;
    return written;
  }
}

function saturate(value: number): number {
  const rounded = Math.floor(value + 0.5);
  return rounded > 32767 ? 32767 : rounded < -32768 ? -32768 : rounded;
}

function engineFor(inputRate: number, outputRate: number): Engine {
  const divisor = greatestCommonDivisor(inputRate, outputRate);
  const up = outputRate / divisor;
  const down = inputRate / divisor;
  const key = `${up}/${down}`;
  let engine = engines.get(key);
  if (engine === undefined) {
    const filter = designFilter(up, down);
    engine = { filter, work: new Float64Array(filter.taps - 1 + BLOCK_SAMPLES) };
    for (const oldest of engines.keys()) {
      if (engines.size < MOST_ENGINES) break;
      engines.delete(oldest);
    }
    engines.set(key, engine);
  }
  return engine;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function checkRate(rate: unknown, name: string): void {
  const { lowest: min, highest: max } = sampleRates;
  checkNumber("make a resampler", name, rate, { min, max, integer: true });
}
