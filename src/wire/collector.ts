/**
 * Bytes that arrive in pieces, gathered into one buffer.
 *
 * @module
 */

// A stranger's word is good for so many bytes; beyond them, the buffer grows with what has arrived.
const TRUSTED_BYTES = 64 * 1024;

/**
 * Gathers a known number of bytes. Up to 64 KiB the buffer is made once and every byte copied once. A larger one doubles as it
 * fills, so that it never exceeds twice what has arrived; each byte is then copied less than twice more on average.
 */
export class Collector {
  readonly #total: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #filled = 0;

  constructor(total: number) {
    this.#total = total;
    this.#bytes = new Uint8Array(Math.min(total, TRUSTED_BYTES));
  }

  /** How many bytes have arrived. */
  get filled(): number {
    return this.#filled;
  }

  /** Copies from `chunk`, beginning at `from`, what is still missing. Returns where in the chunk it stopped. */
  add(chunk: Uint8Array, from: number): number {
    const to = Math.min(chunk.length, from + this.#total - this.#filled);
    const needed = this.#filled + to - from;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(this.#total, needed * 2));
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    const part = from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to);
    this.#bytes.set(part, this.#filled);
    this.#filled = needed;
    return to;
  }

  /** The bytes, once all have arrived. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    return this.#filled === this.#total ? this.#bytes : undefined;
  }
}
