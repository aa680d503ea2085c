/**
 * Values to little-endian bytes, in one growing buffer that every encoding shares and copies its result out of.
 *
 * @module
 */

import { ENVELOPE_HEADER_BYTES } from "./envelope.ts";
import { Fault, typeFault } from "./fault.ts";
import type { ElementCodec, FieldCodec } from "./field.ts";

const INITIAL_BYTES = 1024;
// What a large message made the shared buffer grow to is given back after it.
const KEEP_BYTES = 64 * 1024;
const TWO_32 = 2 ** 32;
const LONGEST = 2 ** 31 - 1;
const utf8 = new TextEncoder();

/** Writes fields one after another. Every method checks its value first, and writes nothing when it throws. */
export class Writer implements FieldCodec {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Reserves bytes and returns where they start. */
  skip(count: number): number {
    const at = this.#room(count);
    this.#at = at + count;
    return at;
  }

  /** Writes an envelope's header into bytes that were skipped: its payload is all that follows, without the last `omit` bytes. */
  envelope(at: number, version: number, compat: number, omit: number): void {
    this.#bytes[at] = version;
    this.#bytes[at + 1] = compat;
    this.#view.setInt32(at + 2, this.#at - omit - at - ENVELOPE_HEADER_BYTES, true);
  }

  /** A fresh copy of everything from `start` on, without the last `omit` bytes. */
  copy(start: number, omit: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(start, this.#at - omit);
  }

  /** Forgets everything from `start` on. */
  rewind(start: number): void {
    this.#at = start;
    if (start === 0 && this.#bytes.length > KEEP_BYTES) this.#replace(INITIAL_BYTES);
  }

  bool(value: boolean | undefined, fallback = false): boolean {
    if (value === undefined) value = fallback;
    if (typeof value !== "boolean") throw typeFault(value, "a boolean");
    const at = this.#room(1);
    this.#bytes[at] = value ? 1 : 0;
    this.#at = at + 1;
    return value;
  }

  u8(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (typeof value !== "number" || (value & 0xff) !== value) throw integerFault(value, 0, 0xff);
    const at = this.#room(1);
    this.#bytes[at] = value;
    this.#at = at + 1;
    return value;
  }

  u16(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (typeof value !== "number" || (value & 0xffff) !== value) {
      throw integerFault(value, 0, 0xffff);
    }
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
    this.#at = at + 2;
    return value;
  }

  u32(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (typeof value !== "number" || (value >>> 0) !== value) {
      throw integerFault(value, 0, TWO_32 - 1);
    }
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
    this.#at = at + 4;
    return value;
  }

  i32(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (typeof value !== "number" || (value | 0) !== value) {
      throw integerFault(value, -(2 ** 31), LONGEST);
    }
    const at = this.#room(4);
    this.#view.setInt32(at, value, true);
    this.#at = at + 4;
    return value;
  }

  i64(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (!Number.isSafeInteger(value)) {
      throw integerFault(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    }
    const at = this.#room(8);
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setInt32(at + 4, Math.floor(value / TWO_32), true);
    this.#at = at + 8;
    return value;
  }

  u64(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (!Number.isSafeInteger(value) || value < 0) {
      throw integerFault(value, 0, Number.MAX_SAFE_INTEGER);
    }
    return this.i64(value);
  }

  f64(value: number | undefined, fallback = 0): number {
    if (value === undefined) value = fallback;
    if (typeof value !== "number") throw typeFault(value, "a number");
    const at = this.#room(8);
    this.#view.setFloat64(at, value, true);
    this.#at = at + 8;
    return value;
  }

  text(value: string | undefined, fallback = ""): string {
    if (value === undefined) value = fallback;
    if (typeof value !== "string") throw typeFault(value, "a string");
    const length = value.length;
    // UTF-8 takes at most three bytes for each UTF-16 code unit.
    const at = this.#room(4 + length * 3);
    const bytes = this.#bytes;
    const start = at + 4;
    let size = 0;
    for (; size < length; size++) {
      const unit = value.charCodeAt(size);
      if (unit > 0x7f) break;
      bytes[start + size] = unit;
    }
    if (size < length) {
      if (!value.isWellFormed()) {
        throw new Fault("holds a lone surrogate, expected well-formed Unicode");
      }
      size = utf8.encodeInto(value, bytes.subarray(start)).written;
    }
    this.#view.setInt32(at, size, true);
    this.#at = start + size;
    return value;
  }

  secret(value: string | undefined, fallback = ""): string {
    return this.text(value, fallback);
  }

  binary(value: Uint8Array | undefined, fallback?: Uint8Array): Uint8Array {
    if (value === undefined) value = fallback ?? new Uint8Array(0);
    if (!(value instanceof Uint8Array)) throw typeFault(value, "a Uint8Array");
    const at = this.#room(4 + value.length);
    this.#view.setInt32(at, value.length, true);
    this.#bytes.set(value, at + 4);
    this.#at = at + 4 + value.length;
    return value;
  }

  texts(value: readonly string[] | undefined, fallback: readonly string[] = []): readonly string[] {
    const texts = this.#count(value ?? fallback);
    for (const text of texts) {
      if (typeof text !== "string") throw typeFault(text, "a string in each place");
      this.text(text);
    }
    return texts;
  }

  list<T>(value: readonly T[] | undefined, element: ElementCodec<T>): readonly T[] {
    const elements = this.#count(value ?? []);
    for (const value of elements) {
      const bytes = element.encode(value);
      const at = this.skip(bytes.length);
      this.#bytes.set(bytes, at);
    }
    return elements;
  }

  #count<T>(value: readonly T[]): readonly T[] {
    if (!Array.isArray(value)) throw typeFault(value, "an array");
    this.u32(value.length);
    return value;
  }

  #room(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) this.#grow(at + count);
    return at;
  }

  #grow(needed: number): void {
    if (needed > LONGEST) {
      throw new Fault(`would make a message of ${needed} bytes, expected at most ${LONGEST}`);
    }
    const old = this.#bytes;
    this.#replace(Math.max(needed, old.length * 2));
    this.#bytes.set(old.subarray(0, this.#at));
  }

  #replace(size: number): void {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

function integerFault(value: unknown, least: number, most: number): Fault {
  if (typeof value !== "number") return typeFault(value, "a number");
  return new Fault(`is ${value}, expected an integer from ${least} to ${most}`);
}
