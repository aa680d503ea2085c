/**
 * What has arrived of a frame that is not complete: bounded in bytes, and in time.
 *
 * @module
 */

import type { Clock } from "./signal.ts";

/** A number of bytes, within those of a wider purpose. */
export class ByteBudget {
  readonly #limit: number;
  readonly #wider: ByteBudget | undefined;
  #held = 0;

  /**
   * Makes a budget.
   *
   * @param limit The most bytes that are held.
   * @param wider What is held here is held there too.
   */
  constructor(limit: number, wider?: ByteBudget) {
    this.#limit = limit;
    this.#wider = wider;
  }

  /** How many bytes are held. */
  get held(): number {
    return this.#held;
  }

  /** Holds more bytes. Returns `false`, and holds none of them, when there is no room. */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#limit) return false;
    if (this.#wider?.take(bytes) === false) return false;
    this.#held += bytes;
    return true;
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#held -= bytes;
    this.#wider?.give(bytes);
  }
}

/** Options of {@linkcode Unfinished}. */
export interface UnfinishedOptions {
  readonly budget: ByteBudget;
  readonly clock: Clock;
  /** How long a frame may take from its first byte to its last, in milliseconds. */
  readonly limitMs: number;
  /** Called once when one takes longer. */
  readonly onLate: () => void;
}

/** The unfinished frame of one stream. */
export class Unfinished {
  readonly #options: UnfinishedOptions;
  #held = 0;
  #since: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: UnfinishedOptions) {
    this.#options = options;
  }

  /**
   * Notes how much of a frame has arrived; 0 when none is unfinished.
   *
   * @param bytes How much.
   * @param isNew Whether another frame was completed since the last note.
   * @returns `false` when that is more than the budget has.
   */
  note(bytes: number, isNew: boolean): boolean {
    const { budget, clock, limitMs } = this.#options;
    if (bytes < this.#held) budget.give(this.#held - bytes);
    else if (bytes > this.#held && !budget.take(bytes - this.#held)) return false;
    this.#held = bytes;
    if (bytes === 0) this.#since = undefined;
    else if (isNew || this.#since === undefined) this.#since = clock.monotonic();
    // One timer for many frames: it looks when it fires.
    if (bytes > 0) this.#cancel ??= clock.schedule(limitMs, () => this.#look());
    return true;
  }

  /** Gives back what is held. */
  end(): void {
    this.#options.budget.give(this.#held);
    this.#held = 0;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(): void {
    const { clock, limitMs, onLate } = this.#options;
    this.#cancel = undefined;
    if (this.#since === undefined) return;
    const left = this.#since + limitMs - clock.monotonic();
    if (left <= 0) onLate();
    else this.#cancel = clock.schedule(left, () => this.#look());
  }
}
