/**
 * base64 and base64url (RFC 4648 sections 4 and 5), strict in both directions: the codec that every runtime has, and a check that it
 * gives the text back.
 *
 * @module
 */

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(bytes.reduce((binary, byte) => binary + String.fromCharCode(byte), ""));
}

/** Encodes bytes as base64url without padding (RFC 7515 section 2). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return toUrlSafe(encodeBase64(bytes));
}

function toUrlSafe(base64: string): string {
  return base64.replace(/=+$/, "").replaceAll("+", "-").replaceAll("/", "_");
}

/** Decodes canonical base64url without padding; `undefined` for anything else (padding, white space, other letters, stray bits). */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  const binary = decode(text.replaceAll("-", "+").replaceAll("_", "/"));
  return toUrlSafe(btoa(binary)) === text ? toBytes(binary) : undefined;
}

/** Decodes canonical base64, padded as RFC 4648 section 4 says or not at all; `undefined` for anything else. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const binary = decode(text);
  const canonical = btoa(binary);
  return text === canonical || text === canonical.replace(/=+$/, "") ? toBytes(binary) : undefined;
}

// atob forgives white space, missing padding and stray bits (WHATWG Infra, forgiving-base64 decode). One byte string has one
// text (RFC 4648 section 3.5): so what it gives counts only when encoding it gives the text back.
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
