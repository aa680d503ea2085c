/**
 * base64 and base64url (RFC 4648 sections 4 and 5), strict in both directions: the runtime's own codec where it has one.
 *
 * @module
 */

interface NativeBase64 {
  toBase64?: () => string;
}

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const native = (bytes as NativeBase64).toBase64?.();
  if (native !== undefined) return native;
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Encodes bytes as base64url without padding (RFC 7515 section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
}

/** Decodes canonical base64url without padding; `undefined` for anything else (padding, white space, other letters, stray bits). */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 === 1 || !/^[\w-]*$/.test(text)) return undefined;
  const bytes = new Uint8Array((text.length * 3) >> 2);
  let word = 0;
  let bits = 0;
  let offset = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // What is here is a letter, a digit, "-" (45) or "_" (95).
    const value = code > 96
      ? code - 71
      : code === 95
      ? 63
      : code > 64
      ? code - 65
      : code > 45
      ? code + 4
      : 62;
    word = (word << 6) | value;
    bits += 6;
    if (bits > 7) bytes[offset++] = word >> (bits -= 8);
  }
  // Canonical form only: the bits that no byte uses are zero, so one byte string has one text (RFC 4648 section 3.5).
  return (word & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}

/** Decodes canonical base64, padded as RFC 4648 section 4 says or not at all; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (/[-_]/.test(text)) return undefined;
  const body = text.length % 4 === 0 ? text.replace(/={1,2}$/, "") : text;
  return decodeBase64Url(body.replaceAll("+", "-").replaceAll("/", "_"));
}
