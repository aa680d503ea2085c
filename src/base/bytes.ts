/**
 * Bytes: concatenation, comparison, hex, strict UTF-8, and memory for short pieces.
 *
 * @module
 */

import { TeleQuickError } from "./errors.ts";

// Made at their first use: an environment without them (jest with jsdom) can still import the package.
let encoder: TextEncoder | undefined;
let decoder: TextDecoder | undefined;

function missing(name: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_RUNTIME_UNSUPPORTED",
    `Cannot convert text: this environment has no ${name}, expected the standard one (in a test with jsdom, set globalThis.${name} from node:util)`,
  );
}

/** Whether a value is a `Uint8Array`, of this realm or another. */
export function isBytes(value: unknown): value is Uint8Array {
  return isArrayOf(value, Uint8Array);
}

/** Whether a value is a typed array of this type, of this realm or another (a frame, a test under jest), for which `instanceof` does not hold. */
export function isArrayOf<T extends Uint8Array | Int16Array | Float32Array>(
  value: unknown,
  type: { readonly name: string; readonly prototype: T } & (new () => unknown),
): value is T {
  return value instanceof type ||
    // The getter of the tag reads an internal slot.
    ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === type.name;
}

/** Joins byte arrays into a new one. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Whether two byte arrays hold the same bytes. Not constant time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** Encodes text as UTF-8. A lone surrogate is refused: it would not survive the round trip. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (!text.isWellFormed()) {
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      "Cannot encode text: it holds a lone surrogate, expected well-formed Unicode",
    );
  }
  if (encoder === undefined && typeof TextEncoder === "undefined") throw missing("TextEncoder");
  return (encoder ??= new TextEncoder()).encode(text);
}

/** Decodes UTF-8; rejects every invalid sequence and keeps a leading byte order mark. Throws `TypeError` as `TextDecoder` does. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (decoder === undefined && typeof TextDecoder === "undefined") throw missing("TextDecoder");
  // RFC 3629 section 3: decoders must protect against invalid sequences. `ignoreBOM` keeps a leading U+FEFF as a character.
  return (decoder ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })).decode(bytes);
}

/** Lower-case hexadecimal digits of bytes. */
export function encodeHex(bytes: Uint8Array): string {
  // ECMAScript's own (2026), where the runtime has it.
  const native = (bytes as { toHex?(): string }).toHex?.();
  if (native !== undefined) return native;
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/**
 * Memory for many short pieces, cut one after another from buffers of one size. A buffer is held for as long as one of its pieces is.
 * A buffer of its own for each piece makes "audio path after a rest" in tests/bench/audio_path_bench.ts take 1.2 times as long.
 */
export class ByteRoom {
  readonly #bufferBytes: number;
  #buffer = new ArrayBuffer(0);
  #used = 0;

  /** Makes one that cuts from buffers of `bufferBytes`. */
  constructor(bufferBytes: number) {
    this.#bufferBytes = bufferBytes;
  }

  /** So many bytes, all zero, which are given once. More than a buffer has are a buffer of their own. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size > this.#bufferBytes) return new Uint8Array(size);
    if (this.#used + size > this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(this.#bufferBytes);
      this.#used = 0;
    }
    const piece = new Uint8Array(this.#buffer, this.#used, size);
    this.#used += size;
    return piece;
  }
}
