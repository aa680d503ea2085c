/**
 * base64 and base64url (RFC 4648 sections 4 and 5), strict in both directions: one byte string has one text.
 *
 * @module
 */

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  // As arguments of one call, thousands at a time: many times faster than one by one, and no engine takes all of a large array.
  for (let at = 0; at < bytes.length; at += 4096) {
    const slice = bytes.subarray(at, at + 4096) as unknown as number[];
    binary += String.fromCharCode.apply(null, slice);
  }
  return btoa(binary);
}

/** Encodes bytes as base64url without padding (RFC 7515 section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
}

/** Decodes canonical base64url without padding; `undefined` for anything else (padding, white space, other letters, stray bits). */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const { length } = text;
  const bytes = new Uint8Array((length * 3) >> 2);
  let word = 0;
  let bits = 0;
  let offset = 0;
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? NONE;
    seen |= value;
    word = (word << 6) | value;
    bits += 6;
    if (bits > 7) bytes[offset++] = word >> (bits -= 8);
  }
  // Canonical form only: the bits that no byte uses are zero, so one byte string has one text (RFC 4648 section 3.5).
  const isCanonical = seen < NONE && length % 4 !== 1 && (word & ((1 << bits) - 1)) === 0;
  return isCanonical ? bytes : undefined;
}

/** What stands for a character that is no letter of base64url. */
const NONE = 64;

/** Values of the letters of base64url by their codes: a look-up takes half the time of atob, which knows another alphabet. */
const VALUES = /* @__PURE__ */ makeValues();

function makeValues(): Uint8Array {
  const values = new Uint8Array(128).fill(NONE);
  for (let i = 0; i < 26; i++) {
    values[65 + i] = i;
    values[97 + i] = i + 26;
    if (i < 10) values[48 + i] = i + 52;
  }
  values[45] = 62;
  values[95] = 63;
  return values;
}

/** Decodes canonical base64, padded as RFC 4648 section 4 says or not at all; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const binary = decode(text);
  const canonical = btoa(binary);
  return text === canonical || text === canonical.replace(/=+$/, "") ? toBytes(binary) : undefined;
}

// atob forgives white space, missing padding and stray bits (WHATWG Infra, forgiving-base64 decode), so what it gives counts only
// when encoding it gives the text back.
function decode(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}

function toBytes(binary: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
