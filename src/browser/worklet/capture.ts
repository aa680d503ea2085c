/**
 * Capture: what the microphone gives, cut into blocks of 10 ms.
 *
 * @module
 */

import { BLOCKS_PER_SECOND } from "./messages.ts";

/** What a {@linkcode Capture} has seen so far. */
export interface CaptureStats {
  /** Blocks given. */
  readonly blocks: number;
  /** For how long the input has been exactly zero, in milliseconds: a microphone that works never is. */
  readonly zeroMs: number;
  /** For how long there has been no input, in milliseconds. */
  readonly absentMs: number;
}

/** Cuts mono input into blocks of 16-bit samples; silence replaces the input while it is muted or not connected. */
export class Capture {
  readonly #sampleRate: number;
  readonly #blockLength: number;
  #block: Int16Array<ArrayBuffer>;
  #filled = 0;
  #blocks = 0;
  #zero = 0;
  #absent = 0;
  #isMuted = false;
  // Follows the switch over one call of `push`, so that it does not click.
  #gain = 1;

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
    this.#blockLength = Math.round(sampleRate / BLOCKS_PER_SECOND);
    this.#block = new Int16Array(this.#blockLength);
  }

  /** What was seen so far. */
  stats(): CaptureStats {
    const perMs = this.#sampleRate / 1_000;
    return {
      blocks: this.#blocks,
      zeroMs: this.#zero / perMs,
      absentMs: this.#absent / perMs,
    };
  }

  /** Sends silence instead of the input, or the input again. */
  mute(isMuted: boolean): void {
    this.#isMuted = isMuted;
  }

  /** The microphone was replaced: what is counted of its silence begins anew. */
  restart(): void {
    this.#zero = 0;
    this.#absent = 0;
  }

  /**
   * Takes the next `length` samples of input, `undefined` when nothing is connected.
   *
   * @param emit Takes a full block, which is the receiver's own.
   */
  push(
    input: Float32Array | undefined,
    length: number,
    emit: (block: Int16Array<ArrayBuffer>) => void,
  ): void {
    const from = this.#gain;
    const to = this.#isMuted ? 0 : 1;
    this.#gain = to;
    this.#listen(input, length);
    for (let i = 0; i < length; i++) {
      const gain = from === to ? to : from + (to - from) * (i + 1) / length;
      this.#block[this.#filled++] = toInt16((input?.[i] ?? 0) * gain);
      if (this.#filled < this.#blockLength) continue;
      const block = this.#block;
      this.#block = new Int16Array(this.#blockLength);
      this.#filled = 0;
      this.#blocks++;
      emit(block);
    }
  }

  #listen(input: Float32Array | undefined, length: number): void {
    this.#absent = input === undefined ? this.#absent + length : 0;
    this.#zero = input?.some((sample) => sample !== 0) ? 0 : this.#zero + length;
  }
}

/** A sample of -1 to 1 in 16 bits; what is louder is clipped. */
function toInt16(sample: number): number {
  return Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
}
