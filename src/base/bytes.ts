/**
 * Bytes: concatenation, comparison, hex, and UTF-8 that never guesses.
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

/** Joins byte arrays into a fresh one. */
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

/** Tells whether two byte arrays hold the same bytes. Not constant time: never for secrets. */
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

/** Lower-case hexadecimal digits of bytes: by the runtime's own means where it has them, which need no warming up. */
export function encodeHex(bytes: Uint8Array & { toHex?(): string }): string {
  if (bytes.toHex) return bytes.toHex();
  let hex = "";
  // A leading 1 keeps the zeros: `padStart` makes the first call of this ten times as slow.
  for (const byte of bytes) hex += (byte + 256).toString(16).slice(1);
  return hex;
}
