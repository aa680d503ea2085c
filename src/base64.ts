/**
 * base64 and base64url (RFC 4648 sections 4 and 5), strict in both directions: the runtime's own codec where it has one.
 *
 * @module
 */

interface NativeBase64 {
  toBase64?: (options?: { alphabet?: "base64" | "base64url"; omitPadding?: boolean }) => string;
}

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function encodeWith(bytes: Uint8Array, alphabet: string, pad: string): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet.charAt(word >> 18) + alphabet.charAt((word >> 12) & 63) +
      (left > 1 ? alphabet.charAt((word >> 6) & 63) : pad) +
      (left > 2 ? alphabet.charAt(word & 63) : pad);
  }
  return text;
}

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const native = (bytes as NativeBase64).toBase64;
  return native === undefined ? encodeWith(bytes, STANDARD, "=") : native.call(bytes);
}

/** Encodes bytes as base64url without padding (RFC 7515 section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  const native = (bytes as NativeBase64).toBase64;
  return native === undefined
    ? encodeWith(bytes, URL_SAFE, "")
    : native.call(bytes, { alphabet: "base64url", omitPadding: true });
}

function decodeWith(text: string, alphabet: string): Uint8Array<ArrayBuffer> | undefined {
  const rest = text.length % 4;
  if (rest === 1) return undefined;
  const bytes = new Uint8Array((text.length * 3) >> 2);
  let word = 0;
  let bits = 0;
  let offset = 0;
  for (let i = 0; i < text.length; i++) {
    const value = sextet(text.charCodeAt(i), alphabet);
    if (value < 0) return undefined;
    word = ((word << 6) | value) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[offset++] = (word >> bits) & 255;
    }
  }
  // Canonical form only: the bits that no byte uses are zero, so one byte string has one text (RFC 4648 section 3.5).
  return (word & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

function sextet(code: number, alphabet: string): number {
  if (code >= 65 && code <= 90) return code - 65;
  if (code >= 97 && code <= 122) return code - 71;
  if (code >= 48 && code <= 57) return code + 4;
  if (code === alphabet.charCodeAt(62)) return 62;
  return code === alphabet.charCodeAt(63) ? 63 : -1;
}

/** Decodes canonical base64url without padding; `undefined` for anything else (padding, white space, other letters, stray bits). */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  return decodeWith(text, URL_SAFE);
}

/** Decodes canonical base64, padded as RFC 4648 section 4 says or not at all; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const body = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
  return decodeWith(body, STANDARD);
}
