/**
 * How many bytes may be held for one purpose.
 *
 * @module
 */

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
