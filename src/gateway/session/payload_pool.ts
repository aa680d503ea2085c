/**
 * Memory for payloads that wait to be pushed: what is given back is used again.
 *
 * @module
 */

// What 200 calls have waiting at a time.
const MOST_SPARE = 256;

/**
 * Copies of payloads, most of one size. A runtime takes a microsecond to make an array of more than 64 bytes and to free it: without
 * the pool "gateway's audio path" in tests/bench/gateway_bench.ts takes 1.2 times as long.
 */
export class PayloadPool {
  readonly #spare: Uint8Array[] = [];

  /** A copy, in memory that was given back where that is as long. */
  copy(payload: Uint8Array): Uint8Array {
    const spare = this.#spare.pop();
    if (spare?.length !== payload.length) return payload.slice();
    spare.set(payload);
    return spare;
  }

  /** Takes back a copy that is no longer used. */
  giveBack(copy: Uint8Array): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(copy);
  }
}
