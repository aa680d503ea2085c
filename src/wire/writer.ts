/**
 * The growing buffer that all encoding shares. Results are copied out of it.
 *
 * @module
 */

import { Fault } from "./fault.ts";

const INITIAL_BYTES = 1024;
// What a large message made the buffer grow to is given back after it.
const KEEP_BYTES = 65536;
const LONGEST_BYTES = 2147483647;

/** Where fields are written, one after another. */
export class Writer {
  /** The buffer. Another one after `take` has made it grow. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_BYTES);
  /** Where the next field begins. */
  at = 0;

  /** Makes room for `count` bytes, moves past them, and tells where they begin. */
  take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (end > this.bytes.length) this.#grow(end);
    this.at = end;
    return at;
  }

  /** Forgets everything from `start` on. */
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
