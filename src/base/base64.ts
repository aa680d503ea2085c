/**
 * base64 and base64url (RFC 4648 sections 4 and 5), strict in both directions: one byte string has one text.
 *
 * @module
 */

// ECMAScript's own (2026), where the runtime has it: Deno, Bun, Node from 25 and the browsers of 2026. It is faster, and Deno loads the
// module behind `atob` and `btoa` at their first use only.
interface NativeBytes {
  toBase64?(options?: {
    readonly alphabet?: "base64" | "base64url";
    readonly omitPadding?: boolean;
  }): string;
}
interface NativeArray {
  fromBase64?(text: string): Uint8Array<ArrayBuffer>;
}

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const native = (bytes as NativeBytes).toBase64?.();
  if (native !== undefined) return native;
  let binary = "";
  // Thousands of bytes as arguments of one call: many times faster than one by one. No engine takes all bytes of a large array at once.
  for (let at = 0; at < bytes.length; at += 4096) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 4096) as unknown as number[]);
  }
  return btoa(binary);
}

/** Encodes bytes as base64url without padding (RFC 7515 section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return (bytes as NativeBytes).toBase64?.({ alphabet: "base64url", omitPadding: true }) ??
    encodeBase64(bytes).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
}

/** Decodes canonical base64url without padding; `undefined` for anything else (padding, white space, other characters, stray bits). */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 6) / 8));
  let bits = 0;
  let bitCount = 0;
  let offset = 0;
  for (let i = 0; i < text.length; i++) {
    bits = (bits << 6) | valueOf(text.charCodeAt(i));
    bitCount += 6;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[offset++] = bits >> bitCount;
    bits &= (1 << bitCount) - 1;
  }
  // Canonical form only: the bits left over are fewer than a character's and zero, so that one byte string has one text
  // (RFC 4648 section 3.5).
  return bitCount < 6 && bits === 0 ? bytes : undefined;
}

/** The value of a character of base64url, by its code: A-Z, a-z, 0-9, `-`, `_` (RFC 4648 section 5). */
function valueOf(code: number): number {
  if (code >= 0x61) return code - 0x61 + 26;
  if (code === 0x5f) return 63;
  if (code >= 0x41) return code - 0x41;
  if (code >= 0x30) return code - 0x30 + 52;
  return 62;
}

/** Decodes canonical base64, padded as RFC 4648 section 4 says or not at all; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeForgiving(text);
  if (bytes === undefined) return undefined;
  // Several texts have these bytes: the one counts that encoding them gives.
  const canonical = encodeBase64(bytes);
  return text === canonical || text === canonical.replace(/=+$/, "") ? bytes : undefined;
}

/**
 * Decodes base64 as `atob` does (WHATWG Infra, forgiving-base64 decode): with white space, without padding, with stray bits; `undefined`
 * for anything else.
 */
export function decodeForgiving(text: string): Uint8Array<ArrayBuffer> | undefined {
  const native = Uint8Array as NativeArray;
  try {
    return native.fromBase64?.(text) ?? toBytes(atob(text));
  } catch {
    return undefined;
  }
}

/** The bytes of a text of characters below U+0100, as `atob` returns it. */
function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
