/**
 * Bytes that arrive in pieces, gathered into one buffer.
 *
 * @module
 */

// A stranger's word is good for so many bytes. Who has sent more than them is lent so many more than twice what has arrived.
const TRUSTED_BYTES = 4096;
const LENT_BYTES = 65_536;

/**
 * Gathers a number of bytes that may turn out larger. Up to 4 KiB the buffer is made at once. A larger one grows as it fills, so
 * that it never exceeds twice what has arrived plus 64 KiB; each byte is then copied less than twice more on average.
 */
export class Collector {
  /** How many bytes there are to be. */
  total: number;
  /** How many have arrived. */
  filled = 0;
  /** The bytes, of which the first `filled` have arrived. */
  bytes: Uint8Array<ArrayBuffer>;

  constructor(total: number) {
    this.total = total;
    this.bytes = new Uint8Array(Math.min(total, TRUSTED_BYTES));
  }

  /** Copies from `chunk`, beginning at `from`, what is still missing. Returns where in the chunk it stopped. */
  add(chunk: Uint8Array, from: number): number {
    const { filled, total } = this;
    const to = Math.min(chunk.length, from + total - filled);
    this.filled = filled + to - from;
    if (this.filled > this.bytes.length) {
      const most = this.filled > TRUSTED_BYTES ? 2 * this.filled + LENT_BYTES : TRUSTED_BYTES;
      const grown = new Uint8Array(Math.min(total, most));
      grown.set(this.bytes.subarray(0, filled));
      this.bytes = grown;
    }
    this.bytes.set(to - from === chunk.length ? chunk : chunk.subarray(from, to), filled);
    return to;
  }
}
