/**
 * Bytes that arrive in pieces, gathered into one buffer.
 *
 * @module
 */

// A declared length is trusted up to 4 KiB: that is what is allocated before anything has arrived.
const TRUSTED_BYTES = 4096;
// Beyond that the buffer may be this much larger than twice what has arrived.
const HEADROOM_BYTES = 65_536;

/**
 * Gathers a number of bytes that may turn out larger. A buffer of up to 4 KiB is allocated at once. A larger one grows as it fills,
 * so that it never exceeds twice what has arrived plus 64 KiB: a peer cannot make the reader allocate memory by declaring a length.
 * Each byte is then copied less than twice more on average.
 */
export class Collector {
  /** How many bytes are expected in all. */
  total: number;
  /** How many have arrived. */
  filled = 0;
  /** The bytes, of which the first `filled` have arrived. */
  bytes: Uint8Array<ArrayBuffer>;

  constructor(total: number) {
    this.total = total;
    this.bytes = new Uint8Array(Math.min(total, TRUSTED_BYTES));
  }

  /** Copies from `chunk`, beginning at `from`, what is still missing. Returns the offset in the chunk at which it stopped. */
  add(chunk: Uint8Array, from: number): number {
    const missing = this.total - this.filled;
    const end = Math.min(chunk.length, from + missing);
    const filled = this.filled + (end - from);
    if (filled > this.bytes.length) this.#grow(filled);
    this.bytes.set(chunk.subarray(from, end), this.filled);
    this.filled = filled;
    return end;
  }

  #grow(needed: number): void {
    const allowed = needed <= TRUSTED_BYTES ? TRUSTED_BYTES : 2 * needed + HEADROOM_BYTES;
    const grown = new Uint8Array(Math.min(this.total, allowed));
    grown.set(this.bytes.subarray(0, this.filled));
    this.bytes = grown;
  }
}
