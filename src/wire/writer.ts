/**
 * The growing buffer that all messages are encoded into. Results are copied out of it.
 *
 * @module
 */

import { Fault } from "./fault.ts";

const INITIAL_BYTES = 1024;
// A buffer that a large message has made larger than this is released after it.
const KEEP_BYTES = 65536;
const LONGEST_BYTES = 2147483647;

/** Writes fields, one after another. */
export class Writer {
  /** The buffer. `take` replaces it when it has to grow. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BYTES);
  /** Offset of the next field. */
  at = 0;

  /** Makes room for `count` bytes, moves past them and returns their offset. */
  take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (end > this.bytes.length) this.#grow(end);
    this.at = end;
    return at;
  }

  /** Discards everything from `start` on. */
  rewind(start: number): void {
    this.at = start;
    if (start === 0 && this.bytes.length > KEEP_BYTES) this.bytes = new Uint8Array(INITIAL_BYTES);
  }

  #grow(end: number): void {
    if (end > LONGEST_BYTES) throw new Fault(`${end} bytes`, `${LONGEST_BYTES}`);
    const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }
}
