/**
 * Little-endian bytes to values, every length checked against the end of the envelope before it is used.
 *
 * @module
 */

import { decodeUtf8 } from "../bytes.ts";
import { Fault } from "./fault.ts";
import type { ElementCodec, FieldCodec } from "./field.ts";

const TWO_32 = 2 ** 32;
// An element takes at least its own envelope's header, a text its length.
const LEAST_ELEMENT = 6;
const LEAST_TEXT = 4;
const NO_BYTES = new Uint8Array(0);
const double = new DataView(new ArrayBuffer(8));

/**
 * Reads fields one after another. Bytes that end exactly where a field would begin come from an older sender: that field and all
 * after it take their defaults (protocol.md section 3.2).
 */
export class Reader implements FieldCodec {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  /** Reads `bytes` from `start` to its end. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#at = start;
  }

  bool(_value?: boolean, fallback = false): boolean {
    return this.#at === this.#end ? fallback : this.#bytes[this.#take(1)] !== 0;
  }

  u8(_value?: number, fallback = 0): number {
    return this.#at === this.#end ? fallback : this.#bytes[this.#take(1)]!;
  }

  u16(_value?: number, fallback = 0): number {
    if (this.#at === this.#end) return fallback;
    const at = this.#take(2);
    return this.#bytes[at]! | (this.#bytes[at + 1]! << 8);
  }

  u32(_value?: number, fallback = 0): number {
    return this.#at === this.#end ? fallback : this.#word(this.#take(4)) >>> 0;
  }

  i32(_value?: number, fallback = 0): number {
    return this.#at === this.#end ? fallback : this.#word(this.#take(4));
  }

  i64(_value?: number, fallback = 0): number {
    if (this.#at === this.#end) return fallback;
    const at = this.#take(8);
    // One rounding, of the sum: the nearest double, as JSON.parse gives it.
    return this.#word(at + 4) * TWO_32 + (this.#word(at) >>> 0);
  }

  u64(_value?: number, fallback = 0): number {
    if (this.#at === this.#end) return fallback;
    const at = this.#take(8);
    return (this.#word(at + 4) >>> 0) * TWO_32 + (this.#word(at) >>> 0);
  }

  f64(_value?: number, fallback = 0): number {
    if (this.#at === this.#end) return fallback;
    const at = this.#take(8);
    double.setInt32(0, this.#word(at), true);
    double.setInt32(4, this.#word(at + 4), true);
    return double.getFloat64(0, true);
  }

  text(_value?: string, fallback = ""): string {
    if (this.#at === this.#end) return fallback;
    const size = this.#size();
    const at = this.#take(size);
    try {
      return decodeUtf8(this.#bytes.subarray(at, at + size));
    } catch {
      this.#at = at - 4;
      throw new Fault("is not UTF-8");
    }
  }

  secret(_value?: string, fallback = ""): string {
    return this.text(undefined, fallback);
  }

  binary(_value?: Uint8Array, fallback: Uint8Array = NO_BYTES): Uint8Array {
    if (this.#at === this.#end) return fallback;
    const size = this.#size();
    const at = this.#take(size);
    // Not `subarray`, which on a Node.js `Buffer` gives a `Buffer`.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, size);
  }

  texts(_value?: readonly string[], fallback: readonly string[] = []): readonly string[] {
    if (this.#at === this.#end) return fallback;
    const count = this.#count(LEAST_TEXT);
    const texts: string[] = [];
    for (let i = 0; i < count; i++) {
      if (this.#at === this.#end) throw this.#short(LEAST_TEXT);
      texts.push(this.text());
    }
    return texts;
  }

  list<T>(_value: readonly T[] | undefined, element: ElementCodec<T>): readonly T[] {
    if (this.#at === this.#end) return [];
    const count = this.#count(LEAST_ELEMENT);
    const elements: T[] = [];
    for (let i = 0; i < count; i++) {
      const header = this.#take(LEAST_ELEMENT);
      const size = this.#word(header + 2);
      if (size < 0) throw new Fault(`holds an element of ${size} bytes`);
      this.#take(size);
      elements.push(element.decode(this.#bytes.subarray(header, this.#at)));
    }
    return elements;
  }

  /** Where the next `count` bytes start; moves past them. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw this.#short(count);
    this.#at = at + count;
    return at;
  }

  #short(count: number): Fault {
    return new Fault(
      `needs ${count} bytes, found ${this.#end - this.#at} before the end of the envelope`,
    );
  }

  #size(): number {
    const size = this.#word(this.#take(4));
    if (size < 0) throw new Fault(`has the length ${size}, expected at least 0`);
    return size;
  }

  #count(least: number): number {
    const count = this.#word(this.#take(4)) >>> 0;
    const left = this.#end - this.#at;
    if (count * least > left) {
      throw new Fault(`has ${count} elements, found ${left} bytes for them`);
    }
    return count;
  }

  #word(at: number): number {
    const bytes = this.#bytes;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
}
